"""The workspace's folder: its files, mappings, generated files, secrets, and the scaffold of a new one."""
