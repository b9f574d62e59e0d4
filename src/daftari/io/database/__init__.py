"""Connections, prepared statements, named SQL, and the migrations of platform and workspace."""
