"""What is doubtful in labelled rows: a module for each part of a row. Pure functions from rows to findings."""
