"""Rejected rows, kept until they are corrected."""
