"""Delimited text as rows: encoding, layout, header, records."""
