"""Run the main job on invented data."""
