"""Read rows and their history, in the caller's role."""
