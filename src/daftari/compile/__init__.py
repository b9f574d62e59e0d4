"""From a contract to SQL, dbt and check suites, as text. Pure."""
