"""Alembic's entry: runs the migrations on the connection that `server.store.schema` hands over."""

from alembic import context
from sqlmodel import SQLModel

from server.store import tables

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    # SQLite cannot alter a table in place; Alembic copies it instead.
    render_as_batch=connection.dialect.name == "sqlite",
)
assert tables.SessionRow.metadata is SQLModel.metadata  # noqa: S101 - the import fills the metadata
context.run_migrations()
