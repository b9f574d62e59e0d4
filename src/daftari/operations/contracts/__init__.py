"""Lint, import and test contracts, and show their history."""
