"""What a run leaves: its directory, its report, the table of a sweep. No torch; imports `system` and `config`."""
