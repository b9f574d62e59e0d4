"""Check tables against what their contracts promise."""
