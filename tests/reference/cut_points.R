# What R says about cut-points, for tests/statistics/test_cut_points.py: maximally selected rank statistics. Small tables are made here,
# and go into the JSON with the answers; of the real ones (lung, gbsg2, larynx) only the answers do.
#
# From the repository's root:  python -m tests.reference.tables /some/folder
#                              Rscript tests/reference/cut_points.R /some/folder
# Needs r-base-core, r-cran-survival, r-cran-maxstat, r-cran-jsonlite. maxstat is GPL: an oracle, never a dependency.

suppressPackageStartupMessages({ library(survival); library(maxstat); library(jsonlite) })
folder <- commandArgs(TRUE)[1]
set.seed(1992)
read <- function(name) read.csv(file.path(folder, paste0(name, ".csv")))

made <- function(n, digits, effect, marker_digits = 3, censoring = 0.3) {
  marker <- round(rnorm(n), marker_digits)
  list(values = marker, times = pmax(round(rexp(n, exp(effect * (marker > 0.3))), digits), 10^-digits),
       events = rbinom(n, 1, 1 - censoring), labels = rbinom(n, 1, plogis(effect * marker)))
}
tables <- list(
  strong = made(80, 4, 1.5), weak = made(60, 4, 0.2), tied_times = made(70, 0, 0.5), tied_marker = made(90, 3, -0.8, 0),
  tied_both = made(75, 0, 1, 0), tiny = made(12, 3, 1), two_values = { t <- made(40, 2, 1); t$values <- 1 * (t$values > 0); t },
  many_censored = made(60, 3, 1, 2, 0.85),
  from_nought = { t <- made(50, 0, 0.8); t$times <- pmax(t$times - 1, 0); t })
shares <- list(c(0.1, 0.9), c(0.25, 0.75), c(0.3, 0.6))

# maxstat leaves a bound above 1 as it is; a p-value is at most 1. Where no cut leaves these shares it stops.
search <- function(y, values, scores) lapply(shares, function(share) tryCatch({
  found <- function(method) maxstat.test(y ~ values, data.frame(values), smethod = scores, pmethod = method,
                                         minprop = share[1], maxprop = share[2])
  one <- found("Lau92")
  list(share = share, statistic = one$statistic[[1]], cut = one$estimate[[1]], tried = length(one$cuts),
       Lau92 = min(1, one$p.value), Lau94 = min(1, found("Lau94")$p.value))
}, error = function(e) list(share = share, refused = conditionMessage(e))))
answer <- function(table) with(table, list(table = table,
  scores = as.numeric(exactRankTests::cscores(Surv(times, events), type = "LogRank")),
  survival = search(Surv(times, events), values, "LogRank"), binary = search(labels, values, "Data")))

lung <- read("lung"); gbsg2 <- read("gbsg2"); larynx <- read("larynx")
real <- list(
  lung = search(Surv(lung$time, lung$status), lung$age, "LogRank"),
  gbsg2_nodes = search(Surv(gbsg2$time, gbsg2$event), gbsg2$nodes, "LogRank"),
  gbsg2_progesterone = search(Surv(gbsg2$time, gbsg2$event), gbsg2$progesterone, "LogRank"),
  larynx = search(Surv(larynx$time, larynx$event), larynx$age, "LogRank"))

written <- list(
  versions = list(R = as.character(getRversion()), survival = as.character(packageVersion("survival")),
                  maxstat = as.character(packageVersion("maxstat")),
                  exactRankTests = as.character(packageVersion("exactRankTests")),
                  jsonlite = as.character(packageVersion("jsonlite"))),
  made = lapply(tables, answer), real = real,
  tertiles = lapply(tables, function(table) as.numeric(quantile(table$values, 1:2 / 3))))
write_json(written, "tests/reference/cut_points.json", digits = NA, auto_unbox = TRUE, na = "null", null = "null")
