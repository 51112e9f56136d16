"""Readers of general file formats, one module each: from a file to records. Imports `tasks.data.records`."""
