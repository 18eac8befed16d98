"""What changes the tables, step by step."""
