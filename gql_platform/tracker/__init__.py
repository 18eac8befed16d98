"""Tracking runs from the program or the notebook that trains."""
