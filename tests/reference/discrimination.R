# What R says about discrimination, for tests/statistics: areas under the ROC curve and their variances, paired
# and unpaired tests, partial areas, bands, thresholds and proportions. Small tables are made here, and go into the
# JSON with the answers; of real tables only the answers do.
#
# From the repository's root:  python -m tests.reference.tables /some/folder
#                              Rscript tests/reference/discrimination.R /some/folder
# Needs r-base-core, r-cran-proc, r-cran-survival, r-cran-boot, r-cran-jsonlite. They are oracles for tests, never dependencies.

suppressPackageStartupMessages({ library(pROC); library(survival); library(boot); library(jsonlite) })
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

# --- Several rows of one patient: of one outcome (images), or of both (lesions).
images <- function(patients, digits, mixed) {
  patient <- rep(seq_len(patients), sample(1:4, patients, replace = TRUE))
  own <- rnorm(patients)[patient]
  labels <- if (mixed) rbinom(length(patient), 1, plogis(own - 0.5)) else rbinom(patients, 1, 0.4)[patient]
  list(labels = labels, patient = patient,
       first = round(own + labels + rnorm(length(patient)), digits),
       second = round(own + labels / 2 + rnorm(length(patient)), digits))
}
several_rows <- list(
  images = images(40, 4, FALSE), lesions = images(40, 4, TRUE), lesions_with_ties = images(30, 0, TRUE),
  one_row_each = { t <- tables$ordinary; t$patient <- seq_along(t$labels); t },
  few = list(labels = c(1, 0, 1, 0, 0, 1), patient = c(1, 1, 2, 2, 3, 3), first = c(3, 1, 2, 2, 1, 4), second = c(1, 2, 3, 1, 2, 3)))

# Obuchowski (1997), from every pair of rows; with weights, sums over rows become weighted sums. `factor` = FALSE leaves
# out the k / (k - 1), as the infinitesimal jackknife does.
obuchowski <- function(table, scores, weights = rep(1, length(table$labels)), factor = TRUE) {
  pos <- which(table$labels == 1 & weights > 0); neg <- which(table$labels == 0 & weights > 0)
  wp <- weights[pos] / sum(weights[pos]); wn <- weights[neg] / sum(weights[neg])
  parts <- lapply(scores, function(score) {
    psi <- outer(score[pos], score[neg], function(x, y) (x > y) + 0.5 * (x == y))
    v10 <- drop(psi %*% wn); v01 <- drop(wp %*% psi); area <- sum(wp * v10)
    whole <- sort(unique(table$patient[c(pos, neg)]))
    sums <- function(value, who) sapply(whole, function(id) sum(value[who == id]))
    list(area = area, x = sums(wp * (v10 - area), table$patient[pos]), y = sums(wn * (v01 - area), table$patient[neg]))
  })
  by <- if (factor) function(k) k / (k - 1) else function(k) 1
  i10 <- length(unique(table$patient[pos])); i01 <- length(unique(table$patient[neg]))
  i <- length(unique(table$patient[c(pos, neg)]))
  covariance <- sapply(parts, function(one) sapply(parts, function(other)
    by(i10) * sum(one$x * other$x) + by(i01) * sum(one$y * other$y) + by(i) * (sum(one$x * other$y) + sum(one$y * other$x))))
  list(areas = sapply(parts, `[[`, "area"), covariance = covariance)
}
clustered <- lapply(several_rows, function(table) {
  weights <- round(rexp(length(table$labels)) + 0.05, 2)
  if (length(weights) > 10) weights[c(2, 5)] <- 0
  scores <- table[c("first", "second")]
  # survival's infinitesimal jackknife, by patient.
  jackknives <- lapply(scores, function(score)
    concordance(table$labels ~ score, cluster = table$patient, weights = weights, influence = 1))
  jackknife <- list(concordance = sapply(jackknives, function(one) unname(one$concordance)),
                    var = crossprod(sapply(jackknives, `[[`, "dfbeta")))
  stopifnot(all.equal(unname(diag(jackknife$var)), unname(sapply(jackknives, `[[`, "var"))))
  plain <- obuchowski(table, scores); weighted <- obuchowski(table, scores, weights)
  stopifnot(all.equal(unname(jackknife$var), unname(obuchowski(table, scores, weights, factor = FALSE)$covariance)))
  list(table = table, weights = weights, areas = plain$areas, covariance = plain$covariance,
       weighted_areas = weighted$areas, weighted_covariance = weighted$covariance,
       concordance = list(areas = unname(jackknife$concordance), covariance = unname(jackknife$var)))
})

