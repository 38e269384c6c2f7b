"""Whether readers, and models among them, say the same."""
