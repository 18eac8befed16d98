"""Runs, and what was logged with them."""
