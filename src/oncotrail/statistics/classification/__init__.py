"""Calling patients positive at a threshold, and how often that is right."""
