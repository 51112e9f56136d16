"""Levers: what can be changed in fine-tuning to train better on few rows, or faster. Each is off by default."""
