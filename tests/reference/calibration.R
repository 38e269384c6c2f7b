# What R says about calibration, for tests/statistics/calibration: rms::val.prob, glm with an offset, loess and lowess,
# riskRegression::Score, rms::validate and rms::calibrate on bootstrap indices that are exported here (of rows, or of
# clusters), percentile ends as in boot, epitools' interval of a weighted sum of counts.
# Real tables are read from the folder that is given, and stay out of the JSON; small ones are made here.
#
# From the repository's root:  python -m tests.reference.tables /some/folder
#                              Rscript tests/reference/calibration.R /some/folder
# Needs r-base-core, r-recommended (boot), r-cran-rms, r-cran-hmisc, r-cran-riskregression, r-cran-epitools,
# r-cran-sandwich, r-cran-jsonlite. GPL: oracles for tests, never dependencies.

suppressPackageStartupMessages({ library(rms); library(riskRegression); library(jsonlite) })
folder <- commandArgs(TRUE)[1]
set.seed(2019)

# rms stops when the deviance falls by less than 0.025 and glm at 1e-8; both go on here, so that 1e-6 can be compared.
tight <- rms::lrm.fit
formals(tight)$eps <- 1e-10
assignInNamespace("lrm.fit", tight, "rms")
control <- glm.control(epsilon = 1e-15, maxit = 100)

# Outcomes whose log odds are a + b times those predicted, which are rounded so that JSON holds them exactly.
made <- function(n, mean, spread, a, b, digits) {
  p <- pmin(pmax(round(plogis(rnorm(n, mean, spread)), digits), 10^-digits), 1 - 10^-digits)
  list(p = p, y = rbinom(n, 1, plogis(a + b * qlogis(p))))
}
tables <- list(
  ordinary = made(200, -0.5, 1, 0.3, 0.7, 5), overfitted = made(150, 0, 2.5, -0.4, 0.4, 6),
  ties = made(300, 0, 1.2, 0, 1, 2), rare = made(1200, -4, 1, 0.2, 1.1, 6), common = made(400, 2.5, 1, 0, 1, 5),
  small = made(40, 0, 1, 0, 1, 4), tiny = list(p = c(0.2, 0.3, 0.4, 0.6, 0.5, 0.9), y = c(0, 0, 1, 0, 1, 1)))

# `vcov_of`: whose covariance, the model's or a robust one.
weak <- function(y, p, w = rep(1, length(y)), vcov_of = vcov) {
  l <- qlogis(p)
  large <- suppressWarnings(glm(y ~ 1, offset = l, family = binomial, weights = w, control = control))
  line <- suppressWarnings(glm(y ~ l, family = binomial, weights = w, control = control))
  ends <- function(f, level) coef(f) + outer(sqrt(diag(vcov_of(f))), qnorm((1 + c(-level, level)) / 2))
  off <- coef(line) - 0:1
  list(large = unname(c(coef(large), ends(large, 0.9))), line = unname(cbind(coef(line), ends(line, 0.95))),
       joint = drop(off %*% solve(vcov_of(line)) %*% off),
       updated = unname(head(fitted(line), 5)), updated_intercept = unname(head(fitted(large), 5)))
}

curves <- function(y, p) {
  if (length(y) < 20) return(NULL)
  at <- seq(min(p), max(p), length = 9)
  exact <- loess(y ~ p, statistics = "exact")
  told <- predict(exact, data.frame(p = at), se = TRUE)
  half <- qt(0.975, told$df) * told$se.fit
  # The factors of the curve, a patient at a time, for a band with binomial variances.
  n <- length(y)
  factors <- if (n <= 200) sapply(1:n, function(i) { e <- as.numeric(1:n == i); predict(loess(e ~ p), data.frame(p = at)) })
  inside <- pmin(pmax(fitted(exact), 0), 1)
  off <- abs(fitted(loess(y ~ p)) - p)
  l <- qlogis(p); knots <- rcspline.eval(l, nk = 4, knots.only = TRUE)
  spline <- function(x) rcspline.eval(x, knots = knots, inclx = TRUE)
  columns <- spline(l); smooth <- glm(y ~ columns, family = binomial, control = control)
  rows <- cbind(1, spline(qlogis(at))); eta <- rows %*% coef(smooth); error <- sqrt(diag(rows %*% vcov(smooth) %*% t(rows)))
  off_spline <- abs(fitted(smooth) - p); off_lowess <- abs(approx(lowess(p, y, iter = 0), xout = p, ties = mean)$y - p)
  four <- function(x) c(mean(x), unname(quantile(x, c(0.5, 0.9))), max(x))
  list(at = at, fit = unname(told$fit), gaussian = unname(cbind(told$fit - half, told$fit + half)),
       degrees = c(exact$trace.hat, exact$one.delta, exact$two.delta, told$df),
       binomial_error = if (n <= 200) sqrt(drop(factors^2 %*% (inside * (1 - inside)))),
       line = unname(predict(loess(y ~ p, span = 0.6, degree = 1), data.frame(p = at))),
       spline = unname(cbind(plogis(eta), plogis(eta - qnorm(0.975) * error), plogis(eta + qnorm(0.975) * error))),
       errors_loess = four(off), errors_spline = four(off_spline), errors_lowess = four(off_lowess),
       lowess = unname(lowess(p, y, iter = 0)$y[round(seq(1, n, length = 15))]),
       lowess_all = unname(lowess(p, y, iter = 0, f = 0.4, delta = 0)$y[round(seq(1, n, length = 15))]))
}

