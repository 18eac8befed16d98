"""Whether the server is alive and ready, and what it serves."""
