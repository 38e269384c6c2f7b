# What R says about logistic regression and restricted cubic splines, for tests/statistics/regression: glm (its
# tolerance tightened), rms::lrm, a profile-likelihood interval by root finding on glm, Hmisc::rcspline.eval.
# Real tables are read from the folder that is given, and stay out of the JSON; small ones are made here.
#
# From the repository's root:  python -m tests.reference.tables /some/folder
#                              Rscript tests/reference/logistic.R /some/folder
# Needs r-base-core, r-cran-rms, r-cran-hmisc, r-cran-sandwich, r-cran-jsonlite. GPL: oracles for tests, never dependencies.

suppressPackageStartupMessages({ library(rms); library(jsonlite) })
folder <- commandArgs(TRUE)[1]
read <- function(name) read.csv(file.path(folder, paste0(name, ".csv")))
set.seed(1984)

# rms stops when the deviance falls by less than 0.025, glm at 1e-8; both go on here.
tight <- rms::lrm.fit
formals(tight)$eps <- 1e-13
formals(tight)$maxit <- 40
assignInNamespace("lrm.fit", tight, "rms")
control <- glm.control(epsilon = 1e-15, maxit = 100)

answer <- function(y, x, weights = rep(1, length(y)), offset = rep(0, length(y)), intercept = TRUE, new = NULL) {
  x <- as.matrix(x)
  f <- suppressWarnings(if (intercept)
    glm(y ~ x, family = binomial, weights = weights, offset = offset, control = control) else
    glm(y ~ x - 1, family = binomial, weights = weights, offset = offset, control = control))
  table <- summary(f)$coefficients
  list(coefficients = unname(coef(f)), covariance = unname(vcov(f)),
       log_likelihood = f$deviance / -2, null_log_likelihood = f$null.deviance / -2,
       errors = unname(table[, 2]), z = unname(table[, 3]), p = unname(table[, 4]),
       wald_90 = unname(confint.default(f, level = 0.9)), odds = unname(exp(confint.default(f))),
       probabilities_head = unname(head(fitted(f)[weights > 0], 5)))
}

# The values at which twice the loss in log-likelihood is the chi-square quantile.
profiled <- function(y, x, place, level = 0.95) {
  full <- cbind(1, as.matrix(x))
  best <- glm(y ~ full - 1, family = binomial, control = control)
  excess <- function(b) glm(y ~ full[, -place] - 1, offset = b * full[, place], family = binomial,
                            control = control)$deviance - best$deviance - qchisq(level, 1)
  b <- unname(coef(best)[place]); error <- sqrt(vcov(best)[place, place])
  c(uniroot(excess, c(b - 4 * error, b), tol = 1e-13, extendInt = "downX")$root,
    uniroot(excess, c(b, b + 6 * error), tol = 1e-13, extendInt = "upX")$root)
}

lrm_of <- function(y, x) {
  f <- lrm(y ~ as.matrix(x))
  list(coefficients = unname(coef(f)), errors = unname(sqrt(diag(vcov(f)))),
       chi_square = unname(f$stats["Model L.R."]), p = unname(f$stats["P"]))
}

gbsg2 <- read("gbsg2"); breast <- read("breast"); lung <- na.omit(read("lung"))
recurred <- gbsg2$event
covariates <- gbsg2[, c("hormones", "age", "size", "grade", "nodes", "progesterone")]
nuclei <- breast[, c("mean_texture", "mean_smoothness", "mean_symmetry")]
died <- as.integer(lung$status == max(lung$status))

rare <- list(x = round(rnorm(2000), 3)); rare$y <- rbinom(2000, 1, plogis(-6 + 0.7 * rare$x))
tiny <- list(y = c(0, 0, 1, 0, 1, 1), x = c(1, 2, 3, 4, 5, 6))
weighted <- list(y = rbinom(40, 1, 0.4), x = round(rnorm(40), 2), w = sample(c(0, 0.5, 1, 2, 3), 40, TRUE),
                 offset = round(rnorm(40), 2))
badly_scaled <- list(y = rbinom(60, 1, 0.5), x = cbind(2000 + round(runif(60), 3), round(1e6 * rnorm(60))))
paired <- list(y = rep(1, 6), x = c(-1.5, 0.3, 2.1, -0.4, 1.2, 0.8)) # one outcome only, and no intercept

knots_of <- function(x, k) suppressWarnings(rcspline.eval(x, nk = k, knots.only = TRUE))
spline_tables <- list(
  few = round(rnorm(30, 50, 10), 1), hundred = round(rnorm(99, 50, 10), 1), many = round(rgamma(300, 2), 3),
  zeros = c(rep(0, 40), round(rexp(160), 4)), ceiling = c(round(runif(150), 3), rep(1, 30)),
  both = c(rep(0, 20), round(runif(150), 3), rep(1, 30)), zeros_few = c(rep(0, 15), round(rexp(60), 4)),
  both_few = c(rep(0, 9), round(runif(60), 3), rep(1, 9)))

