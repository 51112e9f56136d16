"""Audits of labels: each kind of suspect, its order, and how many are estimated."""
