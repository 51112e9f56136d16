"""The Trainer and everything around it, from a config to a finished run directory. Imports all rooms but `command`."""
