"""Rows on their way to the server: blocks, records, totals, batches."""
