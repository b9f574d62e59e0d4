"""Rows out of tables, in the caller's role: pages, exports, Parquet."""
