"""Pretrained encoders: where they are, how they are loaded, and their layers. Imports `config` and `results`."""
