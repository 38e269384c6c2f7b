"""A registered model on new patients: what it needs on disk, and its predictions."""
