"""Which column of a file becomes which field."""
