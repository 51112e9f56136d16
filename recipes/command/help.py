"""The answer to `--help`: written from the files in `conf/`, without importing anything heavy."""

from recipes.command.groups import GROUPS, choices

EXAMPLES = (
    ("python -m recipes.run", "named entities, on the built-in sample"),
    ("python -m recipes.run task=classification data.train=reviews.csv", "your own table"),
    ("python -m recipes.run task=qa model=roberta-base hparams.epochs=2 seed=7", "another model and seed"),
    ("python -m recipes.run -m hparams.learning_rate=2e-5,5e-5 seed=1,2", "four runs, and a table of them"),
    ("python -m recipes.run -m search=tpe task=ner", "twenty runs, each chosen by those before it"),
    ("python -m recipes.run study=learning_curve task=ner data.train=a.conll", "what would more labels bring?"),
    ("python -m recipes.run task=ner data.train=a.conll --cfg job", "show the whole config, run nothing"),
)

KEYS = (
    ("data.train / .validation / .test", "a path, a glob or a list; splits not given are cut off the training rows"),
    ("data.columns.text / .label / ...", "names of your columns, where they are not the usual ones"),
    ("data.limit.train", "use at most this many rows"),
    ("data.on_bad_row", "error (stop and name it) or skip (leave out and count)"),
    ("data.deduplicate", "exact or near: leave duplicates out of training, and count them"),
    ("data.balance", "undersample or oversample: as many training rows of each label"),
    (
        "hparams.learning_rate, .epochs, .batch_size",
        "and schedule, warmup, dropout, class_weights, early_stopping, ...",
    ),
    ("seed", "of the head, the order of rows, dropout and cut-off splits"),
    ("output_root", "where run directories are made (outputs)"),
    ("overwrite=true", "do a finished run again"),
)


def help_text() -> str:
    """Return the help page."""
    lines = [
        "Fine-tune a pretrained encoder on labelled text. Out comes a run directory: model, predictions, scores.",
        "",
        "  python -m recipes.run [GROUP=CHOICE ...] [KEY=VALUE ...]",
        "",
        "Groups",
    ]
    for group, meaning in GROUPS.items():
        lines += [f"  {group:<11} {meaning}", *_wrapped(choices(group), indent=14)]
    lines += ["", "Keys (all of them, with defaults: --cfg job)"]
    lines += [f"  {key:<44} {meaning}" for key, meaning in KEYS]
    lines += ["", "Examples"]
    for command, meaning in EXAMPLES:
        lines += [f"  {command}", f"      {meaning}"]
    lines += [
        "",
        "Other commands, each with --help: python -m recipes.check (are the rows good?), .audit (are the labels?),",
        ".suggest (which rows to label next?), .predict (use a trained model), .compare (which run is better),",
        ".convert (labelled rows in another format)",
        "Several processes: accelerate launch --config_file scripts/accelerate/FILE.yaml -m recipes.run ...",
        "Hydra's own flags (--cfg job, --info, --multirun/-m, --config-dir DIR): --hydra-help",
    ]
    return "\n".join(lines)


def _wrapped(words: list[str], indent: int, width: int = 116) -> list[str]:
    lines, line = [], ""
    for word in words:
        if line and indent + len(line) + len(word) + 2 > width:
            lines.append(line)
            line = ""
        line = f"{line}, {word}" if line else word
    return [" " * indent + text for text in [*lines, line] if text]
