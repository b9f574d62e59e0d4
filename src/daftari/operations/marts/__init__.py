"""Build marts, publish them, and grant them to their readers."""
