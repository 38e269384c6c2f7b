"""Reports: one HTML file that a clinician and a statistician can read."""
