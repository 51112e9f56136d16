"""Which labels are probably wrong, from what models that have not seen the rows predict for them. Pure functions."""
