"""Odd files and what must become of each: reads them as a user would, and prints a table of the outcomes.

    python -m tests.data.cases FOLDER [CASE...]

FOLDER holds a folder for each case; its README says the right outcomes. It is no part of the project.
"""

import io
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from recipes.run import main as recipes_run

ENTITIES = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
WITH_BLANKS = ("O", "B-LOC", "I-LOC", "B-Main Person", "I-Main Person")
MOODS = ("bad", "good")
FAULTS = ("late", "loud", "rude", "wet")
TOPICS = ("fine", *FAULTS)


@dataclass(frozen=True)
class Case:
    """A command, and what must come of it."""

    folder: str
    task: str
    arguments: tuple[str, ...]
    "What is typed after the task; `{}` stands for the folder."
    says: tuple[str, ...]
    "What the output must have, in any order."
    labels: tuple[str, ...] | None = None
    "The head's labels, if it reads. None: not looked at."
    rows: int | None = None
    "How many rows are read, over all splits. None: the command must refuse."


def case(folder: str, task: str, arguments: str, says: Sequence[str] | str, **expected: object) -> Case:
    """Return a case; `arguments` are separated by blanks, and begin with the training file."""
    words = tuple(f"data.train={{}}/{word}" if index == 0 else word for index, word in enumerate(arguments.split(" ")))
    return Case(folder, task, words, (says,) if isinstance(says, str) else tuple(says), **expected)  # type: ignore[arg-type]


C, N, Q = "classification", "ner", "qa"
SPANS = {"labels": ENTITIES, "rows": 60}
MOOD = {"labels": MOODS, "rows": 40}
SKIP = "data.skip_lines=1"

