"""Protection as pure rules."""
