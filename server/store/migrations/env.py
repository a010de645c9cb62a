"""Alembic's entry: runs the migrations on the connection that `server.store.schema` hands over."""

from alembic import context
from sqlmodel import SQLModel

from server.store import history_tables, tables, webhook_tables

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    # SQLite cannot alter a table in place; Alembic copies it instead.
    render_as_batch=connection.dialect.name == "sqlite",
)
for model in (tables.SessionRow, webhook_tables.WebhookRow, history_tables.HistoryChunkRow):
    assert model.metadata is SQLModel.metadata  # noqa: S101 - the imports fill the metadata
context.run_migrations()
