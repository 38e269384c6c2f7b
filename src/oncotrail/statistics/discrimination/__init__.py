"""How well a score separates patients with the outcome from those without."""
