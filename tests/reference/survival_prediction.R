# What R says about predictions of survival, for tests/statistics/survival: concordance (Harrell's and Uno's),
# time-dependent areas under the ROC curve, Brier scores, their integrals, differences of two models, calibration at a
# horizon, and optimism-corrected figures of a Cox model.
#
# From the repository's root:  python -m tests.reference.tables /some/folder
#                              Rscript tests/reference/survival_prediction.R /some/folder
# Needs r-base-core, r-cran-survival, r-cran-riskregression, r-cran-pec, r-cran-prodlim, r-cran-rms,
# r-cran-hmisc, r-cran-boot, r-cran-jsonlite. They are oracles for tests, never dependencies. Tables made here go into the JSON; of the real ones, only the answers do.

suppressPackageStartupMessages({ library(survival); library(riskRegression); library(pec); library(prodlim); library(rms); library(jsonlite) })
set.seed(2013)
folder <- commandArgs(TRUE)[1]
read <- function(name) read.csv(file.path(folder, paste0(name, ".csv")))

# Two linear predictors per table; the scale of survival, S(t) = exp(-t / scale * exp(predictor)).
real <- list(
  gbsg2 = with(read("gbsg2"), list(time = time, event = event, scale = 2500, horizons = c(365, 730.5, 1461, 2000),
    first = 0.25 * (grade - 2) + 0.05 * nodes - 0.002 * progesterone, second = 0.3 * (grade - 2) + 0.01 * size)),
  rossi = with(read("rossi"), list(time = time, event = event, scale = 200, horizons = c(13, 26, 51),
    first = -0.05 * (age - 25) + 0.09 * prio - 0.3 * fin, second = prio / 10)),
  lung = { d <- read("lung"); d <- d[!is.na(d$ecog), ]
    with(d, list(time = time, event = status, scale = 500, horizons = c(100, 365.25, 800),
    first = 0.02 * (age - 62) + 0.4 * ecog - 0.4, second = 0.5 * ecog)) },
  larynx = { d <- read("larynx"); d$stage <- 1 + d$Stage_II + 2 * d$Stage_III + 3 * d$Stage_IV
    with(d, list(time = time, event = event, scale = 12, horizons = c(1, 4, 7.5),
    first = 0.4 * (stage - 1) + 0.02 * (age - 65), second = 0.5 * (stage - 1))) })

# Rounded, so that two patients have equal risks here exactly where they have them there.
real <- lapply(real, function(t) { t$first <- round(t$first, 6); t$second <- round(t$second, 6); t })

made <- function(n, digits, censoring, strength = 1, rounding = 6) {
  x <- rnorm(n); noise <- rnorm(n)
  event_time <- rexp(n) * exp(-strength * x); lost <- rexp(n) / censoring
  list(time = pmax(round(pmin(event_time, lost), digits), 10^-digits), event = 1 * (event_time <= lost), scale = 1,
       first = round(x, rounding), second = round(0.5 * x + noise, rounding),
       weights = sample(c(0.5, 1, 2, 3.25), n, replace = TRUE), strata = sample(1:3, n, replace = TRUE),
       clusters = sample(seq_len(max(2, n %/% 3)), n, replace = TRUE))
}
small <- list(
  ordinary = c(made(120, 6, 0.6), list(horizons = c(0.1, 0.5, 1.2))),
  tied_times = c(made(80, 1, 0.7), list(horizons = c(0.1, 0.5, 1))),
  tied_risks = c(made(80, 6, 0.7, rounding = 0), list(horizons = c(0.2, 0.8))),
  tied_both = c(made(100, 1, 0.7, rounding = 0), list(horizons = c(0.2, 0.5, 1))),
  hardly_censored = c(made(60, 6, 0.05), list(horizons = c(0.3, 1))),
  mostly_censored = c(made(150, 6, 8), list(horizons = c(0.05, 0.15))),
  worse_than_chance = c(made(60, 3, 0.5, strength = -1), list(horizons = c(0.5, 1))),
  tiny = list(time = c(1, 2, 2, 3, 4, 5), event = c(1, 1, 0, 0, 1, 0), scale = 4, horizons = c(2, 3.5),
    first = c(0.5, 1, 0.25, -1, 0.75, 0.1), second = c(1, 0.5, -0.5, 0, 0.5, 0.2), weights = c(1, 2, 1, 0.5, 1, 3),
    strata = c(1, 1, 1, 2, 2, 2), clusters = c(1, 2, 3, 3, 2, 1)),
  perfect = list(time = c(1, 2, 3, 4, 5, 6), event = c(1, 0, 1, 1, 0, 1), scale = 5, horizons = c(2.5, 4.5),
    first = c(6, 5, 4, 3, 2, 1) / 4, second = c(5, 6, 4, 3, 2, 1) / 4, weights = c(1, 1, 2, 1, 1, 0.5),
    strata = c(1, 2, 1, 2, 1, 2), clusters = 1:6),
  constant = list(time = c(1, 2, 3, 4, 5, 6), event = c(1, 0, 1, 1, 0, 1), scale = 5, horizons = c(2.5, 4.5),
    first = rep(0.5, 6), second = c(5, 6, 4, 3, 2, 1) / 4, weights = c(1, 1, 2, 1, 1, 0.5),
    strata = c(1, 2, 1, 2, 1, 2), clusters = 1:6))

