"""The REST edge: a thin layer over the same services, for callers who do not speak GraphQL."""
