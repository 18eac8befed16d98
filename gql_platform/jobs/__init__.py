"""Long work: it is queued, goes on in the background, and survives the process."""
