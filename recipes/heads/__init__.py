"""The loss, reduction and initialisation of each task, one module per task. Imports `config` and `windows`."""
