"""The Alembic environment that runs the version files of a workspace."""
