"""Marts: built by dbt, published at once, read by roles, shown as reports."""
