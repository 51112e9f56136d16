"""Finished runs side by side: which of them is better, and how sure that is. No model and no data file is needed."""
