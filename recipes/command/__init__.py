"""Turns a command line into configs and jobs, with Hydra. Imports `results` and what is below it."""
