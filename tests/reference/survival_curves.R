# What R says about survival curves, for tests/statistics/survival: Kaplan-Meier with bands, quantiles and restricted
# means, log-rank tests. Small tables are made here, and go into the JSON with the answers; of the real ones (lung, gbsg2,
# rossi, larynx) only the answers do.
#
# From the repository's root:  python -m tests.reference.tables /some/folder
#                              Rscript tests/reference/survival_curves.R /some/folder
# Needs r-base-core, r-cran-survival, r-cran-jsonlite.

suppressPackageStartupMessages({ library(survival); library(jsonlite) })
folder <- commandArgs(TRUE)[1]
set.seed(1958)
read <- function(name) read.csv(file.path(folder, paste0(name, ".csv")))

made <- function(n, digits, censoring = 0.4, groups = 3) {
  group <- sample(seq_len(groups), n, TRUE)
  list(times = pmax(round(rexp(n, 0.2 + 0.1 * group), digits), 10^-digits), events = rbinom(n, 1, 1 - censoring),
       groups = group, strata = sample(1:2, n, TRUE), counts = sample(1:4, n, TRUE), weights = round(runif(n, 0.2, 3), 3))
}
plain <- function(times, events) {
  n <- length(times)
  list(times = times, events = events, groups = rep(1:2, length.out = n), strata = rep(1, n), counts = rep(2, n),
       weights = seq(0.5, by = 0.25, length.out = n))
}
tables <- list(
  ordinary = made(45, 4),
  heavy_ties = made(80, 0),
  many_censored = made(40, 1, 0.93),
  none_censored = made(30, 3, 0),
  none_censored_ties = made(40, 0, 0),
  all_censored = plain(c(1, 2, 2, 3), c(0, 0, 0, 0)),
  one_event = plain(2, 1),
  one_censored = plain(2, 0),
  same_time = plain(rep(3, 5), c(1, 1, 1, 1, 1)),
  same_time_mixed = plain(rep(3, 5), c(1, 0, 1, 0, 1)),
  last_censored = plain(c(1, 2, 3, 4, 5), c(1, 1, 0, 1, 0)),
  last_event = plain(c(1, 2, 3, 4, 5), c(0, 1, 0, 1, 1)),
  half_then_events = plain(c(1, 2, 3, 4), c(1, 1, 1, 1)),
  half_to_the_end = plain(c(1, 2, 3, 4), c(1, 1, 0, 0)),
  hidden_tie = plain(c(0.1 + 0.2, 0.3, 0.7, 1.1, 1.1), c(1, 0, 1, 1, 0))
)

probabilities <- c(0.1, 0.25, 0.5, 0.75, 0.9)
bands <- c("log-log", "log", "plain")

curve <- function(y, weights, confidence = 0.95, robust = NULL) {
  fit <- function(band) if (is.null(robust)) survfit(y ~ 1, weights = weights, conf.type = band, conf.int = confidence)
    else survfit(y ~ 1, weights = weights, conf.type = band, conf.int = confidence, robust = robust)
  one <- fit("plain")
  # summary takes the error of log survival to that of survival; Greenwood's is unknown at 0.
  written <- list(time = I(one$time), survival = I(one$surv), error = I(summary(one, censored = TRUE)$std.err),
    at_risk = I(one$n.risk), events = I(one$n.event), censored = I(one$n.censor))
  written$bands <- sapply(bands, simplify = FALSE, function(band) {
    one <- fit(band)
    q <- quantile(one, probabilities)
    list(low = I(one$lower), high = I(one$upper), quantiles = I(as.numeric(q$quantile)), quantiles_low = I(as.numeric(q$lower)),
         quantiles_high = I(as.numeric(q$upper)), printed_median = I(unname(summary(one)$table[7:9])))
  })
  written
}

# The horizon is the middle of the range; the table's columns are R's own, the jackknife's error integrates survfit's influence.
mean_of <- function(y, weights, horizon) {
  fit <- survfit(y ~ 1, weights = weights)
  found <- summary(fit, rmean = horizon)$table
  list(horizon = horizon, mean = found[["rmean"]], error = found[["se(rmean)"]])
}
jackknifed_mean <- function(y, weights, horizon) {
  fit <- survfit(y ~ 1, weights = weights, influence = 1)
  influence <- cbind(0, fit$influence.surv)
  width <- diff(c(0, pmin(fit$time, horizon), horizon))
  sqrt(sum((influence %*% width)^2))
}

