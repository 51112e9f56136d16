"""Faster parts for a model, which change no result and can be taken out again. Imports `machine` and `model`."""
