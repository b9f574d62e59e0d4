"""Writes the records that callers send, in the caller's role, each request once."""
