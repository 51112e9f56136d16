"""The choice of how to train by cross-validation: the ways that are tried, the folds, and what they say."""
