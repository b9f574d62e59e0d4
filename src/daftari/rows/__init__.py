"""A row on its way in: formats, mapping, rules. Pure."""
