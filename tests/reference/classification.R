# What R says about calling patients positive, for tests/statistics/classification and test_multiplicity: figures of
# two-by-two tables, chosen thresholds, paired comparisons, reclassification, and adjusted p-values.
#
# From the repository's root:  python -m tests.reference.tables /some/folder
#                              Rscript tests/reference/classification.R /some/folder
# Needs r-base-core, r-cran-proc, r-cran-hmisc, r-cran-caret, r-cran-epir, r-cran-jsonlite.
# They are oracles for tests, never dependencies.

suppressPackageStartupMessages({
  library(pROC); library(Hmisc); library(caret); library(epiR); library(jsonlite)
})
folder <- commandArgs(TRUE)[1]
set.seed(1927)

# --- Figures of a table: true positives, false positives, true negatives, false negatives.
counts <- list(
  ordinary = c(30, 8, 57, 5), small = c(2, 1, 3, 1), rare = c(3, 40, 9950, 2), common = c(900, 12, 3, 60),
  worse = c(4, 20, 10, 26), large = c(41234, 5321, 87654, 3210), chance = c(10, 10, 10, 10), one_each = c(1, 1, 1, 1),
  no_false_alarm = c(7, 0, 12, 3), no_miss = c(7, 4, 12, 0), never_right = c(0, 5, 9, 6), perfect = c(6, 0, 9, 0),
  always_wrong = c(0, 9, 0, 6), nobody_called = c(0, 0, 11, 4), everybody_called = c(4, 11, 0, 0),
  only_events = c(5, 0, 0, 2), only_others = c(0, 3, 8, 0), two_patients = c(1, 0, 1, 0))
z <- function(confidence) qnorm((1 + confidence) / 2)

wilson <- function(x, n, confidence) suppressWarnings(prop.test(x, n, conf.level = confidence, correct = FALSE)$conf.int)
exact <- function(x, n, confidence) binom.test(x, n, conf.level = confidence)$conf.int

# Zou and Donner (2008), for half the sum of two independent proportions.
balanced <- function(x, confidence, interval) {
  if (x[1] + x[4] == 0 || x[2] + x[3] == 0) return(NULL)
  se <- x[1] / (x[1] + x[4]); sp <- x[3] / (x[2] + x[3])
  of_se <- interval(x[1], x[1] + x[4], confidence); of_sp <- interval(x[3], x[2] + x[3], confidence)
  half <- c(-sqrt((se - of_se[1])^2 + (sp - of_sp[1])^2), sqrt((of_se[2] - se)^2 + (of_sp[2] - sp)^2)) / 2
  pmin(1, pmax(0, (se + sp) / 2 + half))
}
f1 <- function(x, confidence, interval) {
  if (x[1] + x[2] + x[4] == 0) return(NULL)
  shared <- interval(x[1], x[1] + x[2] + x[4], confidence)
  2 / (1 + 1 / shared)
}
# Matthews' correlation of four shares, its derivatives by R's symbolic rules, its variance by the delta method.
matthews <- deriv(~ (tp * tn - fp * fn) / sqrt((tp + fp) * (tn + fn) * (tp + fn) * (fp + tn)), c("tp", "fp", "tn", "fn"),
                  function(tp, fp, tn, fn) NULL)
