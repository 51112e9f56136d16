"""The config of a run: its schema, its validation, and what it must not contain. Imports only `tasks`."""