contrast <- function(y, arm, horizon, confidence = 0.95) {
  found <- sapply(0:1, function(one) summary(survfit(y[arm == one] ~ 1), rmean = horizon)$table[c("rmean", "se(rmean)")])
  z <- qnorm((1 + confidence) / 2)
  difference <- found[1, 2] - found[1, 1]
  error <- sqrt(sum(found[2, ]^2))
  log_ratio <- log(found[1, 2] / found[1, 1])
  log_error <- sqrt(sum((found[2, ] / found[1, ])^2))
  list(horizon = horizon, means = found[1, ], difference = difference + c(-1, 0, 1) * z * error,
       difference_p = 2 * pnorm(-abs(difference) / error), ratio = exp(log_ratio + c(-1, 0, 1) * z * log_error),
       ratio_p = 2 * pnorm(-abs(log_ratio) / log_error))
}

ranks <- function(y, groups, strata, rho) {
  found <- if (is.null(strata)) survdiff(y ~ groups, rho = rho) else survdiff(y ~ groups + strata(strata), rho = rho)
  total <- function(x) if (is.matrix(x)) rowSums(x) else x
  observed <- total(found$obs)
  expected <- total(found$exp)
  score <- seq_along(observed) - 1
  list(rho = rho, observed = observed, expected = expected, statistic = found$chisq, p = found$pvalue,
       degrees = sum(expected > 0) - 1,
       trend = sum(score * (observed - expected)) / sqrt(as.numeric(score %*% found$var %*% score)))
}
tests <- function(y, groups, strata) {
  list(unstratified = lapply(c(0, 1, 0.5, -1), function(rho) ranks(y, groups, NULL, rho)),
       stratified = lapply(c(0, 1), function(rho) ranks(y, groups, strata, rho)),
       pairwise = apply(combn(sort(unique(groups)), 2), 2, function(pair) {
         kept <- groups %in% pair
         survdiff(y[kept] ~ groups[kept])$pvalue
       }))
}

# Weights: counts are survdiff's of every patient as often as counted; others the robust score of a Cox model (Breslow).
robust_score <- function(y, covariate, strata, weights) {
  model <- if (is.null(strata)) y ~ covariate else y ~ covariate + strata(strata)
  suppressWarnings(coxph(model, weights = weights, robust = TRUE, ties = "breslow")$rscore)
}
weighted_tests <- function(y, groups, strata, counts, weights) {
  rows <- rep(seq_along(groups), counts)
  list(counts = lapply(c(0, 1), function(rho) ranks(y[rows], groups[rows], NULL, rho)),
       counts_stratified = ranks(y[rows], groups[rows], strata[rows], 0),
       robust = robust_score(y, factor(groups), NULL, weights), robust_stratified = robust_score(y, factor(groups), strata, weights),
       robust_trend = robust_score(y, groups, NULL, weights), robust_trend_stratified = robust_score(y, groups, strata, weights))
}

answer <- function(table) with(table, {
  y <- Surv(times, events)
  written <- list(table = lapply(table, I),
    unweighted = curve(y, rep(1, length(times))), counts = curve(y, counts), weights = curve(y, weights))
  if (length(times) <= 30) written$unweighted_80 <- curve(y, rep(1, length(times)), 0.8)
  if (length(times) <= 30) written$robust <- curve(y, counts, robust = TRUE)
  horizon <- (min(times) + max(times)) / 2
  if (min(times) < max(times)) {
    written$means <- list(unweighted = mean_of(y, rep(1, length(times)), horizon), counts = mean_of(y, counts, horizon),
                          to_the_end = mean_of(y, rep(1, length(times)), max(times)))
    written$jackknifed <- list(horizon = horizon, error = jackknifed_mean(y, weights, horizon))
  }
  if (length(times) >= 30) written$tests <- tests(y, groups, strata)
  if (length(times) >= 30) written$weighted_tests <- weighted_tests(y, groups, strata, counts, weights)
  if (length(times) >= 30) written$contrast <- contrast(y, 1 * (groups > 1), min(tapply(times, groups > 1, max)))
  written
})
made_answers <- lapply(tables, answer)

# Late entry: what survfit makes of intervals (entry, time].
late <- made(35, 2)
late$entry <- round(late$times * ifelse(runif(35) < 0.5, 0, runif(35, 0, 0.7)), 2)
late_answer <- with(late, list(table = late, unweighted = curve(Surv(entry, times, events), rep(1, 35)),
                               weights = curve(Surv(entry, times, events), weights)))

