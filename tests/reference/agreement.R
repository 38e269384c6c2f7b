# What R says about agreement, for tests/statistics/agreement: kappas, intraclass correlations, limits of agreement,
# readers' points and multi-reader multi-case studies. The tables are made here, and go into the JSON with the answers.
#
# From the repository's root:  Rscript tests/reference/agreement.R
# Needs r-base-core, r-cran-psych, r-cran-vcd, r-cran-proc, r-cran-jsonlite: oracles for tests, never dependencies.
#
# Debian packages neither irr nor MRMCaov nor RJafroc. Fleiss' kappa is derived here a second time (pairs of readers
# counted; its error by moving each patient's weight) and by irrCAC in agreement_python.py, and the Obuchowski-Rockette analysis too (areas by pROC, an
# explicit jackknife that leaves each patient out, mean squares by lm).
#
# The standard error of a weighted kappa is vcd's: psych 2.2.9 takes sums of a reader's own weights where Fleiss, Cohen
# and Everitt (1969) take the average weight over the other reader's margin.

suppressPackageStartupMessages({ library(psych); library(vcd); library(pROC); library(jsonlite) })
set.seed(1969)

# Cohen's kappa --------------------------------------------------------------------------------------------------------

two_readers <- function(n, k, noise, prob = rep(1 / k, k)) {
  truth <- sample(k, n, TRUE, prob)
  one <- function() pmin(k, pmax(1, truth + sample(c(-1, 0, 1), n, TRUE, c(noise / 2, 1 - noise, noise / 2))))
  list(first = one(), second = one(), k = k)
}
pairs <- list(
  two_grades = two_readers(60, 2, 0.3),
  four_grades = two_readers(120, 4, 0.5),
  rare_grade = two_readers(200, 3, 0.2, c(0.95, 0.04, 0.01)),
  seven_grades = two_readers(80, 7, 0.9),
  grade_in_the_middle_unused = { t <- two_readers(50, 5, 0.4); t$first[t$first == 3] <- 4; t$second[t$second == 3] <- 2; t },
  five_patients = list(first = c(1, 2, 3, 1, 2), second = c(1, 2, 2, 1, 3), k = 3),
  never_agree = list(first = c(1, 2, 1, 2, 2, 1), second = c(2, 1, 2, 1, 1, 2), k = 2),
  large = two_readers(400, 5, 0.7))

kappa_of <- function(pair) {
  levels <- seq_len(pair$k)
  cells <- table(factor(pair$first, levels), factor(pair$second, levels))
  own <- outer(levels, levels, function(i, j) ifelse(i == j, 1, ifelse(abs(i - j) == 1, 0.4, 0.1)))
  said <- suppressWarnings(cohen.kappa(unclass(cells), n.obs = sum(cells)))
  of <- function(weights) {
    found <- Kappa(cells, weights = weights)$Weighted
    list(value = unname(found["value"]), error = unname(found["ASE"]))
  }
  plain <- Kappa(cells)$Unweighted
  # The error under no agreement, as Fleiss, Cohen and Everitt have it, from the cells.
  null_error <- function(w) {
    p <- cells / sum(cells); r <- rowSums(p); s <- colSums(p)
    pe <- sum(w * outer(r, s)); total <- 0
    for (i in levels) for (j in levels)
      total <- total + r[i] * s[j] * (w[i, j] - (sum(w[i, ] * s) + sum(w[, j] * r)))^2
    unname(sqrt((total - pe^2) / sum(cells)) / (1 - pe))
  }
  apart <- abs(outer(levels, levels, "-")) / (pair$k - 1)
  list(table = pair, weights = own,
       psych = list(value = said$kappa, quadratic = said$weighted.kappa, variance = said$var.kappa,
                    interval = c(said$kappa + c(-1, 1) * qnorm(0.975) * sqrt(said$var.kappa))),
       none = list(value = unname(plain["value"]), error = unname(plain["ASE"]), null = null_error(diag(pair$k))),
       linear = c(of("Equal-Spacing"), null = null_error(1 - apart)),
       quadratic = c(of("Fleiss-Cohen"), null = null_error(1 - apart^2)),
       given = c(of(own), null = null_error(own)))
}

