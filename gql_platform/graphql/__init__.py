"""The GraphQL edge: the schema over the services, and its way over HTTP."""
