"""The help of `recipes.audit`."""

HELP = """\
Find labels that are probably wrong. Each training row is predicted by a model that was trained without it (a
cross-validation, five trainings); where it is sure of another label than the given one, that is a suspect.

  python -m recipes.audit [GROUP=CHOICE ...] [KEY=VALUE ...]

  GROUP=CHOICE, KEY=VALUE   what recipes.run takes: task=ner data.train=news.conll model=... seed=...
                            study.folds=10 for more trainings on more rows each

Out comes the folder of the study with audit.csv, worst first: file, line, kind, given, suggested, score, text. A
command that was stopped goes on when it is given again.

Example
  python -m recipes.audit task=classification data.train=reviews.csv"""
