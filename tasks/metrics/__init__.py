"""The project's scores as `evaluate.Metric` modules, loaded from disk without a network.

`evaluate.load("<folder of this package>/entity_scores.py")`, or import the class and call it. Each is a thin dress over
the pure functions of `tasks.scoring`, which the training loop calls directly: importing evaluate takes seconds.
"""
