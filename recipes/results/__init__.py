"""The output of runs: directory, report, and the table of a sweep. No torch; imports `system` and `config`."""
