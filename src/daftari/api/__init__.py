"""The HTTP edge: parse, call one operation, show. It decides nothing; PostgreSQL does, in the caller's role."""
