"""The history of the database's schema (Alembic); installed as nova_lite.migrations."""
