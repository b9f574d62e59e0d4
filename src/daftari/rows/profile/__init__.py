"""The profile of a file, for a first contract: types, keys, personal fields, lines that are not rows."""
