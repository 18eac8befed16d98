"""Models in files of this machine, named by whoever starts the server."""
