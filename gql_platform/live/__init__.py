"""Runs and the registry, followed while they change."""
