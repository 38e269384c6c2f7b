# What R says about discrimination, for tests/statistics: areas under the ROC curve and their variances, paired
# and unpaired tests, partial areas, bands, thresholds and proportions. Small tables are made here, and go into the
# JSON with the answers; of real tables only the answers do.
#
# From the repository's root:  python -m tests.reference.tables /some/folder
#                              Rscript tests/reference/discrimination.R /some/folder
# Needs r-base-core, r-cran-proc, r-cran-survival, r-cran-jsonlite. They are oracles for tests, never dependencies.

suppressPackageStartupMessages({ library(pROC); library(survival); library(jsonlite) })
folder <- commandArgs(TRUE)[1]
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


clopper_pearson <- function(successes, n, confidence) {
  ends <- binom.test(successes, n, conf.level = confidence)$conf.int
  list(successes = successes, n = n, confidence = confidence, low = ends[1], high = ends[2])
}
exact <- unlist(lapply(c(0.8, 0.95, 0.99), function(confidence)
  lapply(counts, function(pair) clopper_pearson(pair[1], pair[2], confidence))), recursive = FALSE)

# --- Two groups of different patients: every table against the one after it.
unpaired <- lapply(seq_along(tables)[-1], function(i) {
  here <- tables[[i - 1]]; there <- tables[[i]]
  test <- suppressWarnings(roc.test(curve(here$labels, here$first), curve(there$labels, there$first),
                                    method = "delong", paired = FALSE))
  list(first = names(tables)[i - 1], second = names(tables)[i],
       t = as.numeric(test$statistic), degrees_of_freedom = as.numeric(test$parameter), p = test$p.value)
})

# --- Case weights: the concordance of a 0/1 response is the area; its variance the infinitesimal jackknife.
weigh <- function(labels, scores, digits) {
  weights <- round(rexp(length(labels)), digits)
  weights[c(2, 5)] <- 0
  found <- concordance(labels ~ scores, weights = weights)
  list(weights = weights, auc = as.numeric(found$concordance), variance = as.numeric(found$var))
}
weighted <- lapply(tables[c("ordinary", "heavy_ties", "two_values", "rare_outcome", "worse_than_chance", "perfect")],
                   function(table) weigh(table$labels, table$first, 2))

# --- Several markers of a real table.
breast <- read.csv(file.path(folder, "breast.csv"))
markers <- c("mean_texture", "mean_smoothness", "mean_symmetry", "worst_radius")
several <- lapply(markers, function(marker) curve(breast$malignant, breast[[marker]]))
covariance <- sapply(several, function(one) sapply(several, function(other)
  if (identical(one, other)) var(one, method = "delong") else cov(one, other, method = "delong")))
real <- list(
  markers = markers,
  areas = sapply(several, function(each) as.numeric(auc(each))),
  covariance = covariance,
  linear = lapply(several, function(each) as.numeric(ci.auc(each, method = "delong"))[c(1, 3)]),
  z = as.numeric(roc.test(several[[1]], several[[2]], method = "delong", paired = TRUE)$statistic),
  partial = as.numeric(auc(several[[1]], partial.auc = c(1, 0.9))),
  partial_corrected = as.numeric(auc(several[[1]], partial.auc = c(1, 0.9), partial.auc.correct = TRUE)))

# --- Non-inferiority, from pROC's areas and covariance.
non_inferior <- lapply(c("ordinary", "balanced", "heavy_ties", "large"), function(name) {
  table <- tables[[name]]
  one <- curve(table$labels, table$first); other <- curve(table$labels, table$second)
  difference <- as.numeric(auc(one)) - as.numeric(auc(other))
  error <- sqrt(var(one, method = "delong") + var(other, method = "delong") - 2 * cov(one, other, method = "delong"))
  lapply(c(0.02, 0.1), function(margin) list(table = name, margin = margin, z = (difference + margin) / error,
    p = pnorm((difference + margin) / error, lower.tail = FALSE), low = difference - qnorm(0.975) * error))
})

