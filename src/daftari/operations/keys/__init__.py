"""Rotate, renew, lend and destroy keys; reveal sealed fields for a purpose."""
