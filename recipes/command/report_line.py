"""The help of `recipes.report`."""

HELP = """\
Write the model card of finished runs anew, model/README.md, from what they have stored. Nothing is trained.

  python -m recipes.report RUNS ...

  RUNS   run directories, globs of them, folders with runs below, or the folder of a sweep (outputs/sweeps/ID)

Example
  python -m recipes.report outputs/ner/ner_sample/minilm/default/seed=1"""
