"""The platform's own tables, in SQLite or PostgreSQL."""
