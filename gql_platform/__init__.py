"""A GraphQL-first API server for machine learning: your model registry is your GraphQL schema."""

__version__ = "0.1.0"
