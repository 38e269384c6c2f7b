"""A cohort comes in: every problem found at once, nobody named, nobody dropped silently."""
