"""Models that are fitted: logistic and Cox, their splines, penalties, checks and points."""
