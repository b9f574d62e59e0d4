"""One verb per module. The terminal, the API and the schedule call the same operations."""