answer <- function(table) with(table, {
  told <- suppressWarnings(val.prob(p, y, pl = FALSE))
  scored <- Score(list(model = p), formula = y ~ 1, data = data.frame(y), metrics = "brier", summary = "ipa", conf.int = TRUE)
  score <- scored$Brier$score[scored$Brier$score$model == "model"]
  poisson <- poisson.test(sum(y), T = sum(p))
  list(table = table, weak = weak(y, p),
       val_prob = as.list(told[c("U:Chi-sq", "U:p", "Brier", "Intercept", "Slope", "Emax", "E90", "Eavg", "S:z", "S:p")]),
       brier = c(score$Brier, score$lower, score$upper), ipa = score$IPA,
       observed_expected = c(unname(poisson$estimate), poisson$conf.int),
       curves = curves(y, p))
})

# validate and calibrate, and what they drew: predab.resample only calls sample(n, replace = TRUE), B times.
drawn <- function(seed, n, B) { set.seed(seed); lapply(1:B, function(i) sample(n, replace = TRUE)) }
matrix_of <- function(x) { x <- unclass(x); attributes(x) <- attributes(x)["dim"]; x }
ends <- function(x, level = 0.9) boot:::norm.inter(x, c((1 - level) / 2, (1 + level) / 2))[, 2]
validated <- function(formula, data, B, seed, cluster = NULL) {
  f <- lrm(formula, data = data, x = TRUE, y = TRUE, eps = 1e-10)
  n <- nrow(data)
  units <- if (is.null(cluster)) split(1:n, 1:n) else split(1:n, cluster)
  picked <- drawn(seed, length(units), B)
  resampled <- function(what) if (is.null(cluster)) what(f, B = B) else what(f, B = B, cluster = cluster)
  set.seed(seed); figures <- resampled(rms::validate)
  # The replay is right if the mean Brier score in the rows drawn is the one that rms reports.
  y <- f$y; x <- f$x
  training <- sapply(picked, function(p) {
    r <- unlist(units[p]); risk <- fitted(glm(y[r] ~ x[r, ], family = binomial, control = control))
    c(B = mean((risk - y[r])^2), Dxy = unname(somers2(risk, y[r])["Dxy"]))
  })
  stopifnot(abs(mean(training["B", ]) - figures["B", "training"]) < 1e-8)
  set.seed(seed); curve <- resampled(rms::calibrate)
  # Where the corrected curve is off, as plot.calibrate tells it.
  known <- !is.na(curve[, "predy"] + curve[, "calibrated.corrected"])
  off <- attr(curve, "predicted") - approx(curve[known, "predy"], curve[known, "calibrated.corrected"], xout = attr(curve, "predicted"), ties = mean)$y
  off <- abs(off[!is.na(off)])
  list(drawn = picked, names = rownames(figures), validate = matrix_of(figures),
       ends = rbind(ends(training["B", ]) - figures["B", "optimism"], ends(training["Dxy", ]) - figures["Dxy", "optimism"]),
       efron = if (is.null(cluster)) { set.seed(seed); matrix_of(rms::validate(f, B = B, method = ".632")) },
       calibrate = matrix_of(curve)[, 1:3], counted = matrix_of(curve)[, ncol(curve)],
       errors = c(mean(off), mean(off^2), unname(quantile(off, 0.9))))
}
lung <- na.omit(read.csv(file.path(folder, "lung.csv"))); lung$died <- as.integer(lung$status == max(lung$status))
noise <- list(x = matrix(round(rnorm(60 * 4), 3), 60)); noise$y <- rbinom(60, 1, plogis(noise$x[, 1]))

