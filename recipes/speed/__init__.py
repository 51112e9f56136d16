"""Faster parts for a model; `apply` says how results may differ. Imports `machine`, `model` and `windows`."""
