"""The rules for each row, and their verdict."""
