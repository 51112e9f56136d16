"""How a model is trained and judged.

One module a task (`build`), one module a verb (`run`), and the parts that they share, each named for its role.
"""
