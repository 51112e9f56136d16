"""The Trainer, and a run from its config to its finished directory. Imports all folders below it but `command`."""
