"""The options of the `data` config group, in the form that the readers use."""

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

Split: TypeAlias = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
HELD_OUT: tuple[Split, ...] = ("validation", "test")
"Splits that nothing is trained on."

BAD_ROW_POLICIES = ("error", "skip")
UNKNOWN_LABEL_POLICIES = ("error", "count", "skip")
DEDUPLICATIONS = ("exact", "near")
BALANCES = ("undersample", "oversample")


@dataclass
class Columns:
    """Names of the columns that hold each part of a row. `null` means the first usual name that occurs in the file."""

    id: str | None = None
    "The row's id, kept in predictions. null: `id`, `idx` or `guid`, if there is one."
    text: str | None = None
    """The text. null: `text`, `sentence`, `message`, ... (see the error message for all). NER: the text whose entities
    are given by character offsets."""
    text_pair: str | None = None
    "Classification of pairs: the second text. null: single texts, unless the file has a usual pair of columns."
    label: Any = None
    """Classification: the label, list of labels, or number. null: `label`, `labels`, `intent`, ... A list of columns
    with 0 and 1 in them makes their names the labels; columns with names in them are joined."""
    tokens: str | None = None
    "NER: the words. null: `tokens` or `words`. In CoNLL files: the column's number, from 0; null: the first."
    tags: str | None = None
    """NER: the tags. null: `tags`, `ner_tags` or `labels`. In CoNLL files: the column's number; null: the last. In
    CoNLL-U files: a key of MISC."""
    spans: str | None = None
    "NER: the entities of a text, by character offsets. null: `spans`, `entities`, `label`, ..."
    sentence: str | None = None
    "NER: in a table with a token in each row, the sentence that the token belongs to. null: `sentence_id`, ..."
    document: str | None = None
    """NER: the document; its sentences stay in one split, and are drawn together for intervals. null: `document_id`,
    `doc_id` or `docid`, or else what CoNLL files mark (`-DOCSTART-`)."""
    question: str | None = None
    "QA: the question. null: `question`."
    context: str | None = None
    "QA: the passage. null: `context` or `passage`."
    answers: str | None = None
    "QA: the answers: `{text: [...], answer_start: [...]}`, a list of such pairs, or a text. null: `answers`, `answer`."
    answer_start: str | None = None
    "QA: character offset of an answer given as plain text. null: `answer_start`, or a search if the text occurs once."
    title: str | None = None
    "QA: the article; all its rows stay in one split. null: `title` if there is one, or else the passage."


@dataclass
class Limit:
    """Maximum number of rows to use of each split, chosen at random with the seed. null: all of them.

    Training rows are those that `deduplicate` leaves, and those that `balance` begins with.
    """

    train: int | None = None
    validation: int | None = None
    test: int | None = None
    nested: bool = False
    """train: every label keeps its share, documents and articles are taken one after the other, and a smaller limit
    takes some of the rows of a larger one, as a learning curve needs. false: rows wholly at random."""


@dataclass
class DataOptions:
    """Where the labelled rows are and how to read them."""

    name: str | None = None
    "Name of the data set in the run directory's path. null: made from the file name."
    task: str | None = None
    "The task that these data are for; runs of other tasks are refused early. null: any."
    train: Any = None
    "Training file: a path, a glob, or a list of them. With `hub`: the split's name."
    validation: Any = None
    "Validation file(s). null: cut from the training rows with the seed."
    test: Any = None
    "Test file(s). null: cut from the training rows with the seed."
    hub: str | None = None
    "A hub data set, `owner/name`, or a local folder that `datasets.load_dataset` can read. null: use the files."
    hub_config: str | None = None
    "The hub data set's configuration. null: its default."
    hub_revision: str | None = None
    "The hub data set's revision (commit, tag or branch). null: the newest."
    format: str = "auto"
    "The format, or the annotation tool that exported the file (docs/formats.md lists them); auto: recognised."
    encoding: str = "utf-8"
    "Text encoding of the files. A UTF-8 byte order mark is dropped."
    separator: str | None = None
    "Character(s) between columns. null: comma (csv), tab (tsv), or a tab or else blanks (conll)."
    quoting: bool = True
    "Whether double quotes wrap cells in csv and tsv files. false: a quote is an ordinary character."
    header: list[str] | None = None
    """Column names of a file without a header line. With quoting=false, the last column takes the rest of the line.
    null: the first line has the names."""
    skip_lines: int | None = None
    "csv, tsv, xlsx: lines to leave out at the beginning, such as a title, or a header line that `header` replaces."
    sheet: str | None = None
    "xlsx: the name of the sheet. null: the only one that is not empty."
    comment: str | None = None
    "conll: prefix of lines to leave out, such as '# '. null: only -DOCSTART- lines are left out."
    token_prefix: str | None = None
    "conll: what to remove from the beginning of each token, such as 'en:' in WikiANN's files."
    label_names: Any = None
    "Names of integer labels in order: a list, or a file with one name per line. null: the labels are names already."
    validation_fraction: float = 0.1
    "Share of the training rows that becomes the validation split if none is given."
    test_fraction: float = 0.1
    "Share of the training rows that becomes the test split if none is given. 0: no test split."
    split_seed: int | None = None
    """Seed of the splits that are cut off, of folds, of limits of validation and test, and of `balance`. null: that of
    the run."""
    folds: int | None = None
    "Cross-validation: number of parts that the training rows are shared among, of which `fold` is the test split."
    fold: int | None = None
    "The part, from 1 on, that is the test split. What is left is cut and trained on as ever."
    on_bad_row: str = "error"
    "error: stop at the first bad row and name it; skip: leave bad rows out, count them, and show the counts."
    unknown_labels: str | None = None
    """Labels of validation and test rows that no training row has. error: stop; count: keep the rows, whose labels no
    prediction can hit; skip: leave the rows out. null: count for NER, error for other tasks."""
    fixes: str | None = None
    """Corrections of training rows, and of those that are cut off them: a file that `recipes.audit compare` makes of
    the table of an audit (docs/audit.md). Rows are shared among splits by what is given. null: none."""
    deduplicate: str | None = None
    """Training rows that are left out once the splits are cut, and counted. exact: those with the content and the gold
    of an earlier one, and those whose content stands in validation or test; near: those that are nearly so, too
    (docs/check.md). null: none. Validation and test rows all stay."""
    balance: str | None = None
    """Classification with one label a text: training rows that are left out (undersample) or repeated (oversample), at
    random, until all labels have as many as the rarest or the commonest. null: none."""
    accept: list[str] = field(default_factory=list)
    "Findings of the plausibility checks that are meant so, by their names in the error message."
    limit: Limit = field(default_factory=Limit)
    "Maximum number of rows of each split."
    columns: Columns = field(default_factory=Columns)
    "Names of the columns."
