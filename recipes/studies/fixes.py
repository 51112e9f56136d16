"""What label fixes bring: training on rows as they were given, and as somebody has corrected them."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any, TypeAlias

from recipes.comparing.groups import Group
from recipes.comparing.sentences import chance, what_would_tell
from recipes.comparing.stored_runs import StoredRun
from recipes.comparing.verdicts import Pair, compare
from recipes.results.scores import format_score
from recipes.studies.answer import Answer, Gain, Line, Runs, Table, bounds, collapsed, deviation, score_of
from recipes.studies.question import Question, Setting, rows_of
from recipes.system.console import counted
from recipes.system.files import write_json
from tasks.data.files import expand_home
from tasks.data.options import SPLITS, Split
from tasks.errors import InputError
from tasks.loading.fixes import Fixes, place_of, plain_fixes, read_fixes, with_fixes
from tasks.loading.rows import AnyRows
from tasks.overrides import hydra_literal

GIVEN = "given labels"
CORRECTED = "corrected labels"

NAMES: Mapping[Split, str] = {"train": "training row", "validation": "validation row", "test": "test row"}

Sides: TypeAlias = Mapping[str, list[StoredRun]]
"The runs with the given labels and with the corrected ones, those with the same seed at the same place."


def write_fixes(fixes: Fixes, folder: Path) -> Path:
    """Write fixes into a folder, and return the file.

    Its name is made from what is in it, so that other fixes, of a table that somebody goes on with, are other runs.
    """
    found = plain_fixes(fixes)
    path = folder / f"{hashlib.sha256(json.dumps(found).encode()).hexdigest()[:8]}.json"
    if not path.is_file():
        write_json(path, found)
    return path


def settings(question: Question) -> list[Setting]:
    """Return a setting with the training labels as they were given, and one with the corrected ones.

    Validation and test rows that are cut off the audited ones are corrected in both.

    Raises:
        InputError: there are no fixes of training rows, or the rows are too few to compare anything.
    """
    if question.config.data.fixes is None:
        raise InputError("study.kind=fixes: fixes of what? python -m recipes.audit compare audit.csv (docs/audit.md)")
    question.require_enough_rows()
    fixes, given = _fixes(question), _as_given(question)
    _require_other_rows_to_judge_by(question, given)
    held = _held_out(fixes, given)
    if len(held) == len(fixes):
        raise InputError(
            "Each row with a fix is a validation or a test row, and these are the same for both sides: nothing would "
            "differ in training. With data.test=FILE and data.validation=FILE, all audited rows are training rows"
        )
    without = "null"
    if held:
        folder = expand_home(str(question.config.data.fixes)).parent
        without = hydra_literal(str(write_fixes(held, folder)))
    return [Setting(GIVEN, (f"data.fixes={without}",)), Setting(CORRECTED, ())]


def _fixes(question: Question) -> Fixes:
    return read_fixes(expand_home(str(question.config.data.fixes)))


def _as_given(question: Question) -> AnyRows:
    return rows_of(question.config, replace(question.config.data, fixes=None))


def _require_other_rows_to_judge_by(question: Question, given: AnyRows) -> None:
    """Refuse training rows that are judged on as well, as with `hparams.choose_by_folds`: the sides differ in these.

    Raises:
        InputError: says what to give instead.
    """
    training = set(map(place_of, given.splits["train"]))
    if any(place_of(row) in training for row in given.splits[question.judged]):
        raise InputError(
            f"The {question.judged} rows are the training rows, which are not the same on both sides. To judge them by "
            "others: data.test=FILE, or data.test_fraction=0.1"
        )


def _held_out(fixes: Fixes, given: AnyRows) -> Fixes:
    """Return the fixes of validation and test rows that were cut off those of training."""
    held = {place_of(row) for split in given.cut for row in given.splits[split]}
    return {place: one for place, one in fixes.items() if place in held}


def answer(question: Question, runs: Runs) -> Answer:
    """Return what the fixes bring, and on how many rows that was judged, corrected ones among them."""
    seeds = [seed for seed in question.seeds if (GIVEN, seed) in runs and (CORRECTED, seed) in runs]
    if not seeds:
        raise InputError("No seed ended well both with the given labels and with the corrected ones")
    sides = {side: [runs[side, seed] for seed in seeds] for side in (GIVEN, CORRECTED)}
    name, split = sides[GIVEN][0].report.objective.name, sides[GIVEN][0].split
    pair = _pair(sides, name)
    gain = Gain.of(pair, CORRECTED)
    lines = []
    for side, found in sides.items():
        scores = list(map(score_of, found))
        rows = f"{found[0].report.data.rows['train']:,}"
        shown = [gain.shown, bounds(gain.interval), f"{pair.p_value:.2g}"] if side == CORRECTED else [""] * 3
        cells = [side, rows, str(len(scores)), format_score(fmean(scores)), deviation(scores), *shown]
        lines.append(Line(cells, fmean(scores), None, scores))
    columns = ["", "training rows", "seeds", f"mean {split} {name}", "deviation", "gain", "95% interval", "p"]
    sentences = [
        _verdict(pair, gain, name),
        *_rows(question, sides, name),
        "The interval is over rows and over the differences by seed",
        *collapsed(runs),
    ]
    return Answer(sentences, [Table("Training before and after the fixes", columns, lines)])


def _pair(sides: Sides, name: str) -> Pair:
    return compare([Group(side, found) for side, found in sides.items()], name, paired=True).pairs[0]


def _verdict(pair: Pair, gain: Gain, name: str) -> str:
    """Return in words what the fixes bring."""
    if gain.interval[0] == gain.interval[1] == 0:
        return "The fixes make no difference at all"
    point = f"{pair.size:g} {name}"
    said = f"{gain.shown} {name} ({bounds(gain.interval)}), {chance(pair.p_value)}"
    if pair.verdict == "better":
        return f"The fixes bring {said}" if pair.better.name == CORRECTED else f"The fixes do harm: {said}"
    if pair.verdict == "tied":
        return f"The fixes make less than {point} of a difference: {said}"
    return f"Too few to tell what the fixes bring: {said}; {what_would_tell(pair.needed, point)}"


def _rows(question: Question, sides: Sides, name: str) -> Iterator[str]:
    """Yield how many rows are corrected: of those that are trained on, and of those that both sides are judged on."""
    fixes, given = _fixes(question), _as_given(question)
    for split, of_both in (("train", ""), *((one, ", for both sides") for one in SPLITS if one in given.cut)):
        rows = given.splits[split]
        found = with_fixes(question.rows.task, rows, fixes)
        counts = {"corrected": found.changed, "left out": found.left_out}
        said = " and ".join(f"{count:,} {what}" for what, count in counts.items() if count) or "none is corrected"
        among = f", seed {question.seeds[0]}" if split == "train" and question.config.data.limit.train else ""
        yield f"{counted(len(rows), NAMES[split])}{among}: {said}{of_both}"
    judged = sides[GIVEN][0].split
    yield f"Judged on {counted(len(sides[GIVEN][0].lines), NAMES[judged])}{_how_judged(question, sides, name, given)}"


def _how_judged(question: Question, sides: Sides, name: str, given: AnyRows) -> str:
    """Return what is to be known of the rows that were judged on: what their labels as given say, if some are fixed."""
    fixes, judged, task = _fixes(question), sides[GIVEN][0].split, question.rows.task
    if judged not in given.cut:
        return ", which were not audited"
    kept = [row for row in given.splits[judged] if place_of(row) not in fixes or not fixes[place_of(row)].drops]
    if not any(place_of(row) in fixes for row in kept):
        return " that were audited, too"
    gold = list(map(task.gold, kept))
    pair = _pair({side: [_with_gold(run, gold) for run in found] for side, found in sides.items()}, name)
    gain = Gain.of(pair, CORRECTED)
    said = f"the fixes bring {gain.shown} ({bounds(gain.interval)}), {chance(pair.p_value)}"
    return f" that were audited, too. By their labels as given, {said}"


def _with_gold(run: StoredRun, gold: Sequence[Any]) -> StoredRun:
    """Return a run with other gold answers of the rows that it was judged on."""
    return replace(run, lines=[{**line, "gold": one} for line, one in zip(run.lines, gold, strict=True)])
