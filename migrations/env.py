"""Alembic's way in: migrations run on the connection that ``nova_lite.db.migration`` hands over."""

from alembic import context

from nova_lite.db.schema import METADATA


def include_object(thing: object, name: str | None, kind: str, reflected: bool, compared: object) -> bool:
    """Leave tables of other programs in the same database alone."""
    return kind != "table" or name in METADATA.tables


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    include_object=include_object,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
