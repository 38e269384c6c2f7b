"""How many patients a study needs."""
