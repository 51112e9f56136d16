"""What a run is asked to do: the typed config, its validation, and what it may not hold. Imports only `tasks`."""