CASES = (
    case("01-excel-semicolon-bom", C, "reviews.csv", "CSV with ';' between columns, 40 rows", **MOOD),
    case("02-utf16-excel", C, "reviews.csv", ["a tab between columns", "UTF-16 by its byte order mark"], **MOOD),
    case("03-unnamed-trailing", C, "messages.csv", "data.encoding=latin-1"),
    case(
        "03-unnamed-trailing",
        C,
        "messages.csv data.encoding=latin-1 data.columns.text=v2 data.columns.label=v1",
        "CSV, 40 rows",
        **MOOD,
    ),
    case("03-unnamed-trailing", C, "messages.csv data.encoding=latin-1 data.header=[label,text,a,b,c]", SKIP),
    case(
        "03-unnamed-trailing",
        C,
        f"messages.csv data.encoding=latin-1 data.header=[label,text,a,b,c] {SKIP}",
        "CSV",
        **MOOD,
    ),
    case(
        "05-onehot-columns", C, "comments.csv data.columns.text=comment_text", "data.columns.label=[rude,loud,late,wet]"
    ),
    case(
        "05-onehot-columns",
        C,
        "comments.csv data.columns.text=comment_text data.columns.label=[rude,loud,late,wet]",
        ["multi label", "names of the columns with a 1"],
        labels=FAULTS,
        rows=48,
    ),
    case("06-stringified-list", C, "train.csv", "multi label", labels=TOPICS, rows=48),
    case("06-stringified-list", C, "json.csv", "multi label", labels=TOPICS, rows=48),
    case(
        "07-multihot-list",
        C,
        "train.jsonl",
        ["multi label", "lists of 4 zeros and ones"],
        labels=("label_0", "label_1", "label_2", "label_3"),
        rows=48,
    ),
    case(
        "07-multihot-list",
        C,
        "train.jsonl data.label_names=[rude,loud,late,wet]",
        "multi label",
        labels=("rude", "loud", "late", "wet"),
        rows=48,
    ),
    case("08-float-labels", C, "train.csv data.validation={}/dev.csv", "single label", labels=("0", "1"), rows=50),
    case("09-na-labels", C, "nan.jsonl", ["line 6", "column 'text' is empty"]),
    case("11-duplicate-header", C, "train.csv", ["line 1", f"'data.header=[text,label,label_3]' {SKIP}"]),
    case("11-duplicate-header", C, f"train.csv data.header=[text,label,label_3] {SKIP}", "CSV", **MOOD),
    case("12-tab-in-csv", C, "train.csv", "CSV with a tab between columns", **MOOD),
    case("14-fasttext", C, "train.txt", "fastText", **MOOD),
    case("15-folder-per-class", C, "reviews/train", "a folder for each class", labels=("neg", "pos"), rows=40),
    case(
        "16-mnli-jsonl",
        C,
        "train.jsonl",
        "left out: 5 x no gold label",
        labels=("contradiction", "entailment", "neutral"),
        rows=55,
    ),
    case(
        "20-limit-loses-labels",
        C,
        "train.csv data.limit.train=60",
        "60 train",
        labels=tuple(sorted(f"topic{number}" for number in range(25))),
        rows=120,
    ),
    case("21-doccano-single-as-list", C, "train.jsonl", ["single label", "exactly one label"], **MOOD),
    case(
        "22-doccano-hash-csv",
        C,
        "train.csv",
        "task.label_separator='#'",
        labels=("fine", "late", "loud", "rude#wet"),
        rows=48,
    ),
    case("22-doccano-hash-csv", C, "train.csv task.label_separator=#", "multi label", labels=TOPICS, rows=48),
    case("23-labelstudio-choices", C, "full.json", "Label Studio choices", **MOOD),
    case("24-prodigy-textcat", C, "binary.jsonl", "Prodigy labels", labels=("GOOD", "not GOOD"), rows=40),
    case(
        "24-prodigy-textcat",
        C,
        "choice.jsonl",
        ["Prodigy choices", "left out: 5 x ignored by the annotator"],
        labels=MOODS,
        rows=55,
    ),
    case("25-spacy-cats", C, "train.jsonl", ["spaCy", "single label"], labels=("BAD", "GOOD"), rows=40),
    case("26-xlsx", C, "reviews.xlsx", "Excel sheet", **MOOD),
    case("27-compressed", C, "train.csv.gz", "train.csv.gz: CSV", **MOOD),
    case("32-case-variants", C, "train.csv", "differ only by case", labels=("Bad", "bad", "good"), rows=60),
    case("35-capital-headers", C, "train.csv", "CSV", **MOOD),
    case(
        "37-several-label-columns",
        C,
        "train.csv data.columns.label=[topic1,topic2,topic3]",
        ["multi label", "topic1, topic2, topic3"],
        labels=TOPICS,
        rows=48,
    ),
    case("38-crlf-in-jsonl", C, "pretty.json", "JSON objects one after another", **MOOD),
    case("39-pandas-json", C, "index.json", "JSON", **MOOD),
    case("39-pandas-json", C, "split.json", "JSON", **MOOD),
    case("40-doccano-ner", N, "entities.jsonl", "doccano spans, 60 texts, 2 types", **SPANS),
    case("40-doccano-ner", N, "labels.jsonl", "doccano spans, 60 texts, 2 types", **SPANS),
    case("41-prodigy-ner", N, "spans.jsonl", "Prodigy spans, 60 texts, 2 types", **SPANS),
    case("41-prodigy-ner", N, "tokendicts.jsonl", "60 sentences", **SPANS),
    case("42-labelstudio-ner", N, "full.json", "Label Studio spans, 60 texts, 2 types", **SPANS),
    case(
        "43-labelstudio-conll",
        N,
        "spaces.conll",
        ["CoNLL from Label Studio", "tags hold blanks"],
        labels=WITH_BLANKS,
        rows=60,
    ),
    case("44-brat", N, "corpus", "brat documents", **SPANS),
    case("44-brat", N, "corpus/*.txt", "brat documents", **SPANS),
    case("45-spacy-offsets", N, "train.json", "spaCy pairs of text and entities", **SPANS),
    case("45-spacy-offsets", N, "train.spacy", ["binary", "DocBin"]),
    case("47-conllu", N, "train.conllu", ["CoNLL-U", "NER= in the column MISC"], **SPANS),
    case("48-germeval", N, "NER-train.tsv", ["counts the tokens", "The second: data.columns.tags=3"], **SPANS),
    case("48-germeval", N, "varied2col.tsv", "counts the tokens", labels=("O", "B-LOC", "I-LOC"), rows=120),
    case("48-germeval", N, "NER-train.tsv data.columns.tags=3", "all tags are O"),
    case("49-odd-tags", N, "underscore.conll", "B_LOC, B_PER, I_LOC are read as B-LOC, B-PER, I-LOC", **SPANS),
    case("49-odd-tags", N, "suffix.conll", "LOC-B, LOC-I, PER-B are read as B-LOC, I-LOC, B-PER", **SPANS),
    case("49-odd-tags", N, "zero.conll", "0 are read as O", **SPANS),
    case("50-int-tags", N, "train.jsonl", ["The tags are numbers", "data.label_names="]),
    case("50-int-tags", N, "train.jsonl data.label_names=[O,B-PER,I-PER,B-LOC,I-LOC]", "60 sentences", **SPANS),
    case("51-csv-lists", N, "train.csv", "CSV, 60 sentences", **SPANS),
    case("52-token-per-row", N, "simple.csv", "48 train", **SPANS),
    case("53-vanishing-tokens", N, "train.jsonl", "go on with the entity of the word before them", **SPANS),
    case("53-vanishing-tokens", N, "whitespace.jsonl", "60 x blank token", **SPANS),
    case("55-only-O", N, "train.conll", "all tags are O"),
    case("57-crlf-bom-trailing", N, "trailing.conll", "CoNLL", **SPANS),
    case("59-ontonotes-brackets", N, "train.gold_conll", "CoNLL-2012", **SPANS),
    case("61-wikiann-lang", N, "train.txt", "data.token_prefix=en:", **SPANS),
    case("61-wikiann-lang", N, "train.txt data.token_prefix=en:", "CoNLL", **SPANS),
    case("72-dict-of-lists-nested", Q, "train.json", ["SQuAD, 90 questions", "v2.0"], rows=90),
    case("74-csv-dict", Q, "train.csv", ["CSV, 90 questions", "v2.0"], rows=90),
    case("75-offset-faults", Q, "float.csv", "v2.0", rows=90),
    case("75-offset-faults", Q, "string.json", "v2.0", rows=90),
    case("76-no-offset", Q, "train.json", "v2.0", rows=90),
    case("77-haystack", Q, "answers.json", "SQuAD, 90 questions", rows=90),
    case("78-restarting-ids", Q, "train.json", "87 x id given to several questions", rows=90),
    case("83-other-tops", Q, "articles.jsonl", "SQuAD, 90 questions", rows=90),
    case("83-other-tops", Q, "list.json", "SQuAD, 90 questions", rows=90),
    case("86-null-answers", Q, "train.json", "v2.0", rows=90),
    case("87-is-impossible-types", Q, "str.json", "v2.0", rows=90),
    case("87-is-impossible-types", Q, "allfalse.csv", "v1.1", rows=60),
    case(
        "88-impossible-with-answer", Q, "train.json", ["task.impossible_answers=ignore", "task.impossible_answers=use"]
    ),
    case(
        "88-impossible-with-answer", Q, "train.json task.impossible_answers=ignore", "30 x impossible question", rows=90
    ),
    case("98-plain", C, "train.csv", "CSV, 40 rows", **MOOD),
    case(
        "B2-test-without-labels",
        C,
        "train.csv data.test={}/test.csv",
        "predicted, and not scored",
        labels=MOODS,
        rows=48,
    ),
    case("B20-excel-sep-line", C, "train.csv", "';' between columns", **MOOD),
    case("B23-space-before-quote", C, "train.csv", "CSV, 40 rows", **MOOD),
    case("B26-title-rows", C, "train.csv", "data.skip_lines=2"),
    case("B26-title-rows", C, "train.csv data.skip_lines=2", "CSV, 40 rows", **MOOD),
    case("B5-text-is-list", C, "train.jsonl", ["line 1", "task.join_words=true"]),
    case("B5-text-is-list", C, "train.jsonl task.join_words=true", "40 rows", **MOOD),
)

