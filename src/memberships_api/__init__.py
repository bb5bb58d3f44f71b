"""A small, complete memberships API: the one that the export reads from."""
