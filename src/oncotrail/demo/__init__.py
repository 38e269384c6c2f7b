"""Cohorts that never lived: procedural images in real formats, with planted effects."""
