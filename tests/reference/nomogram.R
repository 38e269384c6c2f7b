# What R's rms draws: points per value, totals and what they mean, for tests/statistics/regression/test_nomogram.py.
#
# From the repository's root:  python -m tests.reference.tables FOLDER && Rscript tests/reference/nomogram.R FOLDER
# Needs r-base-core, r-cran-rms, r-cran-survival, r-cran-jsonlite.

suppressPackageStartupMessages({ library(rms); library(survival); library(jsonlite) })
folder <- commandArgs(TRUE)[1]
gbsg2 <- read.csv(file.path(folder, "gbsg2.csv"))
gbsg2$grade <- factor(gbsg2$grade)
frame_of <- datadist(gbsg2)
options(datadist = "frame_of")

# The axes are given, so that lowest and widest are looked for on the same values as ours.
grid <- function(low, high) seq(low, high, length.out = 401)
age <- grid(25, 80); size <- grid(5, 120); nodes <- grid(1, 50)
pick <- function(axis) list(values = axis[c(1, 57, 201, 340, 401)])

points_of <- function(drawn, names) lapply(setNames(names, names), function(name)
  list(points = as.numeric(drawn[[name]]$points)))

# rms leaves what it drew on an axis for a function as positions on the axis of totals.
meant <- function(drawn, label) list(total = as.numeric(drawn[[label]]$x), value = as.numeric(drawn[[label]]$fat))

cox <- cph(Surv(time, event) ~ rcs(age, c(35, 46, 61, 72)) + size + grade + nodes, gbsg2,
           x = TRUE, y = TRUE, surv = TRUE, method = "efron", eps = 1e-12, iter.max = 50)
survival <- Survival(cox); middle <- Quantile(cox)
cox_drawn <- nomogram(cox, age = age, size = size, nodes = nodes, lp = TRUE, maxscale = 100,
  fun = list(function(x) survival(1000, x), function(x) middle(0.5, x)),
  funlabel = c("at1000", "median"), fun.at = list(c(0.3, 0.5, 0.7, 0.9), c(600, 1000, 2000)))

logistic <- lrm(event ~ rcs(age, c(35, 46, 61, 72)) + size + grade + nodes, gbsg2, tol = 1e-14, eps = 1e-14, maxit = 50)
logistic_drawn <- nomogram(logistic, age = age, size = size, nodes = nodes, lp = TRUE, maxscale = 100,
  fun = plogis, funlabel = "risk", fun.at = c(0.3, 0.5, 0.7, 0.9))

patients <- gbsg2[c(1, 77, 300, 555), c("age", "size", "grade", "nodes")]
written <- list(
  versions = list(R = as.character(getRversion()), rms = as.character(packageVersion("rms")),
                  survival = as.character(packageVersion("survival")), jsonlite = as.character(packageVersion("jsonlite"))),
  cox = list(coefficients = as.numeric(coef(cox)), center = cox$center,
    points = points_of(cox_drawn, c("age", "size", "grade", "nodes")),
    linear_predictor = list(total = cox_drawn$lp$x, value = cox_drawn$lp$x.real),
    survival_1000 = as.numeric(survival(1000, predict(cox, patients))),
    median = as.numeric(middle(0.5, predict(cox, patients))),
    lp = as.numeric(predict(cox, patients))),
  logistic = list(coefficients = as.numeric(coef(logistic)),
    points = points_of(logistic_drawn, c("age", "size", "grade", "nodes")),
    linear_predictor = list(total = logistic_drawn$lp$x, value = logistic_drawn$lp$x.real),
    risk = as.numeric(predict(logistic, patients, type = "fitted"))))
write_json(written, "tests/reference/nomogram.json", digits = NA, auto_unbox = TRUE, na = "null", null = "null")
