"""From the live database to the wanted one: differences, classes, statements."""
