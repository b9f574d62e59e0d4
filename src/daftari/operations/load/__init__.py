"""Load a file: open, preview, judge, write."""
