"""The workspace's own PostgreSQL: its programs, its folder, its settings, its processes."""
