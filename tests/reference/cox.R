# What R says about Cox models, for tests/statistics/regression: coefficients, covariances (robust too), tests,
# predicted risk and survival, residuals, and the tests of proportional hazards. On real tables (given as a folder of
# CSV; their rows stay out of the JSON) and on small ones made here, which go into it.
#
# From the repository's root:  python -m tests.reference.tables /some/folder
#                              Rscript tests/reference/cox.R /some/folder
# Needs r-base-core, r-cran-survival, r-cran-jsonlite. survival is LGPL: an oracle for tests, never a dependency.

suppressPackageStartupMessages({ library(survival); library(jsonlite) })
folder <- commandArgs(TRUE)[1]
read <- function(name) read.csv(file.path(folder, paste0(name, ".csv")))
set.seed(1972)
# R stops when the likelihood gains less than 1e-9 of itself; we compare beyond that.
control <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 60)

# Values are rounded, so that JSON holds them exactly.
made <- function(n, digits, weights = c("none", "whole", "fractions"), late = FALSE, strata = 1, clusters = 0) {
  weights <- match.arg(weights)
  x <- cbind(dose = round(rnorm(n), 3), arm = rbinom(n, 1, 0.4), size = round(rexp(n), 3))
  died <- rexp(n, exp(0.5 * x[, 1] - 0.7 * x[, 2] + 0.2 * x[, 3]))
  left <- rexp(n, 0.4)
  time <- round(pmin(died, left), digits) + 10^-digits
  t <- list(time = time, event = as.integer(died <= left), dose = x[, 1], arm = x[, 2], size = x[, 3])
  if (weights == "whole") t$weight <- as.numeric(sample(1:4, n, TRUE))
  if (weights == "fractions") t$weight <- round(runif(n, 0.2, 3), 3)
  if (late) t$entry <- round(time * rbeta(n, 0.5, 2) / 2 * rbinom(n, 1, 0.6), digits + 1)
  if (strata > 1) t$stratum <- sample(letters[1:strata], n, TRUE)
  if (clusters) t$cluster <- sample(clusters, n, TRUE)
  as.data.frame(t)
}

tables <- list(
  untied = made(60, 4),
  heavy_ties = made(80, 0),
  weighted = made(70, 1, "whole"),
  fractions = made(70, 1, "fractions"),
  stratified = made(90, 1, strata = 3),
  late = made(80, 1, late = TRUE),
  clustered = made(80, 1, clusters = 25),
  everything = made(120, 1, "fractions", late = TRUE, strata = 3, clusters = 40),
  constant_in_stratum = { t <- made(60, 1, strata = 2); t$arm[t$stratum == "b"] <- 1; t },
  tiny = data.frame(time = c(2, 2, 3, 4, 4, 6, 7), event = c(1, 1, 0, 1, 1, 0, 1), dose = c(1, -1, 0.5, 2, 0, 1, -2)),
  one_event = data.frame(time = c(1, 2, 3, 4), event = c(0, 1, 0, 0), dose = c(1, 2, 3, 1)))

# Times that are tied but for rounding: 3 * 0.1 is not 3 / 10. JSON would round them, so tests make them of whole
# numbers again. Some patients enter at such a time of another.
hidden <- function(n, late) {
  t <- made(n, 0)
  t$tenths <- sample(3:12, n, TRUE)
  t$multiplied <- rbinom(n, 1, 0.5)
  t$time <- ifelse(t$multiplied == 1, t$tenths * 0.1, t$tenths / 10)
  if (late) {
    t$entry_tenths <- floor(t$tenths * runif(n))
    t$entry <- ifelse(t$multiplied == 1, t$entry_tenths / 10, t$entry_tenths * 0.1)
  }
  t
}
tables$hidden_ties <- hidden(40, FALSE)
tables$hidden_late <- hidden(60, TRUE)

# Patients who were seen once: events and censorings at time 0, which with late entry need an entry before it.
zero <- function(t) { t$time[t$time <= quantile(t$time, 0.3)] <- 0; t }
tables$at_zero <- zero(made(50, 1))
tables$at_zero_ties <- zero(made(60, 0, "whole", strata = 2))
tables$at_zero_late <- { t <- zero(made(60, 1, "fractions", clusters = 20)); t$entry <- ifelse(t$time == 0 | rbinom(60, 1, 0.6), -1, t$time / 2); t }
tables$only_zero <- data.frame(time = rep(0, 6), event = c(1, 1, 0, 0, 1, 0), dose = c(1, -1, 0.5, 2, 0, 1))
# A part of the linear predictor that is known.
tables$offset <- { t <- made(70, 1); t$offset <- round(rnorm(70), 2) + 1; t }
tables$offset_everything <- { t <- made(90, 1, "fractions", late = TRUE, strata = 2); t$offset <- round(rnorm(90), 2); t }