# Patients with a time of 0, and bands that rise again (looked for, because few do).
from_nought <- list(
  nought_and_later = { table <- made(36, 0); table$times <- pmax(table$times - 1, 0); table },
  nought_few = plain(c(0, 0, 0, 1, 2, 3, 3, 5), c(1, 0, 1, 1, 0, 1, 0, 1)),
  nought_censored = plain(c(0, 0, 1, 2), c(0, 0, 1, 0)), nought_half = plain(c(0, 0, 1, 2), c(1, 1, 0, 0)),
  nought_only = plain(c(0, 0), c(1, 1)), nought_only_mixed = plain(c(0, 0, 0), c(1, 0, 0)))
rises <- function(table) any(sapply(bands, function(band) with(survfit(Surv(table$times, table$events) ~ 1, conf.type = band),
  any(diff(lower[!is.na(lower)]) > 1e-9, diff(upper[!is.na(upper)]) > 1e-9))))
few <- lapply(1:150, function(i) plain(sample(0:9, 9, TRUE), rbinom(9, 1, 0.8)))
rising <- Filter(rises, few)[1:3]
made_answers <- c(made_answers, lapply(from_nought, answer), lapply(setNames(rising, paste0("rising_", seq_along(rising))), answer))
at_nought <- lapply(from_nought, function(table) {
  found <- summary(survfit(Surv(table$times, table$events) ~ 1), times = c(0, max(table$times)))
  list(times = I(found$time), survival = I(found$surv), at_risk = I(found$n.risk), events = I(cumsum(found$n.event)))
})

on_grid <- function(y, groups, grid) lapply(split(seq_along(groups), groups), function(rows) {
  one <- survfit(y[rows] ~ 1, conf.type = "log-log")
  found <- summary(one, times = grid[grid <= max(one$time)])
  q <- quantile(one, probabilities)
  list(time = found$time, survival = found$surv, error = found$std.err, low = found$lower, high = found$upper,
       at_risk = found$n.risk, events = cumsum(found$n.event), censored = cumsum(found$n.censor),
       quantiles = as.numeric(q$quantile), quantiles_low = as.numeric(q$lower), quantiles_high = as.numeric(q$upper))
})
real <- function(times, events, groups, strata, grid, horizon) {
  y <- Surv(times, events)
  list(curves = on_grid(y, groups, grid), tests = tests(y, groups, strata),
       contrast = contrast(y, 1 * (groups > min(groups)), horizon))
}
lung <- read("lung"); gbsg2 <- read("gbsg2"); rossi <- read("rossi"); larynx <- read("larynx")
real_answers <- list(
  lung = with(lung, real(time, status, sex, 1 * (age > 60), c(30, 180, 365, 730, 900), 600)),
  gbsg2 = with(gbsg2, real(time, event, grade, hormones, c(365, 1095, 1825, 2500), 2000)),
  rossi = with(rossi, real(time, event, prio %/% 3, fin, c(10, 26, 52), 52)),
  larynx = with(larynx, real(time, event, 1 + Stage_II + 2 * Stage_III + 3 * Stage_IV, 1 * (age > 65), c(1, 2, 5, 7), 4))
)
# The score test of a Cox model is the log-rank test where no times are tied, and the trend's where the groups are numbers.
score <- with(tables$ordinary, list(
  groups = summary(coxph(Surv(times, events) ~ factor(groups)))$sctest[["test"]],
  trend = summary(coxph(Surv(times, events) ~ groups))$sctest[["test"]],
  distinct = !anyDuplicated(times)))

written <- list(
  versions = list(R = as.character(getRversion()), survival = as.character(packageVersion("survival")),
                  jsonlite = as.character(packageVersion("jsonlite"))),
  probabilities = probabilities, made = made_answers, at_nought = at_nought, late = late_answer, real = real_answers, score = score,
  holm = p.adjust(made_answers$ordinary$tests$pairwise, "holm"), fdr = p.adjust(made_answers$ordinary$tests$pairwise, "BH"),
  same = with(tables$hidden_tie, as.numeric(aeqSurv(Surv(times, events))[, 1])))
write_json(written, "tests/reference/survival_curves.json", digits = NA, auto_unbox = TRUE, na = "null", null = "null")
