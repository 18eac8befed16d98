"""Models to begin with, trained on real data."""