lung <- read("lung")
lung <- lung[complete.cases(lung[, c("time", "status", "age", "sex", "ecog", "karnofsky", "loss")]), ]
lung$event <- lung$status
if (max(lung$event) == 2) lung$event <- lung$event - 1
gbsg2 <- read("gbsg2")
gbsg2$stratum <- gbsg2$grade
real <- list(
  rossi = list(table = read("rossi"), x = c("fin", "age", "race", "wexp", "mar", "paro", "prio")),
  lung = list(table = lung, x = c("age", "sex", "ecog", "karnofsky", "loss")),
  gbsg2 = list(table = gbsg2, x = c("hormones", "age", "postmenopausal", "size", "nodes", "progesterone", "oestrogen")),
  larynx = list(table = read("larynx"), x = c("age", "Stage_II", "Stage_III", "Stage_IV")))

some <- function(rows) rows[unique(round(seq(1, length(rows), length.out = min(length(rows), 5))))]
listed <- function(matrix) unname(split(unname(as.matrix(matrix)), seq_len(nrow(as.matrix(matrix)))))

of <- function(table, x, ties) {
  table[c(x, "time")] <- lapply(table[c(x, "time")], as.numeric) # cox.zph refuses whole numbers, also as weights
  has <- function(name) name %in% names(table)
  response <- if (has("entry")) "Surv(entry, time, event)" else "Surv(time, event)"
  formula <- as.formula(paste(response, "~", paste(x, collapse = " + "), if (has("stratum")) "+ strata(stratum)",
                              if (has("offset")) "+ offset(offset)"))
  given <- list(formula, data = table, ties = ties, control = control, x = TRUE)
  if (has("weight")) given$weights <- table$weight
  if (has("cluster")) given$cluster <- table$cluster
  fit <- do.call(coxph, given)
  rows <- some(seq_len(nrow(table)))
  new <- table[some(order(table[[x[1]]])), ]
  robust <- !is.null(fit$naive.var)
  answer <- list(
    coefficients = unname(coef(fit)), covariance = listed(vcov(fit)),
    model_covariance = listed(if (robust) fit$naive.var else fit$var), robust = robust,
    log_likelihood = fit$loglik, score = unname(fit$score), wald = unname(fit$wald.test),
    likelihood_ratio = unname(summary(fit)$logtest), means = unname(fit$means),
    new = as.list(unname(as.data.frame(t(as.matrix(new[, x]))))),
    # An offset is known of new patients too; R centres it, which the survival below undoes.
    risk = if (has("offset")) drop(as.matrix(sweep(new[, x], 2, fit$means)) %*% coef(fit)) + new$offset else
      unname(predict(fit, new, type = "lp", reference = "sample")),
    new_offset = if (has("offset")) new$offset else NULL, aic = AIC(fit),
    concordance = {
      found <- concordance(fit)
      c(unname(found$concordance), sqrt(unname(found$var)))
    },
    intervals = listed(exp(confint(fit, level = 0.9))), p = unname(summary(fit)$coefficients[, "Pr(>|z|)"]),
    rows = rows - 1, # from 0
    martingale = unname(residuals(fit, "martingale"))[rows], deviance = unname(residuals(fit, "deviance"))[rows],
    score_residuals = listed(as.matrix(residuals(fit, "score"))[rows, , drop = FALSE]),
    dfbeta = listed(as.matrix(residuals(fit, "dfbeta"))[rows, , drop = FALSE]))
  schoenfeld <- as.matrix(residuals(fit, "schoenfeld"))
  answer$schoenfeld <- listed(schoenfeld[some(seq_len(nrow(schoenfeld))), , drop = FALSE])
  answer$schoenfeld_sum <- unname(colSums(abs(schoenfeld)))
  strata <- if (has("stratum")) sort(unique(table$stratum)) else NA
  answer$survival <- lapply(strata, function(stratum) {
    own <- if (is.na(stratum)) table else table[table$stratum == stratum, ]
    times <- unique(c(min(own$time) / 2, quantile(own$time, c(0.1, 0.35, 0.5, 0.8, 1), type = 1)))
    if (!is.na(stratum)) new$stratum <- stratum
    at <- function(band, what) {
      curve <- summary(survfit(fit, new, conf.type = band, conf.int = 0.9), times = times, extend = TRUE)
      t(matrix(curve[[what]], nrow = length(times)))
    }
    # Of the patients of the lowest and the highest risk.
    ends <- order(answer$risk)[c(1, length(answer$risk))]
    bands <- lapply(c("log-log" = "log-log", if (has("entry")) c(log = "log", plain = "plain")), function(band)
      list(low = listed(at(band, "lower")[ends, ]), high = listed(at(band, "upper")[ends, ])))
    list(stratum = stratum, times = unname(times), survival = listed(at("log", "surv")), ends = ends - 1, bands = bands)
  })
  # With one event time there is nothing that could change over time; and 0 has no logarithm.
  transforms <- c(km = "km", rank = "rank", identity = "identity", if (!any(table$time == 0 & table$event == 1)) c(log = "log"))
  if (sum(table$event) > 2 && length(unique(table$time)) > 1) answer$zph <- lapply(transforms, function(transform) {
    found <- cox.zph(fit, transform, terms = FALSE)
    # Patients tied in time come in another order with late entry: sort them by what they are.
    stratum <- if (is.null(found$strata)) rep(1, length(found$x)) else as.integer(found$strata)
    found$y <- found$y[do.call(order, c(list(stratum, found$x), unname(as.data.frame(round(found$y, 8))))), , drop = FALSE]
    found$x <- found$x[order(stratum, found$x)]
    list(chisq = unname(found$table[, 1]), df = unname(found$table[, 3]), x = unname(some(found$x)),
         y = listed(found$y[some(seq_len(nrow(found$y))), , drop = FALSE]), sum = unname(colSums(found$y, na.rm = TRUE)))
  })
  answer
}

