"""Dates, numbers, texts and booleans as people write them, and which format a column is in."""
