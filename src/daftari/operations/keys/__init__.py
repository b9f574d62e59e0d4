"""Rotate keys, begin epochs, give keys to sessions; reveal sealed fields for a purpose."""
