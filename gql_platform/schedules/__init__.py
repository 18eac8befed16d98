"""Jobs that are started again and again, at set times."""
