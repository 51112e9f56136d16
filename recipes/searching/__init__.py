"""Searches: which runs a sweep tries next, kept in an Optuna study that survives any kill."""

import optuna

# It tells of each study and trial otherwise; what users are told is said by us.
optuna.logging.set_verbosity(optuna.logging.ERROR)