fisher <- function(x, confidence) {
  n <- sum(x); p <- x / n
  found <- matthews(p[1], p[2], p[3], p[4])
  slope <- drop(attr(found, "gradient")) / (1 - as.numeric(found)^2)
  variance <- drop(t(slope) %*% (diag(p) - p %o% p) %*% slope) / n
  tanh(atanh(as.numeric(found)) + c(-1, 1) * z(confidence) * sqrt(variance))
}
simel <- function(x, confidence) {
  found <- epi.tests(as.table(matrix(c(x[1], x[2], x[4], x[3]), 2, byrow = TRUE)), conf.level = confidence)$detail
  of <- function(name) {
    values <- unlist(found[found$statistic == name, c("est", "lower", "upper")], use.names = FALSE)
    ifelse(is.finite(values), values, NA)
  }
  list(positive = of("lr.pos"), negative = of("lr.neg"))
}
figures <- lapply(counts, function(x) {
  x <- as.numeric(x)
  table <- as.table(matrix(c(x[1], x[4], x[2], x[3]), 2, dimnames = list(called = c("yes", "no"), happened = c("yes", "no"))))
  by_caret <- confusionMatrix(table, positive = "yes")$byClass
  defined <- function(value) if (is.nan(value) || is.infinite(value)) NA else unname(value)
  correlation <- suppressWarnings(cor(rep(c(1, 1, 0, 0), x), rep(c(1, 0, 0, 1), x)))
  half <- x + 0.5
  list(
    counts = x,
    balanced_accuracy = defined(by_caret["Balanced Accuracy"]), f1 = defined(by_caret["F1"]), mcc = correlation,
    balanced_wilson = balanced(x, 0.95, wilson), balanced_exact = balanced(x, 0.9, exact),
    f1_wilson = f1(x, 0.95, wilson), f1_exact = f1(x, 0.9, exact),
    mcc_interval = if (!is.na(correlation) && abs(correlation) < 1 - 1e-9) fisher(x, 0.95), mcc_half = fisher(half, 0.95),
    ratios = if (x[1] + x[4] > 0 && x[2] + x[3] > 0) suppressWarnings(simel(x, 0.95)), ratios_half = simel(half, 0.95))
})

# --- Sampling weights: shares of weight, intervals of the effective number of patients (Kish), and thresholds.
kish <- function(weights) sum(weights)^2 / sum(weights^2)
weighed <- function(labels, scores, weights, threshold) {
  there <- weights > 0
  labels <- labels[there]; called <- (scores >= threshold)[there]; weights <- weights[there]
  share <- function(hit, among) {
    if (!any(among)) return(NULL)
    k <- kish(weights[among]); p <- sum(weights[hit & among]) / sum(weights[among])
    c(p, suppressWarnings(prop.test(p * k, k, correct = FALSE))$conf.int)
  }
  cells <- function(among) sapply(list(labels & called, !labels & called, !labels & !called, labels & !called),
                                  function(cell) sum(weights[cell & among]) / sum(weights[among]) * kish(weights[among]))
  all <- rep(TRUE, length(labels)); labels <- labels == 1
  sens <- share(called, labels); spec <- share(!called, !labels); f1 <- share(called & labels, called | labels)
  x <- cells(all); split <- cells(labels) * c(1, 0, 0, 1) + cells(!labels) * c(0, 1, 1, 0)
  correlation <- cov.wt(cbind(labels, called), weights, cor = TRUE)$cor[1, 2]
  ratio <- function(a, b, c, d) { # with and called, without and called, without and not, with and not
    value <- (a / (a + d)) / (b / (b + c))
    value * exp(c(0, -1, 1) * z(0.95) * sqrt(1 / a - 1 / (a + d) + 1 / b - 1 / (b + c)))
  }
  list(accuracy = share(labels == called, all), sensitivity = sens, specificity = spec,
       ppv = share(labels, called), npv = share(!labels, !called),
       balanced_accuracy = (sens[1] + spec[1]) / 2 + c(0, -1, 1) *
         c(0, sqrt(sum((sens - sens[1])[2]^2, (spec - spec[1])[2]^2)), sqrt(sum((sens - sens[1])[3]^2, (spec - spec[1])[3]^2))) / 2,
       f1 = 2 * f1 / (1 + f1), mcc = c(correlation, fisher(x, 0.95)),
       positive_likelihood_ratio = ratio(split[1], split[2], split[3], split[4]),
       negative_likelihood_ratio = ratio(split[4], split[3], split[2], split[1]))
}
weigh <- function(n, prevalence, digits) {
  labels <- rbinom(n, 1, prevalence); scores <- round(rnorm(n) + labels, digits); weights <- round(rexp(n) + 0.1, 2)
  weights[c(1, n)] <- 0
  found <- sort(unique(scores[weights > 0])); cuts <- c(-Inf, (head(found, -1) + tail(found, -1)) / 2, Inf)
  share <- function(cut, outcome, called) sum(weights[labels == outcome & (scores >= cut) == called]) / sum(weights[labels == outcome])
  sens <- sapply(cuts, share, outcome = 1, called = TRUE); spec <- sapply(cuts, share, outcome = 0, called = FALSE)
  total <- sens + spec; cost <- 3 * 0.2 * (1 - sens) + 0.8 * (1 - spec)
  list(labels = labels, scores = scores, weights = weights, threshold = 0.45,
       figures = weighed(labels, scores, weights, 0.45),
       youden = min(cuts[total >= max(total) - 1e-12]), cost = min(cuts[cost <= min(cost) + 1e-12]),
       sensitivity_0.8 = max(cuts[sens >= 0.8]), specificity_0.8 = min(cuts[spec >= 0.8]))
}
set.seed(1965)
weighted <- list(ordinary = weigh(80, 0.4, 3), ties = weigh(60, 0.5, 0), rare = weigh(150, 0.06, 2))
set.seed(1927)

