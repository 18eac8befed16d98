"""skops: files of models that hold types by name, and no code."""
