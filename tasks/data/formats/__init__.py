"""Readers that turn files into records, one module for each general format. Imports `tasks.data.records`."""
