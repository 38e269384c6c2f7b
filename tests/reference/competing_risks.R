# What R says about competing risks, for tests/statistics/survival: cumulative incidence with both variances, Gray's test.
# Small tables are made here, and go into the JSON with the answers; of the real ones (gbsg2, rossi) only the answers do.
# Their causes are made for the occasion: an event of an older patient is called another event.
#
# From the repository's root:  python -m tests.reference.tables /some/folder
#                              Rscript tests/reference/competing_risks.R /some/folder
# Needs r-base-core, r-cran-survival, r-cran-cmprsk, r-cran-jsonlite. cmprsk is GPL: an oracle, never a dependency.

suppressPackageStartupMessages({ library(survival); library(cmprsk); library(jsonlite) })
folder <- commandArgs(TRUE)[1]
set.seed(1988)
read <- function(name) read.csv(file.path(folder, paste0(name, ".csv")))

made <- function(n, digits, chances = c(0.3, 0.4, 0.3), groups = 3) {
  group <- sample(seq_len(groups), n, TRUE)
  list(times = pmax(round(rexp(n, 0.1 + 0.1 * group), digits), 10^-digits), causes = sample(0:2, n, TRUE, chances),
       groups = group, strata = sample(1:2, n, TRUE), weights = round(runif(n, 0.2, 3), 3))
}
plain <- function(times, causes, groups = rep(1:2, length.out = length(times))) {
  n <- length(times)
  list(times = times, causes = causes, groups = groups, strata = rep(1, n), weights = seq(0.5, by = 0.25, length.out = n))
}
tables <- list(
  ordinary = made(70, 4),
  heavy_ties = made(90, 0),
  two_groups = made(50, 1, groups = 2),
  none_censored = made(40, 2, c(0, 0.5, 0.5)),
  rare = made(80, 2, c(0.6, 0.05, 0.35), 2),
  one_cause = made(40, 0, c(0.4, 0.6, 0), 2),
  last_is_event = plain(c(1, 2, 3, 4, 5, 6), c(1, 2, 0, 1, 2, 1)),
  last_is_other = plain(c(1, 2, 3, 4, 5, 6), c(1, 2, 1, 1, 0, 2)),
  last_censored = plain(c(1, 2, 2, 4, 5, 6), c(2, 1, 2, 1, 0, 0)),
  all_leave_together = plain(c(1, 2, 5, 5, 5, 5), c(0, 1, 1, 2, 1, 2)),
  one_group_first = plain(c(1, 1, 2, 3, 4, 5, 6, 7), c(1, 1, 2, 1, 1, 0, 1, 2), c(1, 1, 1, 1, 2, 2, 2, 2)),
  one_patient_group = plain(c(2, 1, 3, 4, 5, 6), c(1, 1, 2, 1, 0, 1), c(1, 2, 2, 2, 2, 2))
)

log_log <- function(estimate, error, confidence = 0.95) {
  z <- qnorm((1 + confidence) / 2)
  inside <- estimate > 0 & estimate < 1 & error > 0
  end <- function(side) I(ifelse(inside, estimate^exp(side * z * error / (-estimate * log(estimate))), NA))
  list(low = end(1), high = end(-1))
}

gray <- function(times, causes) {
  found <- cuminc(times, causes)
  grid <- sort(unique(times))
  sapply(c("1", "2"), simplify = FALSE, function(cause) {
    one <- found[[paste("1", cause)]]
    if (is.null(one)) return(NULL)
    read <- timepoints(list(one), grid)
    # After the last time of its curve timepoints has nothing; before the first event it has 0.
    c(list(incidence = I(as.numeric(read$est)), variance = I(as.numeric(read$var))),
      log_log(as.numeric(read$est), sqrt(as.numeric(read$var))))
  })
}

jackknifed <- function(times, causes, weights) {
  found <- survfit(Surv(times, factor(causes, 0:2)) ~ 1, weights = weights, conf.type = "log-log")
  sapply(2:3, simplify = FALSE, function(state) list(time = I(found$time), incidence = I(found$pstate[, state]),
    error = I(found$std.err[, state]), low = I(found$lower[, state]), high = I(found$upper[, state])))
}

tests <- function(times, causes, groups, strata) {
  one <- cuminc(times, causes, group = groups)$Tests
  two <- cuminc(times, causes, group = groups, strata = strata)$Tests
  list(statistic = I(one[, "stat"]), p = I(one[, "pv"]), degrees = I(one[, "df"]),
       stratified = I(two[, "stat"]), stratified_p = I(two[, "pv"]))
}

# Patients with a time of 0. The numbers above are drawn before these.
tables <- c(tables, list(
  nought_and_later = { table <- made(60, 0); table$times <- pmax(table$times - 1, 0); table },
  nought_few = plain(c(0, 0, 0, 1, 2, 3, 3, 5), c(1, 0, 2, 1, 0, 2, 0, 1)),
  nought_only = plain(c(0, 0, 0, 0), c(1, 2, 1, 0))))

# Weights that count: every patient as often as counted.
counted <- function(times, causes, groups, strata) {
  counts <- rep(c(1, 3, 2, 1, 4), length.out = length(times))
  rows <- rep(seq_along(times), counts)
  c(list(counts = counts), tests(times[rows], causes[rows], groups[rows], strata[rows]))
}

answers <- lapply(tables, function(table) with(table, list(
  table = lapply(table, I), gray = gray(times, causes), jackknife = jackknifed(times, causes, rep(1, length(times))),
  weighted = jackknifed(times, causes, weights), tests = tests(times, causes, groups, strata),
  counted = counted(times, causes, groups, strata))))

real <- function(times, causes, groups, strata, grid) {
  read <- timepoints(cuminc(times, causes), grid)
  list(times = grid, incidence = read$est[1, ], variance = read$var[1, ], tests = tests(times, causes, groups, strata))
}
gbsg2 <- read("gbsg2"); rossi <- read("rossi")
real_answers <- list(
  gbsg2 = with(gbsg2, real(time, event * (1 + (age > 60)), grade, hormones, c(500, 1000, 2000))),
  rossi = with(rossi, real(time, event * (1 + (age > 25)), pmin(prio, 4), fin, c(10, 30, 50))))

written <- list(
  versions = list(R = as.character(getRversion()), survival = as.character(packageVersion("survival")),
                  cmprsk = as.character(packageVersion("cmprsk")), jsonlite = as.character(packageVersion("jsonlite"))),
  made = answers, real = real_answers)
write_json(written, "tests/reference/competing_risks.json", digits = NA, auto_unbox = TRUE, na = "null", null = "null")