# Fleiss' kappa, a second derivation -----------------------------------------------------------------------------------

many_readers <- function(n, readers, k, noise, prob = rep(1 / k, k)) {
  truth <- sample(k, n, TRUE, prob)
  t(sapply(truth, function(x) ifelse(runif(readers) < noise, sample(k, readers, TRUE, prob), x)))
}
panels <- list(
  ordinary = many_readers(40, 6, 4, 0.4),
  two_readers = many_readers(30, 2, 3, 0.3),
  yes_or_no = many_readers(50, 5, 2, 0.3, c(0.8, 0.2)),
  chance = many_readers(25, 4, 3, 1.0),
  rare = many_readers(60, 3, 3, 0.1, c(0.94, 0.04, 0.02)),
  three_patients = matrix(c(1, 1, 2, 2, 2, 2, 1, 2, 3), 3, byrow = TRUE))

fleiss <- function(ratings, weight = rep(1, nrow(ratings))) {
  weight <- weight / sum(weight)
  m <- ncol(ratings)
  agree <- apply(ratings, 1, function(x) { same <- 0; for (a in 1:m) for (b in 1:m) if (a != b) same <- same + (x[a] == x[b]); same / (m * (m - 1)) })
  shares <- sapply(sort(unique(c(ratings))), function(k) sum(weight * rowMeans(ratings == k)))
  list(observed = sum(weight * agree), expected = sum(shares^2), shares = shares)
}
kappa_from <- function(f) (f$observed - f$expected) / (1 - f$expected)

