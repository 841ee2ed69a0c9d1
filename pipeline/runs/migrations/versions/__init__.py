"""One module a revision of the tables. A released one is never changed."""
