"""From files and hub data sets to records and splits. Imports `tasks.data.formats`; no task."""
