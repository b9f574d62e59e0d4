"""Apply contracts to a database, and verify them."""
