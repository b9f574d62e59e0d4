"""dbt files generated from contracts."""
