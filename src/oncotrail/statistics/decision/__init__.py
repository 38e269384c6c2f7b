"""What a score is worth to those who decide by it."""
