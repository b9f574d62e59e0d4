"""Incoming rows: formats, mapping, rules. Pure."""
