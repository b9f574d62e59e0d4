"""Marts: built by dbt, published together, read by roles, shown as reports."""
