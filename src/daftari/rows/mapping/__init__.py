"""How the columns of a file map to fields."""
