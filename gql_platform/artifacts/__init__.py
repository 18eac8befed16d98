"""The files that were logged with runs."""
