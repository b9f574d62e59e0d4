"""Check tables against the quality rules of their contracts."""
