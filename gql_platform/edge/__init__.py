"""What every HTTP request passes, whichever API it is for."""
