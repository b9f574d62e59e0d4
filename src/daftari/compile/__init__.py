"""Compile contracts to SQL, dbt files and check suites, as text. Pure."""
