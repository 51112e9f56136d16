"""How sure a score is, and whether two differ: statistics of scores over rows and seeds, whatever the task."""
