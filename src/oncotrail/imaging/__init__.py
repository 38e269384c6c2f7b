"""A scan on disk -> pixels with spacing; de-identified on the way in, decoded once."""
