"""`recipes.audit`: labels that are probably wrong, ranked, from a cross-validation."""
