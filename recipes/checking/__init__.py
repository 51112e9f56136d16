"""`recipes.check`: labelled rows read, checked and reported on, without any training."""
