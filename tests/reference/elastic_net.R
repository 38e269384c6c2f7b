# What glmnet says about elastic nets for Cox models: the whole path and its cross-validation, for
# tests/statistics/regression. On real tables (given as a folder of CSV; their rows stay out of the JSON) and on small
# ones made here, which go into it.
#
# From the repository's root:  python -m tests.reference.tables /some/folder
#                              Rscript tests/reference/elastic_net.R /some/folder
# Needs r-base-core, r-cran-glmnet, r-cran-survival, r-cran-jsonlite. glmnet is GPL: an oracle for tests, never a
# dependency.

suppressPackageStartupMessages({ library(glmnet); library(survival); library(jsonlite) })
folder <- commandArgs(TRUE)[1]
read <- function(name) read.csv(file.path(folder, paste0(name, ".csv")))
# IRLS (used with strata) stops at a change of 1e-6 otherwise.
glmnet.control(epsnr = 1e-14, mxitnr = 200)
set.seed(2011)

made <- function(n, p, digits, weights = FALSE, strata = 0, constant = FALSE) {
  x <- round(matrix(rnorm(n * p), n) + 0.7 * rnorm(n), 2)
  x[, 2] <- 10 * x[, 2] # another size
  x[, 3] <- 1 * (x[, 3] > 0.5)
  if (constant) x[, 4] <- 3
  died <- rexp(n, exp(0.7 * x[, 1] - 0.05 * x[, 2] - 0.6 * x[, 5]))
  left <- rexp(n, 0.4)
  # Times stay below 100: see gbsg2.
  t <- list(time = round(pmin(died, left), digits) + 10^-digits, event = as.integer(died <= left), x = x)
  if (weights) t$weight <- round(runif(n, 0.2, 3), 3)
  if (strata) t$stratum <- sample(strata, n, TRUE)
  t$fold <- rep_len(1:4, n)
  t
}

tables <- list(
  untied = made(60, 8, 5), ties = made(70, 8, 1), weighted = made(60, 7, 1, weights = TRUE),
  wide = made(30, 40, 2), constant = made(50, 6, 3, constant = TRUE), stratified = made(80, 6, 2, strata = 3))

# glmnet lets a censoring follow a death on the same day by adding 2e-14 to its time, which days beyond 100 swallow: those
# patients then leave the risk set too early. The unit of time does not matter to the model, so here it is 100 days.
gbsg2 <- read("gbsg2")
gbsg2$time <- gbsg2$time / 100

real <- list(
  rossi = list(table = read("rossi"), x = c("fin", "age", "race", "wexp", "mar", "paro", "prio")),
  gbsg2 = list(table = gbsg2,
               x = c("hormones", "age", "postmenopausal", "size", "grade", "nodes", "progesterone", "oestrogen")))

listed <- function(matrix) unname(split(unname(as.matrix(matrix)), seq_len(nrow(as.matrix(matrix)))))

path <- function(t, alpha, standardize = TRUE) {
  y <- Surv(as.numeric(t$time), t$event)
  if (!is.null(t$stratum)) y <- stratifySurv(y, t$stratum)
  weight <- if (is.null(t$weight)) rep(1, length(t$time)) else t$weight
  fit <- glmnet(t$x, y, family = "cox", alpha = alpha, weights = weight, thresh = 1e-20, maxit = 1e7, standardize = standardize)
  some <- unique(round(seq(1, length(fit$lambda), length.out = 8)))
  cv <- cv.glmnet(t$x, y, family = "cox", alpha = alpha, weights = weight, thresh = 1e-20, maxit = 1e7, foldid = t$fold,
                  lambda = fit$lambda, grouped = TRUE, standardize = standardize)
  list(alpha = alpha, standardize = standardize, lambda = fit$lambda, dev_ratio = fit$dev.ratio, nulldev = fit$nulldev,
       some = some - 1, beta = listed(t(as.matrix(fit$beta[, some]))),
       cvm = cv$cvm, cvsd = cv$cvsd, lambda_min = cv$lambda.min, lambda_1se = cv$lambda.1se)
}

paths <- function(t) c(list(path(t, 1), path(t, 0.5)), if (ncol(t$x) < nrow(t$x)) list(path(t, 0), path(t, 1, FALSE)))

written <- list(
  versions = list(R = as.character(getRversion()), glmnet = as.character(packageVersion("glmnet")),
                  survival = as.character(packageVersion("survival")), jsonlite = as.character(packageVersion("jsonlite"))),
  made = lapply(tables, function(t) {
    given <- t
    given$x <- listed(t$x)
    list(table = given, paths = paths(t))
  }),
  real = lapply(real, function(one) {
    t <- as.list(one$table)
    t$x <- as.matrix(one$table[, one$x])
    t$fold <- rep_len(1:5, nrow(t$x))
    list(x = one$x, paths = list(path(t, 1), path(t, 0.3)))
  }))
write_json(written, "tests/reference/elastic_net.json", digits = NA, auto_unbox = TRUE, na = "null", null = "null")