SHORT = ("hparams.max_steps=1", "hparams.batch_size=4", "runtime.cache=false")


def run(arguments: Sequence[str]) -> tuple[int, str]:
    """Run `python -m recipes.run` in this process; return its exit status and all that it printed."""
    output = io.StringIO()
    with redirect_stdout(output), redirect_stderr(output):
        try:
            status = recipes_run(list(arguments))
        except Exception:
            traceback.print_exc(file=output)
            status = 1
    return status, output.getvalue()


def faults(one: Case, folder: Path, work: Path) -> Iterator[str]:
    """Train for one step as the case says, and yield in what its outcome is not the right one."""
    words = [word.replace("{}", str(folder / one.folder)) for word in one.arguments]
    status, output = run([f"task={one.task}", *words, *SHORT, f"output_root={work}"])
    yield from (f"it does not say {text!r}" for text in one.says if text not in output)
    if (status == 0) != (one.rows is not None):
        yield f"exit status {status}: {output.strip()[-300:]}"
    if status != 0:
        if "Traceback" in output:
            yield "a traceback"
        return
    (report,) = (json.loads(path.read_text()) for path in work.rglob("report.json"))
    rows = sum(report["data"]["rows"].values())
    if rows != one.rows:
        yield f"{rows} rows, not {one.rows}"
    if one.labels is not None and tuple(report["data"]["labels"]) != one.labels:
        yield f"labels {report['data']['labels']}"


