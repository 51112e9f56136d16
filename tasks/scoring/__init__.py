"""Scores as pure functions. They take lists of predictions and references, and return a flat dict of numbers."""