# A few were seen once: with the event, or censored, at time 0.
small$times_of_zero <- local({ t <- small$tied_times; t$time[c(1:4, 11, 12)] <- 0; t$event[1:4] <- c(1, 0, 1, 0); t })

agreement <- function(fit) list(value = unname(coef(fit)), error = unname(sqrt(diag(as.matrix(vcov(fit))))), count = unname(fit$count))

one <- function(t, ...) agreement(concordance(Surv(time, event) ~ first, data = t, reverse = TRUE, ...))

# As concordance(fit1, fit2) does for two models: the covariance from the influences.
both <- function(t, ...) {
  fits <- list(concordance(Surv(time, event) ~ first, data = t, reverse = TRUE, influence = 1, ...),
               concordance(Surv(time, event) ~ second, data = t, reverse = TRUE, influence = 1, ...))
  list(values = sapply(fits, function(fit) unname(fit$concordance)),
       covariance = crossprod(sapply(fits, function(fit) fit$dfbeta)))
}

# R's weights argument is evaluated in the data, and may not be given as NULL.
concordances <- function(t) {
  t <- as.data.frame(t[c("time", "event", "first", "second", intersect(c("weights", "strata", "clusters"), names(t)))])
  tau <- unname(quantile(t$time, 0.7))
  answer <- list(harrell = one(t), tau = tau, uno = one(t, timewt = "n/G2"), uno_tau = one(t, timewt = "n/G2", ymax = tau),
    both = both(t), both_uno = both(t, timewt = "n/G2", ymax = tau))
  if (!is.null(t$weights)) {
    answer$weighted <- agreement(concordance(Surv(time, event) ~ first, data = t, weights = weights, reverse = TRUE))
    answer$weighted_uno <- agreement(concordance(Surv(time, event) ~ first, data = t, weights = weights, reverse = TRUE, timewt = "n/G2"))
    answer$whole <- agreement(concordance(Surv(time, event) ~ first, data = t, weights = ceiling(weights), reverse = TRUE))
    answer$clustered <- agreement(concordance(Surv(time, event) ~ first, data = t, cluster = clusters, weights = weights, reverse = TRUE))
    stratified <- concordance(Surv(time, event) ~ first + strata(strata), data = t, reverse = TRUE)
    answer$stratified <- list(value = unname(stratified$concordance), error = sqrt(stratified$var),
      count = unname(colSums(matrix(stratified$count, ncol = 5))))
  }
  answer
}

censoring <- function(t) {
  data <- as.data.frame(t[c("time", "event")])
  data <- data[order(data$time, -data$event), ]
  weights <- pec::ipcw(Surv(time, event) ~ 1, data = data, method = "marginal", times = t$horizons, subjectTimes = data$time,
                       what = c("IPCW.times", "IPCW.subjectTimes"))
  fit <- prodlim(Hist(time, event) ~ 1, data = as.data.frame(t[c("time", "event")]), reverse = TRUE)
  list(before = predictSurvIndividual(fit, lag = 1), after = predict(fit, times = t$horizons),
       ipcw_before = weights$IPCW.subjectTimes, ipcw_after = as.vector(weights$IPCW.times))
}

risks <- function(predictor, t) sapply(t$horizons, function(h) 1 - exp(-h / t$scale * exp(predictor)))

columns <- function(table, names) lapply(split(as.data.frame(table)[names], as.character(table$model)), as.list)