def going_on(folder: Path, work: Path) -> Iterator[str]:
    """Train a model, then go on from the path that was printed, with the same labels and with others."""
    source = folder / "99-from-own-run" / "renamed.csv"
    first = work / "first.csv"
    first.write_text(source.read_text().replace("a_positive", "pos").replace("z_negative", "neg"))
    status, output = run([f"task={C}", f"data.train={first}", *SHORT, f"output_root={work}"])
    if status:
        yield output
        return
    printed = output.rsplit("Done in", 1)[1].split(":", 1)[1].split("\n", 1)[0].strip()
    for train, says in ((first, "taken over"), (source, "drawn anew")):
        status, output = run(
            [f"task={C}", f"data.train={train}", f"model.path={printed}", *SHORT, f"output_root={work}", "seed=2"]
        )
        if status or says not in output:
            yield f"after {printed}, {train.name}: {output[-400:]}"


def main(arguments: Sequence[str]) -> int:
    """Print a line for each command. Return 1 if an outcome is wrong."""
    folder, only = Path(arguments[0]).resolve(), arguments[1:]
    os.environ.setdefault("RECIPES_DATA", str(folder))
    wrong = 0
    checks = [(one.folder, " ".join(one.arguments).replace("{}/", ""), one) for one in CASES]
    for name, command, one in [*checks, ("99-from-own-run", "model.path=RUN", None)]:
        if only and not any(name.startswith(prefix) for prefix in only):
            continue
        with tempfile.TemporaryDirectory() as work, chdir(work):
            found = list(going_on(folder, Path(work)) if one is None else faults(one, folder, Path(work)))
        wrong += bool(found)
        outcome = "refuses" if one is not None and one.rows is None else "reads"
        print(f"{'WRONG' if found else 'right'}  {outcome:8}{name:28}{command}")
        for fault in found:
            print(f"       {fault}")
    print(f"{len(checks) + 1 - wrong} of {len(checks) + 1} right, in {len({one.folder for one in CASES}) + 1} folders")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
