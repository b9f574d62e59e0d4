"""The HTTP API: parse, call one operation, answer. PostgreSQL decides, in the caller's role."""
