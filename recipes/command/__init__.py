"""From the words of a command line to configs and jobs: Hydra lives here. Imports `results` and what is below it."""