# Several rows per patient: the robust covariance, by rows and by patients.
repeated <- list(patient = rep(1:25, times = sample(1:4, 25, TRUE)))
n <- length(repeated$patient)
repeated$x <- cbind(round(rnorm(n) + rnorm(25)[repeated$patient], 2), rbinom(n, 1, 0.4))
repeated$y <- rbinom(n, 1, plogis(0.7 * repeated$x[, 1] + rnorm(25)[repeated$patient]))
repeated$w <- sample(c(0.5, 1, 2, 3), n, TRUE)
robust_of <- function(t) {
  f <- glm(t$y ~ t$x, family = binomial, control = control)
  weighted <- suppressWarnings(glm(t$y ~ t$x, family = binomial, weights = t$w, control = control))
  y <- t$y; first <- t$x[, 1]; second <- t$x[, 2]
  lrm_fit <- lrm(y ~ first + second, x = TRUE, y = TRUE)
  clustered <- function(f) sandwich::vcovCL(f, t$patient, type = "HC0", cadjust = FALSE)
  list(table = t, rows = unname(sandwich::sandwich(f)), patients = unname(clustered(f)),
       weighted = unname(clustered(weighted)), fractions = unname(sandwich::sandwich(weighted)), robcov = unname(vcov(robcov(lrm_fit, t$patient))),
       aic = AIC(f), wald = drop(coef(f)[2:3] %*% solve(vcov(f)[2:3, 2:3]) %*% coef(f)[2:3]))
}

# Columns far from 0, beside which an intercept or an offset is of hundreds or thousands.
set.seed(364)
far <- list(y = c(0, 1, 0, 0, 1, 0, 1, 1, 0, 1), gravity = c(1.005, 1.02, 1.01, 1.03, 1.02, 1.015, 1.025, 1.012, 1.008, 1.02),
            year = c(150, 151, 149, 153, 152, 150, 154, 150, 149, 151) + 1850)
several <- list(x = cbind(round(runif(77, 1.005, 1.04), 3), round(rnorm(77, 6, 0.7), 2), round(rnorm(77, 600, 200)), round(rnorm(77, 20, 8), 1)))
several$y <- rbinom(77, 1, plogis(100 * (several$x[, 1] - 1.02) + 0.8 * (several$x[, 2] - 6)))
far_of <- list(table = far, several = c(several, list(profile = lapply(1:5, function(place) profiled(several$y, several$x, place)))),
  gravity = lapply(1:2, function(place) profiled(far$y, far$gravity, place)),
  year = lapply(1:2, function(place) profiled(far$y, far$year, place)),
  offset = unname(coef(glm(y ~ 1, binomial, far, offset = rep(40, 10), control = control))),
  offset_gravity = unname(coef(glm(y ~ gravity, binomial, far, offset = rep(40, 10), control = control, mustart = rep(0.5, 10)))))

written <- list(
  versions = list(R = as.character(getRversion()), rms = as.character(packageVersion("rms")),
                  sandwich = as.character(packageVersion("sandwich")),
                  Hmisc = as.character(packageVersion("Hmisc")), jsonlite = as.character(packageVersion("jsonlite"))),
  gbsg2 = answer(recurred, covariates), gbsg2_lrm = lrm_of(recurred, covariates),
  gbsg2_profile = lapply(1:3, function(place) profiled(recurred, covariates, place)),
  breast = answer(breast$malignant, nuclei), breast_lrm = lrm_of(breast$malignant, nuclei),
  lung = answer(died, lung[, c("age", "sex", "ecog")]),
  rare = c(answer(rare$y, rare$x), list(table = rare)),
  tiny = c(answer(tiny$y, tiny$x), list(table = tiny, profile = profiled(tiny$y, tiny$x, 2))),
  weighted = c(with(weighted, answer(y, x, w, offset)), list(table = weighted)),
  badly_scaled = c(answer(badly_scaled$y, badly_scaled$x), list(table = badly_scaled)),
  paired = c(answer(paired$y, paired$x, intercept = FALSE), list(table = paired)),
  repeated = robust_of(repeated), far = far_of,
  splines = lapply(spline_tables, function(x) list(
    x = x, knots = lapply(3:7, function(k) unname(knots_of(x, k))))),
  spline = list(
    gbsg2 = unname(head(unclass(rcspline.eval(gbsg2$age, nk = 5, inclx = TRUE)), 20)),
    gbsg2_knots = rcspline.eval(gbsg2$age, nk = 5, knots.only = TRUE),
    given = unname(unclass(rcspline.eval(c(-3, 0, 0.5, 1, 2.5, 4, 9), c(0, 1, 3, 4), inclx = TRUE)))))
strip <- function(x) { attributes(x) <- attributes(x)["dim"]; x }
written$spline <- lapply(written$spline, strip)
write_json(written, "tests/reference/logistic.json", digits = NA, auto_unbox = TRUE, na = "null", null = "null")