scores <- function(t, formula = Surv(time, event) ~ 1, conservative = FALSE, ...) {
  data <- as.data.frame(t[intersect(c("time", "event", "cause"), names(t))])
  found <- Score(list(first = risks(t$first, t), second = risks(t$second, t)), formula = formula, data = data,
                 times = t$horizons, metrics = c("auc", "brier"), summary = c("ibs", "ipa"), cens.model = "km",
                 conf.int = 0.95, conservative = conservative, contrasts = list(c(2, 1), c(0, 1)), ...)
  between <- as.data.frame(found$Brier$contrasts)
  auc_between <- as.data.frame(found$AUC$contrasts)
  kept <- function(d, name) as.list(d[d$model == "first" & d$reference == "second", c(name, "se", "lower", "upper", "p")])
  null <- as.data.frame(found$Brier$score)
  # IPA = 1 - B / B0, by the delta method from the errors of B, B0 and B - B0.
  first <- null[null$model == "first", ]; none <- null[null$model == "Null model", ]
  difference <- between[between$model == "first" & between$reference == "Null model", ]
  covariance <- (first$se^2 + none$se^2 - difference$se^2) / 2
  ratio <- first$Brier / none$Brier
  list(auc = columns(found$AUC$score, c("AUC", "se", "lower", "upper")),
       brier = columns(found$Brier$score, c("Brier", "se", "lower", "upper", "IBS", "IPA")),
       auc_difference = kept(auc_between, "delta.AUC"), brier_difference = kept(between, "delta.Brier"),
       ipa_error = sqrt(first$se^2 + ratio^2 * none$se^2 - 2 * ratio * covariance) / none$Brier)
}

roc <- function(t) {
  data <- as.data.frame(t[c("time", "event")])
  found <- Score(list(first = risks(t$first, t)), formula = Surv(time, event) ~ 1, data = data, times = t$horizons,
                 metrics = "auc", plots = "ROC", cens.model = "km", conf.int = FALSE, null.model = FALSE)
  frame <- as.data.frame(found$ROC$plotframe)
  lapply(split(frame[c("TPR", "FPR")], frame$times), as.list)
}

# The curve of prediction errors at every time, and its integral.
curve <- function(t) {
  data <- as.data.frame(t[c("time", "event")])
  times <- sort(unique(c(0, data$time[data$time <= max(t$horizons)])))
  survival <- sapply(times, function(h) exp(-h / t$scale * exp(t$first)))
  found <- suppressWarnings(pec(list(first = survival), Surv(time, event) ~ 1, data = data, times = times, exact = FALSE,
               cens.model = "marginal", reference = TRUE, verbose = FALSE))
  list(integrated = unname(as.matrix(pec::crps(found, times = max(times)))["first", ]), reference = unname(as.matrix(pec::crps(found, times = max(times)))["Reference", ]),
       last = found$AppErr$first[length(times)])
}

# Coefficients to the last digit, as those of coxph with its defaults are good to five or so.
exact <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 50)

# Of the predictions at one horizon. The curve is of coxph and survfit, with Hmisc's spline.
calibration <- function(t, h, groups) {
  d <- data.frame(time = t$time, event = t$event, survival = exp(-h / t$scale * exp(t$first)))
  d$hazard <- log(-log(d$survival))
  km <- summary(survfit(Surv(time, event) ~ 1, data = d), times = h)
  ratio <- (1 - km$surv) / mean(1 - d$survival)
  error <- km$std.err / (1 - km$surv)
  slope <- coxph(Surv(time, event) ~ hazard, data = d, control = exact)
  large <- survfit(coxph(Surv(time, event) ~ offset(hazard), data = d, ties = "breslow"), newdata = data.frame(hazard = 0))
  last <- max(which(large$time <= h))
  spline <- rcspline.eval(d$hazard, nk = 3, inclx = TRUE)
  smooth <- coxph(Surv(d$time, d$event) ~ spline, control = exact)
  at <- unname(quantile(1 - d$survival, c(0.05, 0.3, 0.5, 0.8, 0.95)))
  observed <- function(hazard) {
    x <- rcspline.eval(hazard, knots = attr(spline, "knots"), inclx = TRUE)
    base <- survfit(smooth, newdata = list(spline = spline[1, , drop = FALSE]), se.fit = FALSE)
    one <- summary(base, times = h)$surv
    1 - one^exp((x - matrix(spline[1, ], nrow(x), 2, byrow = TRUE)) %*% coef(smooth))[, 1]
  }
  off <- abs(observed(d$hazard) - (1 - d$survival))
  cuts <- quantile(d$survival, seq_len(groups - 1) / groups)
  d$group <- findInterval(d$survival, cuts, left.open = TRUE)
  by_group <- lapply(split(d, d$group), function(g) {
    fit <- survfit(Surv(time, event) ~ 1, data = g, conf.type = "log-log")
    km <- summary(fit, times = h, extend = TRUE)
    if (max(g$time) < h && min(fit$surv) > 0) km <- list(surv = NA, lower = NA, upper = NA)
    list(predicted = mean(g$survival), observed = km$surv, low = km$lower, high = km$upper, n = nrow(g))
  })
  list(horizon = h, ratio = ratio, ratio_low = ratio * exp(-qnorm(0.975) * error), ratio_high = ratio * exp(qnorm(0.975) * error),
       slope = unname(coef(slope)), slope_interval = unname(confint(slope)[1, ]),
       large = log(large$cumhaz[last]), large_error = large$std.chaz[last] / large$cumhaz[last],
       at = at, observed = observed(log(-log(1 - at))), ici = mean(off), e50 = median(off), e90 = unname(quantile(off, 0.9)), emax = max(off),
       groups = unname(by_group))
}

