"""Predictions that need no network: what a trained model has to be better than to be worth anything."""
