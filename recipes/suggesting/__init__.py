"""Suggests rows to label next: those that a model is unsure of, and that are not all alike."""
