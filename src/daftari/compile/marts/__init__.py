"""dbt files, from contracts."""
