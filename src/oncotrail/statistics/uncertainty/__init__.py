"""Resampling: how much a figure would move with other patients, folds or seeds."""
