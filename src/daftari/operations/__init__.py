"""One verb a module. The terminal, the API and the schedule call the same ones."""
