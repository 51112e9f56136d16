"""The help of `recipes.audit`."""

HELP = """\
Find labels that are probably wrong. Each training row is predicted by a model that was trained without it (a
cross-validation, five trainings); where it is sure of another label than the given one, that is a suspect.

  python -m recipes.audit [GROUP=CHOICE ...] [KEY=VALUE ...]
  python -m recipes.audit apply audit.csv -o FOLDER

  GROUP=CHOICE, KEY=VALUE   what recipes.run takes: task=ner data.train=news.conll model=... seed=...
                            study.folds=10 for more trainings on more rows each

Out comes the folder of the study with audit.csv, worst first: file, line, kind, given, suggested, score, text. A
command that was stopped goes on when it is given again.

apply writes corrected copies of the training files: what stands in the column fix of audit.csv is done, and the
originals stay as they are. In that column, yes takes what is suggested, drop leaves the row out, another label, number
or answer is taken as it is, and nothing changes nothing.

Example
  python -m recipes.audit task=classification data.train=reviews.csv"""
