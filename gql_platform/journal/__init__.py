"""Changes outside of the database, each made once and written down."""
