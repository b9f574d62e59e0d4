"""Protection as pure rules: what is left of a value that somebody may not see whole."""
