"""What the server is compared with: by hand, and the servers that others wrote."""
