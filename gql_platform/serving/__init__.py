"""Predictions from the served versions of models."""
