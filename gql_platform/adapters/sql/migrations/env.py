"""What Alembic runs: the steps, on the connection that it is given, in its transaction."""

from alembic import context

from gql_platform.adapters.sql.tables import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