# --- Partial areas, and the curve's height at given specificities.
ranges <- list(c(0.9, 1), c(0.8, 1), c(0.25, 0.75), c(0.61, 0.62), c(0, 1))
partial <- lapply(tables, function(table) {
  found <- curve(table$labels, table$first)
  lapply(ranges, function(range) {
    one <- function(focus, correct) suppressWarnings(as.numeric(
      auc(found, partial.auc = range, partial.auc.focus = focus, partial.auc.correct = correct)))
    list(low = range[1], high = range[2],
         specificity = one("specificity", FALSE), specificity_corrected = one("specificity", TRUE),
         sensitivity = one("sensitivity", FALSE), sensitivity_corrected = one("sensitivity", TRUE))
  })
})
specificities <- c(0, 0.05, 0.25, 0.5, 0.6, 0.75, 0.9, 1)
heights <- lapply(tables, function(table)
  coords(curve(table$labels, table$first), specificities, input = "specificity", ret = "sensitivity",
         transpose = FALSE)$sensitivity)

# --- Bootstrap: the rows that pROC draws are drawn once more from the same seed, and exported (from 0, in R's order:
# controls, then cases).
boot <- function(name, seed, count) {
  table <- tables[[name]]
  found <- curve(table$labels, table$first)
  controls <- which(table$labels == 0); cases <- which(table$labels == 1)
  set.seed(seed)
  rows <- lapply(1:count, function(i) {
    of_controls <- sample.int(length(controls), replace = TRUE)
    of_cases <- sample.int(length(cases), replace = TRUE)
    c(controls[of_controls], cases[of_cases]) - 1
  })
  again <- function(call) { set.seed(seed); suppressWarnings(call()) }
  band <- again(function() ci.se(found, specificities = specificities, conf.level = 0.9, boot.n = count, progress = "none"))
  part <- function(...) as.numeric(again(function()
    ci.auc(roc(table$labels, table$first, levels = c(0, 1), direction = "<", quiet = TRUE, ...),
           method = "bootstrap", conf.level = 0.9, boot.n = count, progress = "none")))[c(1, 3)]
  list(table = name, confidence = 0.9, rows = rows, low = unname(band[, 1]), high = unname(band[, 3]),
       partial = part(partial.auc = c(0.8, 1)),
       partial_corrected = part(partial.auc = c(0.8, 1), partial.auc.correct = TRUE),
       partial_sensitivity = part(partial.auc = c(0.75, 1), partial.auc.focus = "sensitivity"))
}
bootstrap <- list(boot("ordinary", 11, 100), boot("heavy_ties", 12, 100), boot("two_values", 13, 40),
                  boot("two_and_three", 14, 60), boot("worse_than_chance", 15, 40))

# --- How far an empirical distribution strays: R's own exact distribution, inverted.
strays <- unlist(lapply(c(2, 3, 10, 57, 400), function(n) lapply(c(0.8, 0.95, sqrt(0.95), 0.99), function(confidence)
  list(n = n, confidence = confidence, distance = uniroot(
    function(d) .Call(stats:::C_pKolmogorov2x, d, n) - confidence, c(0.5 / n + 1e-9, 1), tol = 1e-14)$root))),
  recursive = FALSE)

written <- list(
  versions = list(R = as.character(getRversion()), pROC = as.character(packageVersion("pROC")),
                  survival = as.character(packageVersion("survival")),
                  jsonlite = as.character(packageVersion("jsonlite"))),
  discrimination = answers,
  wilson = proportions,
  exact = exact,
  unpaired = unpaired,
  weighted = weighted,
  breast = real,
  non_inferiority = unlist(non_inferior, recursive = FALSE),
  partial = partial,
  specificities = specificities,
  heights = heights,
  bootstrap = bootstrap,
  kolmogorov = strays)
write_json(written, "tests/reference/discrimination.json", digits = NA, auto_unbox = TRUE, na = "null", null = "null")
