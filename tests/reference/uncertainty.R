# What R says about resampling, for tests/statistics/uncertainty: bootstrap intervals on exported resamples, exact
# permutation tests, corrected resampled t tests, expected maxima. The tables are made here and go into the JSON;
# a resample is a string, one character per patient: how often the patient was drawn, 0 to 9.
#
# From the repository's root:  Rscript tests/reference/uncertainty.R
# Needs r-base-core, r-cran-boot, r-cran-exactranktests, r-cran-mvtnorm, r-cran-jsonlite.

suppressPackageStartupMessages({ library(boot); library(exactRankTests); library(mvtnorm); library(jsonlite) })
set.seed(1987)

## Figures of a model, written from their definitions

auc <- function(y, s) {
  above <- outer(s[y == 1], s[y == 0], "-")
  mean((above > 0) + 0.5 * (above == 0))
}
average_precision <- function(y, s) {
  if (!any(y == 1)) return(NaN)
  cuts <- sort(unique(s), decreasing = TRUE)
  precision <- sapply(cuts, function(cut) mean(y[s >= cut]))
  recall <- sapply(cuts, function(cut) mean(s[y == 1] >= cut))
  sum(diff(c(0, recall)) * precision)
}
figures <- function(y, s, threshold = 0.5) {
  called <- s >= threshold
  tp <- sum(called & y == 1); fp <- sum(called & y == 0); tn <- sum(!called & y == 0); fn <- sum(!called & y == 1)
  c(auc = auc(y, s), average_precision = average_precision(y, s), brier = mean((s - y)^2),
    scaled_brier = 1 - mean((s - y)^2) / (mean(y) * (1 - mean(y))), observed_expected = mean(y) / mean(s),
    accuracy = (tp + tn) / length(y), balanced_accuracy = (tp / (tp + fn) + tn / (tn + fp)) / 2,
    sensitivity = tp / (tp + fn), specificity = tn / (tn + fp), ppv = tp / (tp + fp), npv = tn / (tn + fn),
    f1 = 2 * tp / (2 * tp + fp + fn),
    mcc = (tp * tn - fp * fn) / sqrt(tp + fp) / sqrt(tp + fn) / sqrt(tn + fp) / sqrt(tn + fn))
}

## Bootstrap of patients, each with all of its images

made <- function(patients, images, digits, prevalence = 0.4) {
  patient <- rep(seq_len(patients), times = images)
  outcome <- as.integer(seq_len(patients) <= max(3, round(prevalence * patients)))
  level <- rnorm(patients, 0.9 * outcome - 0.5)
  score <- round(plogis(level[patient] + rnorm(length(patient), sd = 0.6)), digits)
  other <- round(plogis(0.6 * level[patient] + rnorm(length(patient), sd = 0.9)), digits)
  shuffled <- sample(length(patient))
  list(patient = patient[shuffled], label = outcome[patient[shuffled]], score = score[shuffled],
       other = other[shuffled], outcome = outcome, site = rep_len(c("B", "A", "B"), patients))
}

# As boot's own, but replicates that equal the estimate count one half; `half` = 0 is boot's.
ends_of_bca <- function(t, t0, L, conf, half) {
  t <- t[is.finite(t)]
  tied <- abs(t - t0) < 1e-9
  w <- qnorm((sum(t < t0 & !tied) + half * sum(tied)) / length(t))
  a <- sum(L^3) / (6 * sum(L^2)^1.5)
  z <- w + qnorm((1 + c(-conf, conf)) / 2)
  as.numeric(suppressWarnings(boot:::norm.inter(t, pnorm(w + z / (1 - a * z))))[, 2])
}

bootstrapped <- function(table, R, strata = NULL, conf = 0.95) {
  n <- length(table$outcome)
  images <- split(seq_along(table$patient), table$patient)
  statistic <- function(data, drawn) {
    rows <- unlist(images[drawn])
    first <- figures(table$label[rows], table$score[rows]); second <- figures(table$label[rows], table$other[rows])
    c(first, difference_auc = unname(first["auc"] - second["auc"]),
      difference_brier = unname(first["brier"] - second["brier"]), median = median(table$score[rows]))
  }
  stratum <- if (is.null(strata)) rep(1, n) else as.integer(factor(strata))
  run <- boot(seq_len(n), statistic, R = R, strata = stratum)
  drawn <- boot.array(run)
  answers <- lapply(seq_along(run$t0), function(k) {
    t <- run$t[, k]; t0 <- unname(run$t0[k])
    # Davison and Hinkley's empirical influence of a stratum is divided by its size.
    L <- empinf(run, index = k, type = "jack") / as.numeric(table(stratum)[stratum])
    undefined <- sum(!is.finite(t))
    if (!is.finite(t0) || diff(range(t, na.rm = TRUE)) < 1e-12) return(list(value = t0, undefined = undefined))
    two <- suppressWarnings(boot.ci(run, conf = conf, type = c("perc", "basic"), index = k))
    ends <- list(value = t0, undefined = undefined, percentile = two$percent[4:5], basic = two$basic[4:5],
                 standard_error = sd(t[is.finite(t)]), bias = mean(t[is.finite(t)]) - t0)
    # Leaving out the only patient called positive; a median that no single patient moves.
    if (!all(is.finite(L)) || max(abs(L)) < 1e-9) return(ends)
    bca <- suppressWarnings(boot.ci(run, conf = conf, type = "bca", index = k, L = L))
    stopifnot(max(abs(bca$bca[4:5] - ends_of_bca(t, t0, L, conf, 0))) < 1e-12 || any(abs(t - t0) < 1e-9 & t != t0, na.rm = TRUE))
    c(ends, list(bca = bca$bca[4:5], influence = L, tied = sum(abs(t - t0) < 1e-9, na.rm = TRUE),
                 bca_half = ends_of_bca(t, t0, L, conf, 0.5)))
  })
  list(table = table, strata = strata, confidence = conf, threshold = 0.5,
       resamples = apply(drawn, 1, paste, collapse = ""), figures = setNames(answers, names(run$t0)))
}