named <- setNames(data.frame(noise$x, y = noise$y), c("x1", "x2", "x3", "x4", "y"))
images <- rep(1:25, c(rep(2, 20), rep(4, 5)))  # rows of 25 patients, two or four each

weighted <- c(made(60, 0, 1, 0.2, 0.8, 4), list(w = sample(c(0.5, 1, 2, 3), 60, TRUE)))
weighing <- function(y, p, w, vcov_of = sandwich::sandwich) {
  n <- length(y); at <- seq(min(p), max(p), length = 9)
  overall <- val.prob(p, y, group = TRUE, weights = w)$stats["Overall", ]
  gamma <- epitools::ageadjust.direct(y, pop = rep(1, n), stdpop = w)[c("adj.rate", "lci", "uci")]
  smooth <- loess(y ~ p, weights = w, statistics = "exact"); told <- predict(smooth, data.frame(p = at), se = TRUE)
  half <- qt(0.975, told$df) * told$se.fit
  l <- qlogis(p); knots <- rcspline.eval(l, nk = 4, knots.only = TRUE)
  columns <- rcspline.eval(l, knots = knots, inclx = TRUE)
  line <- suppressWarnings(glm(y ~ columns, family = binomial, weights = w, control = control))
  rows <- cbind(1, rcspline.eval(qlogis(at), knots = knots, inclx = TRUE)); eta <- drop(rows %*% coef(line))
  error <- sqrt(diag(rows %*% vcov_of(line) %*% t(rows)))
  list(at = at, brier = overall[["B"]], spiegelhalter = overall[["B ChiSq"]], prevalence = overall[["Obs"]],
       predicted = overall[["Pavg"]], ratio = unname(gamma) * sum(w) / sum(w * p),
       loess = unname(cbind(told$fit, told$fit - half, told$fit + half)),
       spline = unname(plogis(cbind(eta, eta - qnorm(0.975) * error, eta + qnorm(0.975) * error))))
}
# Pairs of rows are a cluster; a cluster counts as one event, of the weight of its rows that had it.
clustered <- function(y, p) {
  of <- rep(seq_len(length(y) / 2), each = 2); sums <- tapply(y, of, sum); weight <- ifelse(sums > 0, sums, 2)
  by <- function(f) sandwich::vcovCL(f, of, type = "HC0", cadjust = FALSE)
  gamma <- epitools::ageadjust.direct(1 * (sums > 0), pop = rep(1, length(sums)), stdpop = weight)[c("adj.rate", "lci", "uci")]
  c(weak(y, p, vcov_of = by), weighing(y, p, rep(1, length(y)), by)[c("at", "spline")],
    list(ratio = unname(gamma) * sum(weight) / sum(p), clusters = of))
}
packages <- c("rms", "sandwich", "Hmisc", "riskRegression", "boot", "epitools", "jsonlite")
written <- list(
  versions = c(list(R = as.character(getRversion())),
               setNames(lapply(packages, function(p) as.character(packageVersion(p))), packages)),
  tables = lapply(tables, answer),
  weighted = c(with(weighted, weak(y, p, w, sandwich::sandwich)), with(weighted, weighing(y, p, w)), list(table = weighted)),
  counted = with(weighted, c(weighing(y, p, ceiling(w))[c("brier", "spiegelhalter")],
                             list(ratio = with(poisson.test(sum(ceiling(w) * y), T = sum(ceiling(w) * p)), unname(c(estimate, conf.int)))))),
  clustered = lapply(tables[c("ordinary", "small")], function(t) clustered(t$y, t$p)),
  lung = validated(died ~ age + sex + ecog + loss, lung, 40, 1996),
  noise = c(validated(y ~ x1 + x2 + x3 + x4, named, 60, 7), list(table = noise)),
  images = c(validated(y ~ x1 + x2 + x3 + x4, named, 50, 8, cluster = images), list(patients = images)))
write_json(written, "tests/reference/calibration.json", digits = NA, auto_unbox = TRUE, na = "null", null = "null")
