"""Checkpoint, export and verify the audit; undo a run."""