fleiss_of <- function(ratings) {
  n <- nrow(ratings); m <- ncol(ratings)
  f <- fleiss(ratings); kappa <- kappa_from(f); p <- f$shares
  null <- sqrt(2) / (sum(p * (1 - p)) * sqrt(n * m * (m - 1))) * sqrt(sum(p * (1 - p))^2 - sum(p * (1 - p) * (1 - 2 * p)))
  # The derivative of kappa by each patient's weight, by differences of fourth order.
  slope <- sapply(seq_len(n), function(i) {
    at <- function(h) { w <- rep(1, n); w[i] <- 1 + h; kappa_from(fleiss(ratings, w)) }
    h <- 1e-2
    n * (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
  })
  error <- sqrt(sum(slope^2) / (n * (n - 1)))
  categories <- sort(unique(c(ratings)))
  each <- t(sapply(categories, function(k) {
    one <- fleiss(1 * (ratings == k))
    c(kappa_from(one), kappa_from(one) / sqrt(2 / (n * m * (m - 1))))
  }))
  list(ratings = ratings, value = kappa, observed = f$observed, expected = f$expected,
       null = null, z = kappa / null, p = 2 * pnorm(-abs(kappa / null)), error = error,
       interval = kappa + c(-1, 1) * qt(0.975, n - 1) * error, null_interval = kappa + c(-1, 1) * qnorm(0.975) * null,
       category_value = each[, 1], category_z = each[, 2],
       unanimous = mean(apply(ratings, 1, function(x) length(unique(x)) == 1)))
}

# Intraclass correlations ----------------------------------------------------------------------------------------------

measured <- function(n, k, patients, readers, noise, digits) {
  round(100 + outer(rnorm(n, sd = patients), rnorm(k, sd = readers), "+") + rnorm(n * k, sd = noise), digits)
}
tables <- list(
  good = measured(30, 3, 5, 0.5, 1, 3),
  readers_differ = measured(25, 4, 3, 3, 1, 3),
  poor = measured(40, 2, 0.2, 0.1, 2, 3),
  whole_numbers = measured(20, 5, 1.5, 0.5, 1, 0),
  negative = matrix(c(1, 5, 2, 4, 3, 3, 4, 2, 5, 1.5), 5, byrow = TRUE),
  two_by_two = matrix(c(1, 1.5, 4, 5), 2, byrow = TRUE),
  shrout_and_fleiss = matrix(c(9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7), 6, byrow = TRUE))

icc_of <- function(x) {
  of <- function(alpha) {
    found <- suppressWarnings(suppressMessages(ICC(x, lmer = FALSE, alpha = alpha)))
    as.matrix(found$results[, -1])
  }
  list(table = x, icc_95 = unname(of(0.05)), icc_90 = unname(of(0.10)))
}

limits_of <- function(x) {
  d <- x[, 1] - x[, 2]; n <- length(d)
  z <- qnorm(0.975); t <- qt(0.975, n - 1); ends <- mean(d) + c(-1, 1) * z * sd(d)
  half <- t * sd(d) * sqrt(1 / n + z^2 / (2 * (n - 1)))
  list(bias = t.test(d)$estimate[[1]], bias_interval = as.numeric(t.test(d)$conf.int), sd = sd(d), limits = ends,
       lower = ends[1] + c(-half, half), upper = ends[2] + c(-half, half))
}

# Several readers, several modalities ----------------------------------------------------------------------------------

# scores[modality, patient, reader]
study <- function(positives, negatives, modalities, readers, shift, digits) {
  labels <- rep(c(1, 0), c(positives, negatives))
  n <- length(labels); case <- rnorm(n)
  scores <- array(0, c(modalities, n, readers))
  for (i in 1:modalities) for (j in 1:readers)
    scores[i, , j] <- round(case + rnorm(n) + labels * (shift + 0.3 * i + rnorm(1, sd = 0.3)), digits)
  list(labels = labels, scores = scores)
}
studies <- list(
  two_by_four = study(20, 25, 2, 4, 0.8, 4),
  three_by_three_with_ties = study(18, 22, 3, 3, 1.0, 0),
  two_by_two = study(8, 6, 2, 2, 0.5, 3),
  one_reader = study(25, 30, 2, 1, 0.7, 4),
  four_patients = list(labels = c(1, 1, 0, 0), scores = aperm(array(c(1, 3, 2, 2, 4, 1, 3, 1, 2, 4, 1, 2, 3, 3, 1, 0), c(4, 2, 2)), c(2, 1, 3))))

curve <- function(labels, scores) roc(labels, scores, levels = c(0, 1), direction = "<", quiet = TRUE)

covariances <- function(labels, scores, method) {
  # Columns of `flat`: readers within modalities.
  d <- dim(scores); flat <- do.call(cbind, lapply(1:d[1], function(i) matrix(scores[i, , ], d[2], d[3])))
  if (method == "DeLong") {
    curves <- apply(flat, 2, function(s) curve(labels, s), simplify = FALSE)
    # pROC's covariance of a curve with itself is its variance.
    return(suppressWarnings(sapply(curves, function(a) sapply(curves, function(b) cov(a, b, method = "delong")))))
  }
  without <- sapply(seq_along(labels), function(i)
    apply(flat, 2, function(s) as.numeric(auc(curve(labels[-i], s[-i])))))
  n <- length(labels)
  base::tcrossprod(without - rowMeans(without)) * (n - 1) / n
}

compare <- function(areas, covariance, sampling) {
  I <- nrow(areas); J <- ncol(areas)
  long <- data.frame(area = c(t(areas)), modality = factor(rep(1:I, each = J)), reader = factor(rep(1:J, I)))
  if (J > 1) {
    squares <- suppressWarnings(anova(lm(area ~ modality + reader, long)))
    MT <- squares["modality", "Mean Sq"]; MTR <- squares["Residuals", "Mean Sq"]
  } else { MT <- var(areas[, 1]); MTR <- NA }
  pick <- function(modality, reader) {
    values <- c()
    for (a in seq_len(I * J)) for (b in seq_len(I * J))
      if ((long$modality[a] == long$modality[b]) == modality && (long$reader[a] == long$reader[b]) == reader)
        values <- c(values, covariance[a, b])
    if (is.null(values)) 0 else mean(values)
  }
  v <- c(pick(TRUE, TRUE), pick(FALSE, TRUE), pick(TRUE, FALSE), pick(FALSE, FALSE))
  extra <- max(v[3] - v[4], 0)
  if (sampling == "cases") {
    down <- v[1] - v[2] + (J - 1) * extra; df <- Inf
  } else {
    down <- MTR + if (sampling == "readers and cases") J * extra else 0
    df <- down^2 / (MTR^2 / ((I - 1) * (J - 1)))
  }
  f <- MT / down
  p <- if (is.infinite(df)) pchisq((I - 1) * f, I - 1, lower.tail = FALSE) else pf(f, I - 1, df, lower.tail = FALSE)
  error <- sqrt(2 / J * down)
  differences <- combn(I, 2, function(k) {
    d <- mean(areas[k[1], ]) - mean(areas[k[2], ])
    c(d, max(-1, d - qt(0.975, df) * error), min(1, d + qt(0.975, df) * error), 2 * pt(-abs(d / error), df))
  })
  own <- sapply(1:I, function(i) {
    block <- covariance[(i - 1) * J + 1:J, (i - 1) * J + 1:J, drop = FALSE]
    shared <- if (J > 1) max(mean(block[upper.tri(block)]), 0) else 0
    between <- var(areas[i, ])
    if (sampling == "cases") { u <- sum(block) / J^2; k <- Inf }
    else if (sampling == "readers") { u <- between / J; k <- J - 1 }
    else { u <- (between + J * shared) / J; k <- (between + J * shared)^2 / (between^2 / (J - 1)) }
    m <- mean(areas[i, ])
    c(m, max(0, m - qt(0.975, k) * sqrt(u)), min(1, m + qt(0.975, k) * sqrt(u)), sqrt(u))
  })
  list(f = f, df2 = if (is.infinite(df)) 1e300 else df, p = p, differences = t(differences), own = t(own),
       components = c(MT, MTR, v))
}

study_of <- function(s) {
  d <- dim(s$scores)
  areas <- t(sapply(1:d[1], function(i) sapply(1:d[3], function(j) as.numeric(auc(curve(s$labels, s$scores[i, , j]))))))
  if (d[3] == 1) areas <- t(areas)
  kinds <- if (d[3] > 1) c("readers and cases", "cases", "readers") else "cases"
  each <- lapply(c(jackknife = "jackknife", DeLong = "DeLong"), function(method) {
    covariance <- covariances(s$labels, s$scores, method)
    list(covariance = covariance, sampling = setNames(lapply(kinds, function(k) compare(areas, covariance, k)), kinds))
  })
  answer <- c(s, list(areas = areas), each)
  if (d[3] == 1) {
    test <- roc.test(curve(s$labels, s$scores[1, , 1]), curve(s$labels, s$scores[2, , 1]), method = "delong")
    answer$delong <- list(z = unname(test$statistic), p = test$p.value)
  }
  answer
}

# Readers' points against a model --------------------------------------------------------------------------------------

newcombe <- function(one, two, level = 0.95) {
  n <- length(one)
  a <- sum(one & two); b <- sum(one & !two); c <- sum(!one & two); d <- n - a - b - c
  w <- function(x) as.numeric(suppressWarnings(prop.test(x, n, correct = FALSE, conf.level = level))$conf.int)
  p1 <- (a + b) / n; p2 <- (a + c) / n; i1 <- w(a + b); i2 <- w(a + c)
  margins <- prod(c(a + b, c + d, a + c, b + d))
  phi <- if (margins == 0) 0 else { e <- a * d - b * c; (if (e > n / 2) e - n / 2 else if (e >= 0) 0 else e) / sqrt(margins) }
  low <- sqrt((p1 - i1[1])^2 - 2 * phi * (p1 - i1[1]) * (i2[2] - p2) + (i2[2] - p2)^2)
  high <- sqrt((i1[2] - p1)^2 - 2 * phi * (i1[2] - p1) * (p2 - i2[1]) + (p2 - i2[1])^2)
  c(p1 - p2, p1 - p2 - low, p1 - p2 + high, if (b + c == 0) 1 else binom.test(b, b + c)$p.value)
}

panel <- function(n, readers, digits) {
  labels <- rbinom(n, 1, 0.4); case <- rnorm(n)
  calls <- sapply(1:readers, function(j) 1 * (case + rnorm(n) + 1.2 * labels > runif(1, 0, 1.5)))
  list(labels = labels, scores = round(case + rnorm(n) + 1.5 * labels, digits), calls = calls,
       groups = sample(rep(c("junior", "senior"), length.out = readers)))
}
against <- list(
  ordinary = panel(80, 6, 4),
  ties = panel(60, 5, 0),
  few = list(labels = c(1, 1, 1, 0, 0, 0), scores = c(0.9, 0.5, 0.5, 0.5, 0.2, 0.1),
             calls = matrix(c(1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0), 6),
             groups = c("senior", "senior", "junior", "junior")))

against_of <- function(t) {
  pos <- t$labels == 1
  every <- sort(unique(c(t$scores, Inf)))
  lowest <- function(spec) min(every[sapply(every, function(x) mean(t$scores[!pos] < x)) >= spec - 1e-9])
  highest <- function(sens) max(every[sapply(every, function(x) mean(t$scores[pos] >= x)) >= sens - 1e-9])
  # JSON has no infinity; 1e300 stands for it.
  finite <- function(x) if (is.infinite(x)) 1e300 else x
  readers <- t(apply(t$calls, 2, function(said) {
    at <- lowest(mean(said[!pos] == 0)); to <- highest(mean(said[pos] == 1))
    c(mean(said[pos]), 1 - mean(said[!pos]), finite(at), newcombe((t$scores >= at)[pos], said[pos] == 1),
      finite(to), newcombe((t$scores < to)[!pos], said[!pos] == 0))
  }))
  groups <- lapply(split(seq_along(t$groups), t$groups), function(own) {
    said <- t$calls[, own, drop = FALSE]; J <- length(own)
    sens <- mean(said[pos, ]); spec <- 1 - mean(said[!pos, ])
    at <- lowest(spec); gain <- (t$scores >= at)[pos] - said[pos, , drop = FALSE]
    over <- function(gain) {
      m <- mean(gain); n <- nrow(gain); e <- sd(rowMeans(gain)) / sqrt(n)
      S <- cov(gain) / n; between <- var(colMeans(gain)); shared <- max(mean(S[upper.tri(S)]), 0)
      u <- between + J * shared; df <- u^2 / (between^2 / (J - 1)); r <- sqrt(u / J)
      list(fixed = c(m, max(-1, m - qnorm(0.975) * e), min(1, m + qnorm(0.975) * e), 2 * pnorm(-abs(m / e))),
           random = c(m, max(-1, m - qt(0.975, df) * r), min(1, m + qt(0.975, df) * r), 2 * pt(-abs(m / r), df)))
    }
    # Wilson's interval with the number of patients that the spread is worth.
    share <- function(x) {
      p <- mean(x); v <- var(x) / length(x); k <- if (v > 0) p * (1 - p) / v else length(x); z <- qnorm(0.975)
      p + c(0, 0, 0) + c(0, (z^2 * (1 - 2 * p) / (2 * k) + c(-1, 1) * z * sqrt(p * (1 - p) / k + z^2 / (4 * k^2))) / (1 + z^2 / k))
    }
    c(list(sensitivity = share(rowMeans(said)[pos]), specificity = share(1 - rowMeans(said)[!pos]), threshold = finite(at)), over(gain))
  })
  c(t, list(readers = readers, by_group = groups))
}

# Student's and the normal distribution, 0 standing for infinitely many degrees of freedom
tails <- list(c(0, 0.95), c(10, 0.95), c(2.5, 0.9), c(1, 0.99)); values <- list(c(-1.96, 0), c(2.2, 10), c(40, 2.5), c(0, 3))
student <- list(tails = tails, qt = sapply(tails, function(x) qt((1 + x[2]) / 2, if (x[1]) x[1] else Inf)),
                values = values, pt = sapply(values, function(x) 2 * pt(-abs(x[1]), if (x[2]) x[2] else Inf)))

written <- list(
  versions = list(R = as.character(getRversion()), psych = as.character(packageVersion("psych")),
                  vcd = as.character(packageVersion("vcd")), pROC = as.character(packageVersion("pROC")),
                  jsonlite = as.character(packageVersion("jsonlite"))),
  kappa = lapply(pairs, kappa_of), fleiss = lapply(panels, fleiss_of),
  icc = lapply(tables, icc_of), limits = lapply(tables[c("good", "poor", "whole_numbers")], limits_of),
  studies = lapply(studies, study_of), against = lapply(against, against_of), student = student)
write_json(written, "tests/reference/agreement.json", digits = NA, auto_unbox = TRUE, na = "null", null = "null")
