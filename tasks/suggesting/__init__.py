"""Which rows are worth labelling next, as far as predictions tell."""
