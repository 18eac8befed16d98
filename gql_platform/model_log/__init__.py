"""Logging trained models to runs, from the program that trained them."""
