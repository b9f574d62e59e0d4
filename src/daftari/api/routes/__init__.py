"""One module a route: read, write, upload, health."""
