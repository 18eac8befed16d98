"""Changes of registered models and their versions, beside what serves."""
