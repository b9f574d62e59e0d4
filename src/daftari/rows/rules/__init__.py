"""The rules that each row must meet, and their verdict."""
