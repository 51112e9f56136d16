"""Checkpoints on disk: folders sealed with hashes, and the training state in them. Imports `system`."""
