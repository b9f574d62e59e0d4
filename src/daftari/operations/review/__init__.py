"""Start, decide, close and show an access review."""