# --- Thresholds. pROC's, too, lie halfway between neighbouring scores; -Inf (everybody) and Inf (nobody) are null.
made <- function(positives, negatives, shift, digits) {
  labels <- sample(rep(c(1, 0), c(positives, negatives)))
  list(labels = labels, scores = round(rnorm(length(labels)) + shift * labels, digits))
}
markers <- list(
  ordinary = made(30, 70, 1, 4), ties = made(40, 50, 0.8, 0), rare = made(3, 200, 1.5, 3), worse = made(30, 30, -1, 2),
  tiny = list(labels = c(0, 1), scores = c(0.2, 0.7)), reversed = list(labels = c(1, 0), scores = c(0.2, 0.7)),
  constant = list(labels = c(0, 1, 0), scores = c(3, 3, 3)),
  perfect = list(labels = c(0, 0, 0, 1, 1), scores = c(1, 2, 3, 4, 5)))
finite <- function(value) if (is.finite(value)) value else NA
thresholds <- lapply(markers, function(marker) {
  found <- roc(marker$labels, marker$scores, levels = c(0, 1), direction = "<", quiet = TRUE)
  all <- coords(found, "all", ret = c("threshold", "sensitivity", "specificity"), transpose = FALSE)
  fixed <- lapply(c(0.5, 0.8, 0.9, 0.95, 1), function(target) list(
    target = target,
    sensitivity = finite(max(all$threshold[all$sensitivity >= target])),
    specificity = finite(min(all$threshold[all$specificity >= target]))))
  cost <- unlist(lapply(c(0.2, 1, 5), function(ratio) lapply(c(0.05, 0.3, mean(marker$labels)), function(prevalence) {
    best <- coords(found, "best", best.method = "youden", best.weights = c(ratio, prevalence),
                   ret = c("threshold", "sensitivity", "specificity"), transpose = FALSE)
    list(ratio = ratio, prevalence = prevalence, threshold = finite(min(best$threshold)),
         cost = unname(ratio * prevalence * (1 - best$sensitivity[1]) + (1 - prevalence) * (1 - best$specificity[1])))
  })), recursive = FALSE)
  list(marker = marker, fixed = fixed, cost = cost)
})

# --- McNemar: both, only the first, only the second, neither.
pairs <- list(c(36, 12, 2, 0), c(59, 6, 16, 80), c(1, 1, 7, 12), c(10, 5, 5, 10), c(20, 0, 6, 3), c(5, 1, 0, 5),
              c(0, 1, 1, 0), c(400, 90, 61, 320))
mcnemars <- lapply(pairs, function(x) {
  table <- matrix(x, 2, byrow = TRUE)
  plain <- mcnemar.test(table, correct = FALSE); corrected <- mcnemar.test(table, correct = TRUE)
  list(counts = x, exact = binom.test(x[2], x[2] + x[3])$p.value,
       statistic = unname(plain$statistic), p = plain$p.value,
       corrected_statistic = unname(corrected$statistic), corrected_p = corrected$p.value)
})

