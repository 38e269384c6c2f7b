# Decision curves a second time, for tests/statistics/decision: by definition from two-by-two tables, and for survival
# from survival::survfit, whose own influence of each patient (or the
# numerical derivative of its estimate) gives the variances. What Python's dcurves says is in decision_python.py.
#
# From the repository's root:
#   python -m tests.reference.tables /some/folder
#   Rscript tests/reference/decision.R /some/folder
# Needs r-base-core, r-recommended (survival), r-cran-jsonlite. Debian packages neither dcurves nor rmda. The risks are
# formulas of a patient's values, so that the rows of real tables need not stand in the JSON.

suppressPackageStartupMessages({ library(survival); library(jsonlite) })
folder <- commandArgs(TRUE)[1]
set.seed(2006)
z <- qnorm(0.975)

# Each figure as a function of weights; its variance from the change with each patient's weight.
# The rows of one cluster move together, so their changes are summed before they are squared.
error_of <- function(influence, clusters) sqrt(sum(tapply(influence, clusters, sum)^2))
figure <- function(f, n, clusters = 1:n) {
  value <- f(rep(1, n))
  h <- 1e-3
  slope <- sapply(seq_len(n), function(i) {
    at <- function(by) { w <- rep(1, n); w[i] <- 1 + by; f(w) }
    (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
  })
  error <- error_of(slope, clusters)
  if (error < 1e-9) c(value, NA, NA, NA) else c(value, value - z * error, value + z * error, error)
}
tested <- function(shown) c(shown, 2 * pnorm(-abs(shown[1] / shown[4])))

binary <- function(y, risks, thresholds, prevalence = NULL, clusters = seq_along(y)) {
  n <- length(y)
  figure <- function(f, n) get("figure", globalenv())(f, n, clusters)
  nb <- function(x, t, w) {
    k <- t / (1 - t)
    if (is.null(prevalence)) sum(w * x * y) / sum(w) - k * sum(w * x * (1 - y)) / sum(w)
    else prevalence * sum(w * x * y) / sum(w * y) - k * (1 - prevalence) * sum(w * x * (1 - y)) / sum(w * (1 - y))
  }
  rate <- function(w) if (is.null(prevalence)) sum(w * y) / sum(w) else prevalence
  lapply(thresholds, function(t) {
    k <- t / (1 - t); all <- rep(1, n)
    points <- lapply(c(risks, list(all = all)), function(r) {
      x <- 1 * (r >= t)
      list(net = figure(function(w) nb(x, t, w), n),
           standardised = figure(function(w) nb(x, t, w) / rate(w), n),
           avoided = figure(function(w) (nb(x, t, w) - nb(all, t, w)) / k, n))
    })
    difference <- figure(function(w) nb(1 * (risks[[1]] >= t), t, w) - nb(1 * (risks[[2]] >= t), t, w), n)
    list(threshold = t, points = points, difference = tested(difference))
  })
}

# Survival: the risk by the horizon and each patient's influence on it, both as survfit has them.
incidence <- function(time, status, keep, horizon) {
  d <- data.frame(time = time[keep], status = status[keep])
  influence <- rep(0, length(time))
  if (any(status > 1)) {
    d$state <- factor(d$status, 0:2)
    # influence.pstate of survival 3.5-3 is not the derivative of its own estimate (patient by patient, with tied
    # times), so the derivative is taken of survfit's estimate by its weights.
    by <- function(w) {
      fit <- survfit(Surv(time, state) ~ 1, d, weights = w, se.fit = FALSE)
      at <- max(which(fit$time <= horizon), 0)
      if (at == 0) 0 else fit$pstate[at, which(fit$states == "1")]
    }
    h <- 1e-3
    influence[keep] <- sapply(seq_len(nrow(d)), function(i) {
      moved <- function(step) { w <- rep(1, nrow(d)); w[i] <- 1 + step; by(w) }
      (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h)
    })
    return(list(value = by(rep(1, nrow(d))), influence = influence))
  }
  fit <- survfit(Surv(time, status) ~ 1, d, robust = TRUE, influence = 1)
  at <- max(which(fit$time <= horizon), 0)
  if (at == 0) return(list(value = 0, influence = influence))
  influence[keep] <- -fit$influence.surv[, at]
  list(value = 1 - fit$surv[at], influence = influence)
}

shown <- function(value, influence, clusters) {
  error <- error_of(influence, clusters)
  if (error < 1e-9) c(value, NA, NA, NA) else c(value, value - z * error, value + z * error, error)
}

survived <- function(time, status, risks, thresholds, horizon, clusters = seq_along(time)) {
  n <- length(time)
  shown <- function(value, influence) get("shown", globalenv())(value, influence, clusters)
  whole <- incidence(time, status, rep(TRUE, n), horizon)
  nb <- function(x, t) {
    k <- t / (1 - t); q <- mean(x)
    if (q == 0) return(list(value = 0, influence = rep(0, n)))
    f <- incidence(time, status, x == 1, horizon)
    list(value = q * f$value - k * q * (1 - f$value),
         influence = (x - q) / n * (f$value - k * (1 - f$value)) + q * (1 + k) * f$influence)
  }
  points <- lapply(thresholds, function(t) {
    k <- t / (1 - t); all <- nb(rep(1, n), t)
    each <- lapply(c(risks, list(all = rep(1, n))), function(r) {
      one <- nb(1 * (r >= t), t)
      list(net = shown(one$value, one$influence),
           standardised = shown(one$value / whole$value, (one$influence - one$value / whole$value * whole$influence) / whole$value),
           avoided = shown((one$value - all$value) / k, (one$influence - all$influence) / k))
    })
    first <- nb(1 * (risks[[1]] >= t), t); second <- nb(1 * (risks[[2]] >= t), t)
    list(threshold = t, points = each, difference = tested(shown(first$value - second$value, first$influence - second$influence)))
  })
  list(prevalence = whole$value, horizon = horizon, thresholds = points)
}

breast <- read.csv(file.path(folder, "breast.csv"))
lung <- read.csv(file.path(folder, "lung.csv"))
gbsg2 <- read.csv(file.path(folder, "gbsg2.csv"))

tiny <- list(labels = c(1, 0, 1, 0, 0), first = c(0.9, 0.3, 0.3, 0.2, 0.1), second = c(0.5, 0.5, 0.1, 0.1, 0.1))
rare <- list(labels = c(rep(1, 3), rep(0, 197)), first = round(c(0.3, 0.2, 0.02, runif(197)^4), 3), second = round(runif(200)^3, 2))
made <- function(n, states) {
  status <- sample(states, n, TRUE)
  list(times = ceiling(rexp(n, 1 / 20)), events = status, first = round(runif(n), 2), second = round(pmin(1, 0.2 + 0.5 * (status == 1) + runif(n) / 3), 2))
}
ties <- made(60, c(0, 1)); competing <- made(80, c(0, 1, 2))
# Several rows (images) of a patient, and times of 0, at which a patient can have had the event or have been seen once.
images <- list(labels = rep(rbinom(30, 1, 0.4), rep(1:3, 10)), clusters = rep(1:30, rep(1:3, 10)))
images <- c(images, list(first = round(pmin(1, 0.3 * images$labels + runif(60) / 2), 2), second = round(runif(60), 2)))
nought <- made(60, c(0, 1)); nought$times[1:10] <- 0; nought$clusters <- rep(1:20, 3)
nought_competing <- made(60, c(0, 1, 2)); nought_competing$times[1:12] <- 0

written <- list(
  versions = list(R = as.character(getRversion()), survival = as.character(packageVersion("survival")),
                  jsonlite = as.character(packageVersion("jsonlite"))),
  binary = list(
    breast = with(breast, list(answer = binary(malignant, list(first = plogis((mean_radius - 14) / 1.5), second = plogis((mean_texture - 19) / 3)), c(0.05, 0.3, 0.5, 0.9)))),
    breast_at_another_prevalence = with(breast, list(prevalence = 0.05, answer = binary(malignant, list(first = plogis((mean_radius - 14) / 1.5), second = plogis((mean_texture - 19) / 3)), c(0.05, 0.3), 0.05))),
    tiny = list(table = tiny, answer = binary(tiny$labels, tiny[c("first", "second")], c(0.1, 0.3, 0.5, 0.95))),
    rare = list(table = rare, answer = binary(rare$labels, rare[c("first", "second")], c(0.01, 0.02, 0.1))),
    images = list(table = images, answer = binary(images$labels, images[c("first", "second")], c(0.2, 0.4), NULL, images$clusters)),
    images_at_another_prevalence = list(table = images, prevalence = 0.1, answer = binary(images$labels, images[c("first", "second")], c(0.2, 0.4), 0.1, images$clusters)),
    rare_at_another_prevalence = list(table = rare, prevalence = 0.3, answer = binary(rare$labels, rare[c("first", "second")], c(0.02, 0.2), 0.3))),
  survival = list(
    lung = with(lung, survived(time, status, list(first = plogis((age - 60) / 15), second = plogis((60 - age) / 8)), c(0.2, 0.5, 0.6), 365)),
    gbsg2 = with(gbsg2, survived(time, event, list(first = plogis(nodes / 8 - 1.5), second = plogis(size / 40 - 1.5)), c(0.1, 0.25, 0.4, 0.7), 1095)),
    ties = c(list(table = ties), with(ties, survived(times, events, list(first = first, second = second), c(0.1, 0.4, 0.8), 12))),
    nought = c(list(table = nought), with(nought, survived(times, events, list(first = first, second = second), c(0.1, 0.4, 0.8), 12, clusters))),
    nought_competing = c(list(table = nought_competing), with(nought_competing, survived(times, events, list(first = first, second = second), c(0.1, 0.4), 12))),
    competing = c(list(table = competing), with(competing, survived(times, events, list(first = first, second = second), c(0.1, 0.3, 0.6), 15)))))
write_json(written, "tests/reference/decision.json", digits = NA, auto_unbox = TRUE, na = "null", null = "null")
