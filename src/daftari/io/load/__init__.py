"""Rows of files into tables: bulk load, as operator or as caller."""