# Newcombe (1998), method 10, with the ends of prop.test.
square_and_add <- function(x, confidence) {
  n <- sum(x); p <- c(x[1] + x[2], x[1] + x[3]) / n
  one <- wilson(x[1] + x[2], n, confidence); two <- wilson(x[1] + x[3], n, confidence)
  margins <- prod(x[1] + x[2], x[3] + x[4], x[1] + x[3], x[2] + x[4])
  product <- x[1] * x[4] - x[2] * x[3]
  if (product > 0) product <- max(product - n / 2, 0)
  phi <- if (margins == 0) 0 else product / sqrt(margins)
  ends <- function(a, b) sqrt(a^2 - 2 * phi * a * b + b^2)
  p[1] - p[2] + c(-ends(p[1] - one[1], two[2] - p[2]), ends(one[2] - p[1], p[2] - two[1]))
}
differences <- lapply(pairs, function(x) list(counts = x, ends = square_and_add(x, 0.95), ends_90 = square_and_add(x, 0.9)))

# --- Reclassification.
improved <- function(labels, old, new) {
  found <- unclass(improveProb(old, new, labels))
  lapply(found[c("nri", "se.nri", "z.nri", "nri.ev", "se.nri.ev", "z.nri.ev", "nri.ne", "se.nri.ne", "z.nri.ne",
                 "idi", "se.idi", "z.idi", "improveSens", "improveSpec")], function(value) if (is.finite(value)) value else NA)
}
categories <- function(risk, cuts) findInterval(risk, cuts) / length(cuts)
answers <- function(labels, old, new, cuts)
  list(cuts = cuts, continuous = improved(labels, old, new),
       categorical = improved(labels, categories(old, cuts), categories(new, cuts)))
risks <- function(n, events, digits) {
  labels <- sample(rep(c(1, 0), c(events, n - events))); base <- rnorm(n)
  list(labels = labels, old = round(plogis(base - 1 + labels), digits), new = round(plogis(1.3 * base - 1 + 1.5 * labels + rnorm(n) / 2), digits))
}
compared <- list(
  ordinary = risks(100, 30, 5), ties = risks(80, 40, 1), rare = risks(200, 2, 4),
  four = list(labels = c(0, 1, 0, 1), old = c(0.2, 0.4, 0.5, 0.3), new = c(0.1, 0.6, 0.55, 0.2)),
  all_up = list(labels = c(0, 0, 1, 1), old = c(0.1, 0.2, 0.3, 0.4), new = c(0.3, 0.5, 0.7, 0.9)),
  unchanged = list(labels = c(0, 0, 1, 1), old = c(0.1, 0.2, 0.3, 0.4), new = c(0.1, 0.2, 0.3, 0.4)),
  two = list(labels = c(0, 1), old = c(0.4, 0.4), new = c(0.3, 0.8)))
breast <- read.csv(file.path(folder, "breast.csv"))
texture <- (breast$mean_texture - 20) / 4
reclassified <- list(
  made = lapply(compared, function(x) c(x, answers(x$labels, x$old, x$new, c(0.2, 0.5)))),
  breast = answers(breast$malignant, plogis(texture), plogis(texture + 50 * (breast$mean_smoothness - 0.1)), c(0.25, 0.5, 0.75)))

# --- Adjusted p-values.
p_values <- list(c(0.01, 0.04, 0.03, 0.005), 0.2, c(0.5, 0.5, 0.5), c(0, 1, 0.3, 1e-12), c(0.04, 0.041, 0.042, 0.9, 0.04),
                 round(runif(30)^3, 6))
adjusted <- lapply(p_values, function(p) list(p = I(p), holm = I(p.adjust(p, "holm")), bh = I(p.adjust(p, "BH")),
                                              bonferroni = I(p.adjust(p, "bonferroni"))))

version <- function(package) as.character(packageVersion(package))
written <- list(
  versions = c(list(R = as.character(getRversion())),
               sapply(c("pROC", "Hmisc", "caret", "epiR", "jsonlite"), version, simplify = FALSE)),
  figures = figures, weighted = weighted, thresholds = thresholds, mcnemar = mcnemars, paired_differences = differences,
  reclassification = reclassified, adjusted = adjusted)
write_json(written, "tests/reference/classification.json", digits = NA, auto_unbox = TRUE, na = "null", null = "null")
