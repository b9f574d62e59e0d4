"""Everything that talks to the outside: database, files, keys, notifications."""
