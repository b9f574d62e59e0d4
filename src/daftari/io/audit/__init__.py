"""The audit in the database: entries, tables, row history, undo, anchors, signing key."""
