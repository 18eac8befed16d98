"""Jobs on DBOS: a queue and workers in the platform's own database."""
