"""MLflow's tables, read directly where its store is a database that can be reached."""
