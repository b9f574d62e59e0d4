"""Dates, numbers, texts and booleans as people write them, and how to infer a column's format."""
