"""The history of the database's schema (Alembic); installed as nova_lite.migrations."""

HEAD = "0025"
"""The newest revision, told here so that daemons need not load Alembic to check the database."""
