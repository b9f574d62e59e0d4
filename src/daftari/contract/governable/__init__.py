"""What a contract needs, beyond ODCS, for its dataset to be governed."""
