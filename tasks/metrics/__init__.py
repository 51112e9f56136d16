"""The project's scores as `evaluate.Metric` modules, loaded from disk without a network.

`evaluate.load("<folder of this package>/entity_scores.py")`, or import the class and call it. Each is a thin wrapper
around the pure functions of `tasks.scoring`. The training loop calls these directly, since importing evaluate takes
seconds.
"""
