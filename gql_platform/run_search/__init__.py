"""Which runs are asked for, and in which order."""
