"""Changes of experiments and runs: made, logged to, finished, deleted, restored."""
