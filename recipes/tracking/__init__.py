"""Experiment trackers: a run's curves, choices, scores and files, sent to them. None of them can end a training."""
