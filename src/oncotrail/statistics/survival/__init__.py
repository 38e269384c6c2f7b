"""Time to an event, some of it unseen: curves, tests, discrimination, calibration."""
