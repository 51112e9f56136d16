"""Everything that defines a task: its readers, features, decoding and scores.

This package does not depend on how a model is trained: it uses no Trainer, no Hydra and no global state.
"""
