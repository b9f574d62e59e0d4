"""What Alembic's commands run: the version files, on the connection and in the transaction that they are given."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table_schema=context.config.attributes["version_schema"],
)
with context.begin_transaction():
    context.run_migrations()
