# Sample sizes a second time, for tests/statistics/planning: each criterion solved by trying every n, or by uniroot and
# integrate, from the papers' inequalities (Riley et al. 2019, 2020, 2021; Hanley and McNeil 1982; Newcombe 2006).
#
# From the repository's root:  Rscript tests/reference/planning.R
# Needs r-base-core, r-cran-jsonlite. Debian packages neither pmsampsize nor pmvalsampsize: planning_python.py asks them.

suppressPackageStartupMessages(library(jsonlite))
z <- qnorm(0.975)
first <- function(enough, from = 1, to = 1e7) { # bisection over whole numbers
  low <- from; high <- to
  if (enough(low)) return(low)
  while (high - low > 1) { m <- floor((low + high) / 2); if (enough(m)) high <- m else low <- m }
  high
}

# Shrinkage expected with n patients, 1 + P / (n ln(1 - R^2 before shrinkage)), where the R-squared before shrinkage is
# the expected one by S (van Houwelingen and le Cessie 1990; Riley et al. 2019).
shrunk <- function(p, cs, target) first(function(n) 1 + p / (n * log(1 - cs / target)) >= target, p + 2)

binary <- function(p, prevalence, cs, s = 0.9, delta = 0.05, margin = 0.05) {
  null <- prevalence * log(prevalence) + (1 - prevalence) * log(1 - prevalence)
  top <- 1 - exp(2 * null); s2 <- cs / (cs + delta * top)
  list(arguments = list(p, prevalence, cs), top = top,
       n = c(shrunk(p, cs, s), shrunk(p, cs, s2),
             first(function(n) z * sqrt(prevalence * (1 - prevalence) / n) <= margin)))
}
survival <- function(p, cs, rate, follow, horizon, s = 0.9, delta = 0.05, margin = 0.05) {
  mean_events <- rate * follow
  top <- 1 - exp(2 * (mean_events * log(mean_events) - mean_events)); s2 <- cs / (cs + delta * top)
  risk <- function(r) 1 - exp(-r * horizon)
  list(arguments = list(p, cs, rate, follow, horizon), top = top,
       n = c(shrunk(p, cs, s), shrunk(p, cs, s2), first(function(n) {
         e <- z * sqrt(rate / (n * follow))
         max(risk(rate + e) - risk(rate), risk(rate) - risk(rate - e)) <= margin
       })))
}
continuous <- function(p, r2, mean, sd, s = 0.9, delta = 0.05, margin = 0.1) {
  list(arguments = list(p, r2, mean, sd),
       n = c(first(function(n) { a <- (r2 * (n - p - 1) + p) / (n - 1); 1 + (p - 2) / (n * log(1 - a)) >= s }, p + 2),
             first(function(n) p * (1 - r2) / (n - 1) <= delta, p + 2),
             first(function(n) { d <- n - p - 1; max(sqrt(qchisq(0.975, d) / d), sqrt(d / qchisq(0.025, d))) <= 1 + margin }, p + 2),
             first(function(n) qt(0.975, n - p - 1) * sd * sqrt((1 - r2) / n) <= margin * abs(mean), p + 2)))
}

# R-squared from an area, by integrate over the two normal groups separately.
explained <- function(auc, prevalence) {
  d <- sqrt(2) * qnorm(auc); a <- qlogis(prevalence) - d^2 / 2
  one <- function(mean, sign) integrate(function(x) dnorm(x, mean) * plogis(sign * (a + d * x), log.p = TRUE),
                                        mean - 15, mean + 15, rel.tol = 1e-12, abs.tol = 1e-14, subdivisions = 2000)$value
  found <- prevalence * one(d, 1) + (1 - prevalence) * one(0, -1)
  null <- prevalence * log(prevalence) + (1 - prevalence) * log(1 - prevalence)
  list(auc = auc, prevalence = prevalence, value = 1 - exp(-2 * (found - null)))
}

error <- function(auc, n, prevalence, method) {
  m <- n * prevalence; k <- n - m
  q1 <- auc / (2 - auc); q2 <- 2 * auc^2 / (1 + auc)
  if (method == "Hanley-McNeil") sqrt((auc * (1 - auc) + (m - 1) * (q1 - auc^2) + (k - 1) * (q2 - auc^2)) / (m * k))
  else sqrt(auc * (1 - auc) * (1 + (n / 2 - 1) * (1 - auc) / (2 - auc) + (n / 2 - 1) * auc / (1 + auc)) / (m * k))
}
width <- function(auc, prevalence, w, method) {
  from <- ceiling(1 / min(prevalence, 1 - prevalence))
  n <- first(function(n) 2 * z * error(auc, n, prevalence, method) <= w, from)
  list(auc = auc, prevalence = prevalence, width = w, method = method, n = n, error = error(auc, n, prevalence, method))
}
apart <- function(a, b, prevalence, r, power) {
  from <- ceiling(1 / min(prevalence, 1 - prevalence))
  n <- first(function(n) {
    e1 <- error(a, n, prevalence, "Hanley-McNeil"); e2 <- error(b, n, prevalence, "Hanley-McNeil")
    pnorm(abs(a - b) / sqrt(e1^2 + e2^2 - 2 * r * e1 * e2) - z) >= power
  }, from)
  list(first = a, second = b, prevalence = prevalence, correlation = r, power = power, n = n)
}

