# What R says about discrimination, for tests/statistics: areas under the ROC curve and their variances, paired
# tests, thresholds and proportions. The tables are made here, and go into the JSON with the answers.
#
# From the repository's root:  Rscript tests/reference/discrimination.R
# Needs r-base-core, r-cran-proc, r-cran-jsonlite. pROC is GPL: an oracle for tests, never a dependency.

suppressPackageStartupMessages({ library(pROC); library(jsonlite) })
set.seed(1988)

# Scores are rounded, so that JSON holds them exactly.
made <- function(positives, negatives, shift, digits, second = shift / 2) {
  labels <- sample(rep(c(1, 0), c(positives, negatives)))
  shared <- rnorm(length(labels))
  list(labels = labels,
       first = round(shared + rnorm(length(labels)) + shift * labels, digits),
       second = round(shared + rnorm(length(labels)) + second * labels, digits))
}

tables <- list(
  ordinary = made(30, 70, 1.0, 6),
  balanced = made(60, 60, 2.0, 6),
  heavy_ties = made(40, 50, 0.8, 0),
  two_values = { t <- made(25, 35, 1.5, 6); t$first <- 1 * (t$first > 0.5); t$second <- 1 * (t$second > 0.5); t },
  rare_outcome = made(3, 300, 1.2, 6),
  rare_control = made(300, 3, 1.2, 6),
  worse_than_chance = made(30, 30, -1.0, 3),
  two_and_two = list(labels = c(1, 0, 1, 0), first = c(0.9, 0.4, 0.3, 0.1), second = c(0.2, 0.4, 0.6, 0.1)),
  two_and_three = list(labels = c(0, 1, 0, 1, 0), first = c(1, 2, 2, 3, 0), second = c(3, 3, 1, 2, 2)),
  perfect = list(labels = c(0, 0, 0, 1, 1, 1, 1), first = c(1, 2, 3, 4, 5, 6, 7), second = c(1, 5, 3, 4, 2, 6, 7)),
  constant = list(labels = c(0, 1, 0, 1, 0, 1), first = rep(0.5, 6), second = c(0.1, 0.3, 0.2, 0.15, 0.4, 0.6)),
  large = made(120, 180, 0.7, 2)
)

curve <- function(labels, scores) {
  # Fixed direction: pROC would otherwise turn a marker that is worse than chance.
  roc(labels, scores, levels = c(0, 1), direction = "<", quiet = TRUE)
}

# pROC knows no logit interval; this is Pepe's (2003, section 5.2), from pROC's area and variance.
logit_interval <- function(area, variance, confidence) {
  half <- qnorm((1 + confidence) / 2) * sqrt(variance) / (area * (1 - area))
  plogis(qlogis(area) + c(-half, half))
}

# Newcombe's method 5 (2006), by root finding on the unsquared equation.
newcombe <- function(area, m, n, confidence) {
  z <- qnorm((1 + confidence) / 2)
  spread <- (m + n) / 2 - 1
  variance <- function(a) a * (1 - a) * (1 + spread * ((1 - a) / (2 - a) + a / (1 + a))) / (m * n)
  miss <- function(a) abs(area - a) - z * sqrt(variance(a))
  root <- function(from, to) uniroot(miss, c(from, to), tol = 1e-14)$root
  c(if (area == 0) 0 else root(0, area - 1e-9), if (area == 1) 1 else root(area + 1e-9, 1))
}

area_of <- function(labels, scores) {
  found <- curve(labels, scores)
  area <- as.numeric(auc(found))
  variance <- suppressWarnings(var(found, method = "delong")) # warns at an area of 1
  answer <- list(
    auc = area, variance = variance,
    newcombe = newcombe(area, sum(labels == 1), sum(labels == 0), 0.95),
    points = list(false_positive_rate = rev(1 - found$specificities),
                  true_positive_rate = rev(found$sensitivities)))
  if (variance > 0) {
    # pROC's own interval is linear and cut at 0 and 1.
    answer$linear <- as.numeric(suppressWarnings(ci.auc(found, method = "delong")))[c(1, 3)]
    answer$logit_95 <- logit_interval(area, variance, 0.95)
    answer$logit_90 <- logit_interval(area, variance, 0.90)
  }
  answer
}

paired <- function(labels, first, second) {
  test <- suppressWarnings(roc.test(curve(labels, first), curve(labels, second), method = "delong", paired = TRUE))
  covariance <- suppressWarnings(cov(curve(labels, first), curve(labels, second), method = "delong"))
  list(z = as.numeric(test$statistic), p = test$p.value, covariance = covariance)
}

# Every threshold that has the best Youden index, and the figures at one threshold.
best <- function(labels, scores) {
  as.numeric(coords(curve(labels, scores), "best", best.method = "youden", ret = "threshold", transpose = FALSE)$threshold)
}

at_threshold <- function(labels, scores, threshold) {
  found <- coords(curve(labels, scores), threshold, input = "threshold", transpose = FALSE,
                  ret = c("tp", "fp", "tn", "fn", "accuracy", "sensitivity", "specificity", "ppv", "npv"))
  as.list(found)
}

answers <- lapply(tables, function(table) {
  with(table, {
    threshold <- median(first) + 1e-4 # between two scores, where pROC and we must agree
    list(table = table,
         first = area_of(labels, first),
         second = area_of(labels, second),
         paired = paired(labels, first, second),
         best_thresholds = best(labels, first),
         threshold = threshold,
         figures = at_threshold(labels, first, threshold))
  })
})

wilson <- function(successes, n, confidence) {
  ends <- suppressWarnings(prop.test(successes, n, conf.level = confidence, correct = FALSE))$conf.int
  list(successes = successes, n = n, confidence = confidence, low = ends[1], high = ends[2])
}
counts <- list(c(0, 1), c(1, 1), c(0, 10), c(10, 10), c(1, 2), c(3, 7), c(1, 200), c(199, 200), c(37, 126), c(5000, 20000))
proportions <- unlist(lapply(c(0.8, 0.95, 0.99), function(confidence)
  lapply(counts, function(pair) wilson(pair[1], pair[2], confidence))), recursive = FALSE)

written <- list(
  versions = list(R = as.character(getRversion()), pROC = as.character(packageVersion("pROC")),
                  jsonlite = as.character(packageVersion("jsonlite"))),
  discrimination = answers,
  wilson = proportions)
write_json(written, "tests/reference/discrimination.json", digits = NA, auto_unbox = TRUE, na = "null", null = "null")
