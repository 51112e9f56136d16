"""Which checks the rows of each task get, in which order."""
