"""Records that a caller sends into tables, in the caller's role, once."""
