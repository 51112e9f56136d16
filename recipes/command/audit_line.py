"""The help of `recipes.audit`."""

HELP = """\
Find labels that are probably wrong. Each training row is predicted by a model that was trained without it (a
cross-validation, five trainings); where it is sure of another label than the given one, that is a suspect.

  python -m recipes.audit [GROUP=CHOICE ...] [KEY=VALUE ...]
  python -m recipes.audit apply audit.csv -o FOLDER
  python -m recipes.audit compare audit.csv [GROUP=CHOICE ...] [KEY=VALUE ...]

  GROUP=CHOICE, KEY=VALUE   what recipes.run takes: task=ner data.train=news.conll model=... seed=...
                            study.folds=10 for more trainings on more rows each

Out comes the folder of the study with audit.csv, worst first: file, line, kind, given, suggested, score, text. A
command that was stopped goes on when it is given again.

apply writes corrected copies of the training files: what stands in the column fix of audit.csv is done, and the
originals stay as they are. In that column, yes takes what is suggested, drop leaves the row out, another label, number
or answer is taken as it is, and nothing changes nothing.

compare trains before and after these fixes, with the same five seeds (study.n=5) and the same validation and test rows,
and says with a paired test what they bring. All else is as in the audit, but for what is given here, such as
data.test=test.csv or model=roberta-base. It needs no copies.

Example
  python -m recipes.audit task=classification data.train=reviews.csv"""