# Mann and Whitney's U has a variance by the chances that two patients of one group both win over one of the other.
# Hanley and McNeil take these from exponential scores, of rate 1 without the outcome and (1 - A) / A with it.
exponential <- function(auc, n, prevalence) {
  m <- n * prevalence; k <- n - m; rate <- (1 - auc) / auc
  over <- function(f) integrate(f, 0, Inf, rel.tol = 1e-12, abs.tol = 0, subdivisions = 2000)$value
  two_events <- over(function(x) dexp(x) * pexp(x, rate, lower.tail = FALSE)^2)
  two_others <- over(function(x) dexp(x, rate) * pexp(x)^2)
  list(auc = auc, n = n, prevalence = prevalence,
       error = sqrt((auc * (1 - auc) + (m - 1) * (two_events - auc^2) + (k - 1) * (two_others - auc^2)) / (m * k)))
}

# The slope's error with n patients who have these linear predictors in equal shares, from glm's own information.
slope <- function(x, w) {
  X <- cbind(1, x); p <- plogis(x)
  each <- solve(crossprod(X, X * p * (1 - p)) / length(x))[2, 2]
  list(x = x, width = w, n = first(function(n) 2 * z * sqrt(each / n) <= w))
}
ratio <- function(prevalence, w, r = 1) {
  list(prevalence = prevalence, width = w, ratio = r,
       n = first(function(n) { e <- z * sqrt((1 - prevalence) / (n * prevalence)); r * exp(e) - r * exp(-e) <= w }))
}
set.seed(2021); lp <- round(rnorm(400, -1, 1.2), 3)

written <- list(
  versions = list(R = as.character(getRversion()), jsonlite = as.character(packageVersion("jsonlite"))),
  binary = list(binary(24, 0.174, 0.288), binary(24, 0.174, 0.55), binary(36, 0.174, 0.288), binary(24, 0.25, 0.288),
                binary(1, 0.5, 0.1), binary(10, 0.005, 0.02), binary(8, 0.97, 0.1)),
  survival = list(survival(30, 0.051, 0.065, 2.07, 2), survival(40, 0.06, 0.08, 5, 3), survival(10, 0.03, 0.09, 3, 3),
                  survival(80, 0.3, 0.03, 5, 1), survival(5, 0.3, 0.2, 1, 8)),
  continuous = list(continuous(25, 0.2, 1.9, 0.6), continuous(25, 0.3, 1.9, 0.6), continuous(50, 0.2, 1.9, 0.6),
                    continuous(2, 0.5, -1, 4), continuous(10, 0.9, 100, 1)),
  explained = list(explained(0.89, 0.174), explained(0.5, 0.3), explained(0.7, 0.5), explained(0.81, 0.77), explained(0.999, 0.01), explained(0.6, 0.002)),
  width = list(width(0.8, 0.018, 0.1, "Newcombe"), width(0.8, 0.018, 0.1, "Hanley-McNeil"), width(0.7, 0.3, 0.05, "Newcombe"),
               width(0.95, 0.5, 0.1, "Hanley-McNeil"), width(0.5, 0.9, 0.2, "Hanley-McNeil"), width(0.75, 0.4, 0.95, "Newcombe")),
  difference = list(apart(0.75, 0.85, 0.5, 0, 0.8), apart(0.7, 0.75, 0.2, 0.6, 0.9), apart(0.9, 0.8, 0.1, 0.3, 0.8)),
  exponential = list(exponential(0.8, 500, 0.2), exponential(0.95, 60, 0.5), exponential(0.5, 20, 0.9), exponential(0.65, 10000, 0.01)),
  slope = list(slope(lp, 0.2), slope(c(-3, -2, -1, 0, 1), 0.2), slope(c(-0.1, 0.1), 1)),
  ratio = list(ratio(0.018, 1), ratio(0.3, 0.4), ratio(0.3, 0.4, 1.5), ratio(0.9, 0.2)))
write_json(written, "tests/reference/planning.json", digits = NA, auto_unbox = TRUE, na = "null", null = "null")
