"""How a model is trained and judged. Modules at the top are verbs, one command each; folders are rooms.

A room imports only from rooms below it; `tests/unit/test_layers.py` holds the table of ranks.
"""
