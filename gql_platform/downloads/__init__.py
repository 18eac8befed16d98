"""Files that are fetched by a signed link, whatever feature they belong to."""
