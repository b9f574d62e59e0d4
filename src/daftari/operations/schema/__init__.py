"""Bring a database to the contracts, and verify that it is there."""
