"""Scores as pure functions: lists of predictions and references in, flat names and numbers out."""