small <- made(24, sample(1:3, 24, TRUE), 6); tied <- made(30, rep(2, 30), 1); rare <- made(40, rep(1:2, 20), 6, 0.12)
bootstraps <- list(images = bootstrapped(small, 999), ties = bootstrapped(tied, 499),
                   outcome = bootstrapped(rare, 499, rare$outcome), site = bootstrapped(small, 400, small$site, 0.9))

# The mean of a real column, once more without our figures.
nodes <- c(3, 12, 9, 7, 26, 5, 3, 1, 11, 2, 21, 1, 1, 3, 5, 4)
mean_run <- boot(nodes, function(x, i) mean(x[i]), R = 999)
mean_L <- empinf(mean_run, type = "jack")
mean_ends <- boot.ci(mean_run, type = c("perc", "basic", "bca"), L = mean_L)
mean_answer <- list(values = nodes, resamples = apply(boot.array(mean_run), 1, paste, collapse = ""),
  value = mean_run$t0, tied = sum(abs(mean_run$t - mean_run$t0) < 1e-9), percentile = mean_ends$percent[4:5], basic = mean_ends$basic[4:5],
  bca = mean_ends$bca[4:5], bca_half = ends_of_bca(mean_run$t[, 1], mean_run$t0, mean_L, 0.95, 0.5), replicates_near = mean(mean_run$t))

## Permutation tests of one score

rank_tests <- lapply(list(plain = list(x = c(1.1, 2.4, 3.6, 4.2, 6.0), y = c(0.3, 1.0, 1.9, 2.2, 2.9, 3.1)),
                          tied = list(x = c(1, 2, 2, 3, 5), y = c(0, 1, 1, 2, 3, 0, 1)),
                          tiny = list(x = c(2, 5), y = c(1, 3)),
                          worse = list(x = c(0.1, 0.2, 0.25, 0.7), y = c(0.3, 0.5, 0.6, 0.8, 0.9))), function(groups)
  c(groups, list(
    two_sided = wilcox.exact(groups$x, groups$y)$p.value,
    greater = wilcox.exact(groups$x, groups$y, alternative = "greater")$p.value,
    base_two_sided = if (anyDuplicated(c(groups$x, groups$y))) NULL else wilcox.test(groups$x, groups$y, exact = TRUE)$p.value,
    base_greater = if (anyDuplicated(c(groups$x, groups$y))) NULL else
      wilcox.test(groups$x, groups$y, exact = TRUE, alternative = "greater")$p.value)))

## Swapping two models within patients: the Brier score's difference is a sum of signed differences

swaps <- lapply(c(8, 11), function(n) {
  label <- rep_len(c(1, 0, 0), n); first <- round(runif(n), 3); second <- round(runif(n), 3)
  gain <- (first - label)^2 - (second - label)^2
  whole <- round(gain * 1e6)
  signs <- as.matrix(expand.grid(rep(list(c(-1, 1)), n)))
  sums <- signs %*% whole
  list(label = label, first = first, second = second, two_sided = mean(abs(sums) >= abs(sum(whole))),
       perm_test = perm.test(whole, paired = FALSE, mu = 0, exact = TRUE)$p.value)
})

## Folds: R's t test, its standard error widened

folds <- lapply(list(c(0.71, 0.78, 0.69, 0.74, 0.8), rnorm(30, 0.02, 0.03), c(0.6, 0.9)), function(x) {
  x <- round(x, 6); train <- 560; test <- 140
  plain <- t.test(x)
  error <- plain$stderr * sqrt(length(x)) * sqrt(1 / length(x) + test / train)
  t <- mean(x) / error; df <- unname(plain$parameter)
  list(figures = x, train = train, test = test, naive = as.numeric(plain$conf.int), standard_error = error, t = t, df = df,
       low = mean(x) - qt(0.975, df) * error, high = mean(x) + qt(0.975, df) * error, p = 2 * pt(-abs(t), df),
       spread = sd(x) * sqrt(df / c(df, qchisq(c(0.975, 0.025), df))))
})

## The best of N

