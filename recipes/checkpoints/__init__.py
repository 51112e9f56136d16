"""Checkpoints on disk: sealed folders, and the state of a training in them. Imports `system`."""
