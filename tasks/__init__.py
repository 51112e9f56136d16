"""What the problem is: readers, features, decoding and scores of each task.

Nothing in here knows how a model is trained: no Trainer, no Hydra, no global state.
"""
