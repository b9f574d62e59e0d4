"""Checks of whole tables: suites, conditions, verdicts."""
