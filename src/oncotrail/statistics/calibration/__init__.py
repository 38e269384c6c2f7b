"""Whether predicted probabilities are those that happen."""
