"""Checks of whole tables by Great Expectations."""
