"""Models, their versions and what is packed in them."""
