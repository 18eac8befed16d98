"""Requests that are sent again, and are not to be done again."""
