"""What a model gets wrong, from the lines of a predictions file: no model and no data file is needed."""
