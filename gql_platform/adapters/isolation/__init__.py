"""Models in processes of their own, which keep them loaded."""