maxima <- lapply(c(1, 2, 3, 5, 10, 50, 100, 1000), function(N) list(models = N, expected =
  integrate(function(x) x * N * dnorm(x) * pnorm(x)^(N - 1), -Inf, Inf, rel.tol = 1e-12, subdivisions = 1000)$value))

# The winner's luck in exact terms: for each model, its error where its figure is the highest of all (by the
# normal distribution of the differences; Tallis 1961), with mvtnorm for the probabilities.
luck <- function(truth, covariance) {
  N <- length(truth)
  sum(sapply(seq_len(N), function(i) {
    others <- setdiff(seq_len(N), i)
    D <- matrix(0, N - 1, N); D[, i] <- 1; D[cbind(seq_len(N - 1), others)] <- -1
    mean_d <- as.numeric(D %*% truth); cov_d <- D %*% covariance %*% t(D)
    with_i <- as.numeric(D %*% covariance[, i])
    # E[e_i; all differences >= 0] = sum_k c_k phi_k P(others >= 0 | d_k = 0), c = regression of e_i on the differences
    slope <- solve(cov_d, with_i)
    sum(sapply(seq_len(N - 1), function(k) {
      density <- dnorm(0, mean_d[k], sqrt(cov_d[k, k]))
      rest <- setdiff(seq_len(N - 1), k)
      p <- if (!length(rest)) 1 else {
        m <- mean_d[rest] - cov_d[rest, k] / cov_d[k, k] * mean_d[k]
        V <- cov_d[rest, rest, drop = FALSE] - cov_d[rest, k] %o% cov_d[k, rest] / cov_d[k, k]
        as.numeric(pmvnorm(rep(0, length(rest)), rep(Inf, length(rest)), m, sigma = V, algorithm = GenzBretz(abseps = 1e-10, maxpts = 1e7)))
      }
      with_i[k] * density * p
    }))
  }))
}
correlated <- lapply(list(
  list(truth = c(0, 0), sd = c(1, 1), rho = 0), list(truth = c(0.8, 0.75), sd = c(0.03, 0.04), rho = 0.6),
  list(truth = c(0.8, 0.79, 0.74), sd = c(0.03, 0.02, 0.04), rho = 0.5), list(truth = c(0, 0, 0, 0), sd = rep(0.05, 4), rho = 0.8)),
  function(case) {
    N <- length(case$truth)
    R <- matrix(case$rho, N, N); diag(R) <- 1
    covariance <- R * outer(case$sd, case$sd)
    list(truth = case$truth, covariance = covariance, luck = luck(case$truth, covariance))
  })

# Folds by models; higher is better. Tibshirani and Tibshirani 2009, for figures instead of errors.
fold_tables <- lapply(list(c(5, 3), c(10, 6)), function(size) {
  x <- matrix(round(runif(prod(size), 0.6, 0.9), 3), size[1])
  winner <- which.max(colMeans(x))
  bias <- mean(apply(x, 1, max) - x[, winner])
  each <- 2 * x[, winner] - apply(x, 1, max); J <- size[1]; plain <- t.test(each)
  wide <- plain$stderr * sqrt(J) * sqrt(1 / J + 1 / (J - 1))
  list(figures = x, winner = winner, train = 10 * (J - 1), test = 10, apparent = max(colMeans(x)), optimism = bias,
       corrected = max(colMeans(x)) - bias, low = mean(each) - qt(0.975, J - 1) * wide, high = mean(each) + qt(0.975, J - 1) * wide)
})

# BBC-CV on the resamples above: choose on those drawn, look at those left out.
bbc <- with(bootstraps$ties, {
  n <- length(table$outcome)
  models <- list(table$score, table$other, round(0.5 * table$score + 0.5 * table$other, 3))
  drawn <- t(sapply(strsplit(resamples, ""), as.integer))
  out <- apply(drawn, 1, function(times) {
    rows <- rep(seq_along(table$patient), times = times[table$patient])
    inside <- sapply(models, function(s) auc(table$label[rows], s[rows]))
    left <- which(times[table$patient] == 0)
    winner <- which.max(inside)
    c(winner, auc(table$label[left], models[[winner]][left]))
  })
  whole <- sapply(models, function(s) auc(table$label, s))
  kept <- out[2, is.finite(out[2, ])]
  list(models = models, apparent = max(whole), winner = which.max(whole), corrected = mean(kept), undefined = sum(!is.finite(out[2, ])),
       wins = tabulate(out[1, ], 3), percentile = as.numeric(boot:::norm.inter(kept, c(0.025, 0.975))[, 2]))
})

versions <- lapply(setNames(nm = c("boot", "exactRankTests", "mvtnorm", "jsonlite")), function(p) as.character(packageVersion(p)))
written <- list(versions = c(list(R = as.character(getRversion())), versions), bootstraps = bootstraps, mean = mean_answer,
                rank_tests = rank_tests, swaps = swaps, folds = folds, maxima = maxima, correlated = correlated,
                fold_tables = fold_tables, bbc = bbc)
write_json(written, "tests/reference/uncertainty.json", digits = NA, auto_unbox = TRUE, na = "null", null = "null")