# Two groups of different patients, with weights: Welch's degrees of freedom from the variances.
weighted_unpaired <- lapply(list(c("images", "lesions"), c("lesions", "one_row_each")), function(names) {
  found <- lapply(clustered[names], function(x) list(area = x$weighted_areas[1], v = x$weighted_covariance[1, 1],
                                                      k = length(unique(x$table$patient[x$weights > 0]))))
  v <- sapply(found, `[[`, "v"); k <- sapply(found, `[[`, "k")
  difference <- found[[1]]$area - found[[2]]$area; df <- sum(v)^2 / sum(v^2 / (k - 1))
  list(first = names[1], second = names[2], difference = difference, t = difference / sqrt(sum(v)), degrees_of_freedom = df,
       p = 2 * pt(-abs(difference) / sqrt(sum(v)), df), ends = difference + c(-1, 1) * qt(0.975, df) * sqrt(sum(v)))
})

# --- Bootstrap: rows are drawn here and exported (from 0); pROC computes on them, and boot reads off the ends.
ends <- function(replicates, confidence) {
  of <- function(values) boot:::norm.inter(values, (1 + c(-1, 1) * confidence) / 2)[, 2]
  if (is.matrix(replicates)) apply(replicates, 1, of) else of(replicates)
}
# Precision times the gain in recall, over distinct scores.
average_precision <- function(labels, scores) {
  cuts <- sort(unique(scores), decreasing = TRUE)
  found <- sapply(cuts, function(cut) sum(labels[scores >= cut])); called <- sapply(cuts, function(cut) sum(scores >= cut))
  sum(diff(c(0, found)) / sum(labels) * found / called)
}
resampled <- function(table, confidence, rows) {
  on_rows <- function(of) sapply(rows, function(chosen)
    suppressWarnings(of(table$labels[chosen + 1], table$first[chosen + 1])))
  at <- function(labels, scores) coords(curve(labels, scores), specificities, input = "specificity", ret = "sensitivity",
                                        transpose = FALSE)$sensitivity
  turned <- function(labels, scores) coords(curve(labels, scores), 0.9, input = "sensitivity", ret = "specificity",
                                            transpose = FALSE)$specificity
  part <- function(...) function(labels, scores) as.numeric(auc(curve(labels, scores), ...))
  band <- ends(on_rows(at), confidence)
  partial <- ends(on_rows(part(partial.auc = c(0.8, 1))), confidence)
  chance <- (1 - 0.8) * (2 - 0.8 - 1) / 2
  list(confidence = confidence, rows = rows, low = band[1, ], high = band[2, ], partial = partial,
       partial_corrected = (1 + (partial - chance) / (0.2 - chance)) / 2, # McClish's scale, which rises
       partial_sensitivity = ends(on_rows(part(partial.auc = c(0.75, 1), partial.auc.focus = "sensitivity")), confidence),
       specificity_at_0.9 = c(turned(table$labels, table$first), ends(on_rows(turned), confidence)),
       average_precision = c(average_precision(table$labels, table$first), ends(on_rows(average_precision), confidence)))
}
within_labels <- function(name, seed, count) {
  table <- tables[[name]]
  groups <- list(which(table$labels == 0), which(table$labels == 1))
  set.seed(seed)
  rows <- lapply(1:count, function(i) unlist(lapply(groups, function(group) group[sample.int(length(group), replace = TRUE)])) - 1)
  c(list(table = name), resampled(table, 0.9, rows))
}
bootstrap <- list(within_labels("ordinary", 11, 60), within_labels("heavy_ties", 12, 60), within_labels("two_values", 13, 40),
                  within_labels("two_and_three", 14, 60), within_labels("worse_than_chance", 15, 40))
# Whole patients, with all their rows.
bootstrap_patients <- lapply(c("images", "lesions"), function(name) {
  table <- several_rows[[name]]; own <- split(seq_along(table$labels) - 1, table$patient)
  set.seed(16)
  drawn <- lapply(1:60, function(i) sample.int(length(own), replace = TRUE))
  c(list(table = name, drawn = lapply(drawn, function(x) tabulate(x, length(own)))),
    resampled(table, 0.8, lapply(drawn, function(x) unlist(own[x], use.names = FALSE)))[-2])
})

# --- How far an empirical distribution strays: R's own exact distribution, inverted.
strays <- unlist(lapply(c(2, 3, 10, 57, 400), function(n) lapply(c(0.8, 0.95, sqrt(0.95), 0.99), function(confidence)
  list(n = n, confidence = confidence, distance = uniroot(
    function(d) .Call(stats:::C_pKolmogorov2x, d, n) - confidence, c(0.5 / n + 1e-9, 1), tol = 1e-14)$root))),
  recursive = FALSE)

written <- list(
  versions = list(R = as.character(getRversion()), pROC = as.character(packageVersion("pROC")),
                  survival = as.character(packageVersion("survival")), boot = as.character(packageVersion("boot")),
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
  bootstrap_patients = bootstrap_patients,
  clustered = clustered,
  weighted_unpaired = weighted_unpaired,
  kolmogorov = strays)
write_json(written, "tests/reference/discrimination.json", digits = NA, auto_unbox = TRUE, na = "null", null = "null")
