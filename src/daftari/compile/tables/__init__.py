"""Tables, columns, keys and checks, as objects."""