# The same where rows have weights or come in clusters: survfit's and coxph's own variance, or their robust one.
weighted_calibration <- function(t, h) {
  d <- data.frame(time = t$time, event = t$event, survival = exp(-h / t$scale * exp(t$first)), fractions = t$weights,
                  counts = ceiling(t$weights), clusters = t$clusters)
  d$hazard <- log(-log(d$survival))
  ratio <- function(fit, w) {
    km <- summary(fit, times = h)
    value <- (1 - km$surv) / weighted.mean(1 - d$survival, w)
    c(value, value * km$std.err / (1 - km$surv))
  }
  slope <- function(fit) c(unname(coef(fit)), sqrt(vcov(fit)[1, 1]))
  one <- rep(1, nrow(d))
  large <- survfit(coxph(Surv(time, event) ~ offset(hazard), data = d, weights = counts, ties = "breslow"), newdata = data.frame(hazard = 0))
  last <- max(which(large$time <= h))
  spline <- rcspline.eval(d$hazard, nk = 3, inclx = TRUE)
  curve <- function(w) {
    smooth <- coxph(Surv(d$time, d$event) ~ spline, weights = w, control = exact)
    base <- summary(survfit(smooth, newdata = list(spline = spline[1, , drop = FALSE]), se.fit = FALSE), times = h)$surv
    off <- abs(1 - base^exp((spline - matrix(spline[1, ], nrow(spline), 2, byrow = TRUE)) %*% coef(smooth))[, 1] - (1 - d$survival))
    c(weighted.mean(off, w), wtd.quantile(off, w, c(0.5, 0.9, 1), normwt = any(w %% 1 > 0)))
  }
  list(horizon = h,
    ratio = list(counts = ratio(survfit(Surv(time, event) ~ 1, data = d, weights = counts), d$counts),
      fractions = ratio(survfit(Surv(time, event) ~ 1, data = d, weights = fractions), d$fractions),
      clusters = ratio(survfit(Surv(time, event) ~ 1, data = d, cluster = clusters), one),
      both = ratio(survfit(Surv(time, event) ~ 1, data = d, weights = counts, cluster = clusters), d$counts)),
    slope = list(counts = slope(coxph(Surv(time, event) ~ hazard, data = d, weights = counts, control = exact)),
      fractions = slope(coxph(Surv(time, event) ~ hazard, data = d, weights = fractions, control = exact)),
      clusters = slope(coxph(Surv(time, event) ~ hazard, data = d, cluster = clusters, control = exact)),
      both = slope(coxph(Surv(time, event) ~ hazard, data = d, weights = counts, cluster = clusters, control = exact))),
    large = c(log(large$cumhaz[last]), large$std.chaz[last] / large$cumhaz[last]),
    curve = list(counts = unname(curve(d$counts)), fractions = unname(curve(d$fractions))))
}

# Who is still followed at the horizon is censored there, so that nothing after it is looked at.
to_horizon <- function(t, h) { t$event <- t$event * (t$time <= h); t$time <- pmin(t$time, h); t }

calibrations <- function(t, h, groups) {
  early <- calibration(to_horizon(t, h), h, groups)
  c(calibration(t, h, groups),
    list(to_horizon = early[c("slope", "slope_interval", "observed", "ici", "e50", "e90", "emax")]))
}

