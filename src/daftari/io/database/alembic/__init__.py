"""The environment in which Alembic runs the version files of a workspace."""
