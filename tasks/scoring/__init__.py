"""Scores as pure functions of lists: predictions and references in, names and numbers out. Imports `tasks.tags`."""
