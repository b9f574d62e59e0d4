"""Issue tokens."""
