"""The help of `recipes.report`."""

HELP = """\
Write report.html and the model card, model/README.md, of finished runs anew from what they have stored. Nothing is
trained.

  python -m recipes.report RUNS ...

  RUNS   run directories, globs of them, folders with runs below, or the folder of a sweep (outputs/sweeps/ID)

Example
  python -m recipes.report outputs/ner/ner_sample/minilm/default/seed=1"""
