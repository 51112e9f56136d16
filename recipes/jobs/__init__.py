"""Runs that one command makes by itself: handed to the launcher of Hydra that was chosen, and what became of each."""
