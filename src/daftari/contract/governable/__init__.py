"""What a contract needs, beyond valid ODCS, before its dataset can be governed."""
