"""Show runs and the state of datasets."""
