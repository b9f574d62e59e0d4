"""Runs the version files on the given connection, in its transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table_schema=context.config.attributes["version_schema"],
)
with context.begin_transaction():
    context.run_migrations()