weighted_calibrations <- function(t, h)
  c(weighted_calibration(t, h), list(to_horizon = weighted_calibration(to_horizon(t, h), h)[c("slope", "curve")]))

# ICI, E50 and E90 in patients drawn with all of their rows, and boot's percentile interval of each.
bootstrapped <- local({
  t <- small$ordinary; h <- 0.5; set.seed(7)
  patients <- sort(unique(t$clusters)); B <- 60
  counts <- t(sapply(seq_len(B), function(i) tabulate(sample(length(patients), replace = TRUE), length(patients))))
  ends <- function(t) {
    errors <- apply(counts, 1, function(count) {
      rows <- rep(seq_along(t$time), count[match(t$clusters, patients)])
      d <- list(time = t$time[rows], event = t$event[rows], scale = t$scale, first = t$first[rows])
      unlist(calibration(d, h, 2)[c("ici", "e50", "e90")])
    })
    t(apply(errors, 1, function(x) boot:::perc.ci(x, conf = 0.9)[4:5]))
  }
  list(horizon = h, counts = counts, ends = ends(t), to_horizon = ends(to_horizon(t, h)))
})

# rms::validate, on resamples that the same seed draws again here; its fits iterated to the end.
corrected <- local({
  original <- rms::coxphFit
  patched <- function(..., eps, toler.chol = 0, iter.max)
    original(..., eps = 1e-13, toler.chol = 1e-14, iter.max = if (iter.max == 0) 0 else 50)
  environment(patched) <- list2env(list(original = original), parent = asNamespace("rms"))
  for (place in list(asNamespace("rms"), as.environment("package:rms"))) {
    unlockBinding("coxphFit", place); assign("coxphFit", patched, place); lockBinding("coxphFit", place)
  }
  d <- read("gbsg2")[1:200, ]; seed <- 11; B <- 12
  one <- function(ties) {
    fit <- cph(Surv(time, event) ~ age + nodes + grade, data = d, x = TRUE, y = TRUE, method = ties, eps = 1e-13, tol = 1e-14)
    set.seed(seed)
    found <- unclass(rms::validate(fit, B = B))
    list(names = rownames(found), figures = unname(matrix(as.numeric(found), nrow(found))), columns = colnames(found))
  }
  answer <- list(efron = one("efron"), breslow = one("breslow"))
  set.seed(seed)
  c(answer, list(rows = 200, drawn = t(sapply(seq_len(B), function(i) sample(200, replace = TRUE) - 1))))
})

everything <- function(t, table) {
  answer <- list(horizons = t$horizons, scale = t$scale, concordance = concordances(t),
                 scores = scores(t), conservative = scores(t, conservative = TRUE)[c("auc", "brier")], curve = curve(t))
  if (table) answer <- c(answer, list(table = t, censoring = censoring(t), roc = roc(t)))
  answer
}

competing <- local({
  n <- 90; x <- rnorm(n)
  causes <- cbind(rexp(n) * exp(-x), rexp(n) / 0.7, rexp(n) / 0.4)
  t <- list(time = pmax(0.05, round(apply(causes, 1, min) / 0.05) * 0.05), cause = c(1, 2, 0)[apply(causes, 1, which.min)],
            scale = 2, first = round(x, 4), second = round(rnorm(n) + x / 2, 1), horizons = c(0.2, 0.5, 1))
  c(scores(t, formula = Hist(time, cause) ~ 1, cause = 1), list(table = t))
})

written <- list(
  versions = c(list(R = as.character(getRversion())),
    sapply(c("survival", "riskRegression", "pec", "prodlim", "rms", "Hmisc", "boot", "jsonlite"), function(p) as.character(packageVersion(p)), simplify = FALSE)),
  real = lapply(real, everything, table = FALSE),
  small = lapply(small, everything, table = TRUE),
  competing = competing,
  calibration = list(gbsg2 = calibrations(real$gbsg2, 1461, 5), lung = calibrations(real$lung, 365.25, 3),
    larynx = calibrations(real$larynx, 4, 3), ordinary = calibrations(small$ordinary, 0.5, 4),
    tied_times = calibrations(small$tied_times, 0.5, 4), times_of_zero = calibrations(small$times_of_zero, 0.5, 4)),
  weighted_calibration = lapply(small[c("ordinary", "tied_times", "times_of_zero")], weighted_calibrations, h = 0.5),
  bootstrapped = bootstrapped,
  validation = corrected)
write_json(written, "tests/reference/survival_prediction.json", digits = NA, auto_unbox = TRUE, na = "null", null = "null")
