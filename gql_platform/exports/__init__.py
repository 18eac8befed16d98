"""The registry and its runs as files, for tools that read tables."""
