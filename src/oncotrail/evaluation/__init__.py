"""Predictions -> what a paper reports: figures with intervals, comparisons, the baseline table."""
