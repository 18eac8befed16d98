"""Models of series, and what they expect to come."""
