"""The way from a live database to the wanted one: differences, classes, statements."""
