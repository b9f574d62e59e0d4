"""Protection as pure rules: what is left of a value that may not be seen whole, and how a record is proved."""
