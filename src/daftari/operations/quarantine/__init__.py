"""Correct, replay and export rejected rows."""