both <- function(table, x) list(efron = of(table, x, "efron"), breslow = of(table, x, "breslow"))
on_made <- lapply(tables, function(table)
  list(table = as.list(table), answers = both(table, intersect(c("dose", "arm", "size"), names(table)))))
on_real <- lapply(real, function(one) list(x = one$x, answers = both(one$table, one$x)))

# A factor as one term: its test of proportional hazards, and of having any effect.
larynx <- read("larynx")
larynx$stage <- as.matrix(larynx[, c("Stage_II", "Stage_III", "Stage_IV")])
fit <- coxph(Surv(time, event) ~ age + stage, larynx, control = control)
without <- coxph(Surv(time, event) ~ age, larynx, control = control)
alone <- coxph(Surv(time, event) ~ stage, larynx, control = control)
grouped <- list(
  zph = unname(cox.zph(fit)$table[, 1]), zph_df = unname(cox.zph(fit)$table[, 2]), zph_p = unname(cox.zph(fit)$table[, 3]),
  likelihood_ratio = anova(without, fit)$Chisq[2], likelihood_ratio_p = anova(without, fit)[2, ncol(anova(without, fit))],
  alone = unname(summary(alone)$logtest), alone_wald = unname(summary(alone)$waldtest))

# Backward elimination by AIC, and the non-linearity of a restricted cubic spline of nodes.
gbsg2 <- read("gbsg2")
full <- coxph(Surv(time, event) ~ hormones + age + postmenopausal + size + grade + nodes + progesterone + oestrogen,
              gbsg2, control = control)
backward <- step(full, direction = "backward", trace = 0)
spline <- function(x, knots) { # as Hmisc::rcspline.eval(norm = 2), without its first column
  k <- length(knots)
  p <- function(u) pmax(u, 0)^3
  sapply(seq_len(k - 2), function(j) (p(x - knots[j]) -
    p(x - knots[k - 1]) * (knots[k] - knots[j]) / (knots[k] - knots[k - 1]) +
    p(x - knots[k]) * (knots[k - 1] - knots[j]) / (knots[k] - knots[k - 1])) / (knots[k] - knots[1])^2)
}
knots <- c(1, 2, 5, 15)
curved <- spline(gbsg2$nodes, knots)
curve <- coxph(Surv(time, event) ~ age + nodes + curved, gbsg2, control = control)
straight <- coxph(Surv(time, event) ~ age + nodes, gbsg2, control = control)
last <- 3:4
table <- list(
  backward = names(coef(backward)), backward_coefficients = unname(coef(backward)),
  univariable = lapply(names(coef(full)), function(name) {
    found <- summary(coxph(as.formula(paste("Surv(time, event) ~", name)), gbsg2, control = control), conf.int = 0.95)
    list(name = name, ratio = unname(found$conf.int[c(1, 3, 4)]), p = unname(found$logtest[3]), wald = unname(found$waldtest[3]))
  }),
  drop = list(name = rownames(drop1(full, test = "Chisq"))[-1], p = drop1(full, test = "Chisq")[-1, ncol(drop1(full, test = "Chisq"))]),
  knots = knots, curve = unname(coef(curve)),
  nonlinear_likelihood_ratio = anova(straight, curve)$Chisq[2],
  nonlinear_wald = drop(coef(curve)[last] %*% solve(vcov(curve)[last, last]) %*% coef(curve)[last]))

written <- list(
  versions = list(R = as.character(getRversion()), survival = as.character(packageVersion("survival")),
                  jsonlite = as.character(packageVersion("jsonlite"))),
  made = on_made, real = on_real, grouped = grouped, table = table)
write_json(written, "tests/reference/cox.json", digits = NA, auto_unbox = TRUE, na = "null", null = "null")
