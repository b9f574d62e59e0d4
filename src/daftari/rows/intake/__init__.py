"""Rows before the database: blocks, records, totals, batches."""
