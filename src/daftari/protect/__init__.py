"""Sealing, masking and audit verification, as pure functions."""
