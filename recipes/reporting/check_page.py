"""The report of a data check as a page, from what the check has left in its folder."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from markupsafe import Markup

from recipes.reporting.pages import render
from recipes.reporting.pictures import (
    BOTTOM,
    CHART_HEIGHT,
    CHART_WIDTH,
    LEFT,
    RIGHT,
    TOP,
    axis_ticks,
    bars,
    picture,
    segment,
    words_at,
)
from recipes.reporting.records import read_record
from recipes.system.console import counted
from recipes.system.files import write_text
from tasks.checks.finding import percent

RECORD = "check.json"
"The file in a check's folder that says all it found."
PAGE = "check.html"
MOST_LABELS = 30
"Labels that are shown one by one."
LONGEST_AXIS = 2
"An axis of lengths ends at this many times the length that 95% of the rows keep to: a few very long rows would leave \
no room for all others."
Lengths = Mapping[str, Mapping[str, Any]]
"For each split its median, 95th percentile, maximum and counts: for each bin its first length, the one after its \
last, and how many rows."


@dataclass(frozen=True)
class ShownExample:
    """A row that a finding is about."""

    text: str
    place: str


@dataclass(frozen=True)
class ShownFinding:
    """A finding with what is shown of it."""

    kind: str
    grade: str
    title: str
    message: str
    why: str
    remedy: str
    part: str
    "What part of the rows it is about, in words. Empty: it is about something else, or about all rows."
    share: float
    examples: list[ShownExample]
    places: bool
    "Whether an example has a place."
    excused: bool


@dataclass(frozen=True)
class ShownLabel:
    """A label with its share in each split."""

    name: str
    cells: list[tuple[str, int]]
    "For each split the share in words, and the count."
    picture: Markup


@dataclass(frozen=True)
class ShownLabels:
    """The labels of all splits."""

    word: str
    "What is counted."
    splits: list[tuple[str, int]]
    "Each split with the number of its colour."
    labels: list[ShownLabel]
    rest: str
    "What is not shown label by label, in words."


@dataclass(frozen=True)
class ShownLengths:
    """How long rows are by one measure."""

    unit: str
    splits: list[tuple[str, int]]
    lines: list[tuple[str, int, int, int]]
    "Of each split its name, median, 95th percentile and maximum."
    picture: Markup
    fits: bool
    "Whether even the longest row is no longer than a window."
    beyond: bool
    "Whether there are rows that are longer than the picture shows."


def write_check_page(folder: Path) -> Path:
    """Write the report of a data check into its folder, and return the file.

    Raises:
        InputError: what the check has left is damaged.
    """
    with read_record(folder / RECORD, "The check's command makes it anew") as record:
        page = check_page(record)
    write_text(folder / PAGE, page)
    return folder / PAGE


def check_page(record: Mapping[str, Any]) -> str:
    """Return the report of a data check as HTML.

    Args:
        record: the content of its `check.json`.
    """
    findings = [_shown_finding(finding, record["rows"]) for finding in record["findings"]]
    excused = [finding for finding in findings if finding.excused]
    return render(
        "check",
        title=f"Check of {record['data']}",
        task=record["task"],
        variety=record["variety"],
        model=record["model"],
        command=record["command"],
        rows=record["rows"],
        limit=record["limit"],
        verdict=_verdict(record["counts"], len(excused)),
        findings=[finding for finding in findings if not finding.excused],
        excused=excused,
        labels=_shown_labels(record),
        lengths=list(_shown_lengths(record)),
    )


def _verdict(counts: Mapping[str, int], excused: int) -> str:
    parts = [counted(number, grade) for grade, number in counts.items() if number]
    sentence = ", ".join(parts) or "Nothing doubtful was found"
    return f"{sentence}; {excused:,} excused" if excused else sentence


def _shown_finding(finding: Mapping[str, Any], rows: Mapping[str, int]) -> ShownFinding:
    count, of = finding["count"], finding["of"]
    examples = [ShownExample(one["text"], one["place"] or "") for one in finding["examples"]]
    # Only of rows: that one of six labels drifts is no sixth of anything that is worth a picture.
    is_part = 0 < count < of and of in _numbers_of_rows(rows)
    return ShownFinding(
        kind=finding["kind"],
        grade=finding["grade"],
        title=finding["title"],
        message=finding["message"],
        why=finding["why"],
        remedy=finding["remedy"],
        part=f"{percent(count, of)} of {of:,} rows" if is_part else "",
        share=finding["share"],
        examples=examples,
        places=any(example.place for example in examples),
        excused=finding["excused"],
    )


def _numbers_of_rows(rows: Mapping[str, int]) -> set[int]:
    """Return the numbers of rows of one split, and of several together.

    >>> sorted(_numbers_of_rows({"train": 90, "test": 10}))
    [10, 90, 100]
    """
    sizes = range(1, len(rows) + 1)
    return {sum(some) for size in sizes for some in combinations(rows.values(), size)}


def _colours(record: Mapping[str, Any]) -> dict[str, int]:
    """Return the number of each split's colour, which is the same in all pictures."""
    return {split: number for number, split in enumerate(record["rows"])}


def _shown_labels(record: Mapping[str, Any]) -> ShownLabels | None:
    """Return the labels, the most frequent ones of the first split first. None: there are none."""
    counts = {split: Counter(record["labels"][split]) for split in record["rows"] if record["labels"].get(split)}
    if not counts:
        return None
    word = record["label_word"]
    whole = {split: _whole(found, record["rows"][split], word) for split, found in counts.items()}
    names = {name for found in counts.values() for name in found}
    # A label that training lacks is shown, too, if another split is full of it.
    by_share = sorted(names, key=lambda name: (-_largest_share(name, counts, whole), name))
    most = _largest_share(by_share[0], counts, whole) or 1.0
    colours = _colours(record)
    shown = []
    for name in sorted(by_share[:MOST_LABELS], key=lambda name: (*(-found[name] for found in counts.values()), name)):
        cells = [(percent(found[name], whole[split]), found[name]) for split, found in counts.items()]
        words = ", ".join(f"{split} {share}" for split, (share, _) in zip(counts, cells, strict=True))
        shares = {colours[split]: found[name] / whole[split] / most for split, found in counts.items()}
        shown.append(ShownLabel(name, cells, bars(shares, f"{name}: {words}")))
    return ShownLabels(
        word, [(split, colours[split]) for split in counts], shown, _rest(by_share[MOST_LABELS:], counts, whole, word)
    )


def _whole(counts: Counter[str], rows: int, word: str) -> int:
    """Return what the counts of labels are shares of: the rows, of which each may have several labels, or their sum."""
    return max(rows, *counts.values(), 1) if word == "rows" else max(counts.total(), 1)


def _largest_share(name: str, counts: Mapping[str, Counter[str]], whole: Mapping[str, int]) -> float:
    return max(found[name] / whole[split] for split, found in counts.items())


def _rest(names: Sequence[str], counts: Mapping[str, Counter[str]], whole: Mapping[str, int], word: str) -> str:
    """Return in words what is not shown label by label.

    Args:
        names: these labels, the one with the largest share first.
        counts: of each split.
        whole: what the counts are shares of.
        word: what is counted.
    """
    if not names:
        return ""
    which = counted(len(names), "other label")
    fullest = max(counts, key=lambda split: counts[split][names[0]] / whole[split])
    share = percent(counts[fullest][names[0]], whole[fullest])
    together = " and ".join(f"{sum(found[name] for name in names):,} of {split}" for split, found in counts.items())
    return f"And {which}, none with more than {share} of the {word} of a split; the {word} of all of them: {together}."


def _shown_lengths(record: Mapping[str, Any]) -> Iterator[ShownLengths]:
    colours = _colours(record)
    for unit in ("words", "tokens"):
        found = record["lengths"].get(unit) or {}
        lengths = {split: found[split] for split in record["rows"] if found.get(split, {}).get("counts")}
        if not lengths:
            continue
        limit = record["limit"] if unit == "tokens" else None
        lines = [(split, one["median"], one["p95"], one["longest"]) for split, one in lengths.items()]
        end = _end_of_axis(lengths, limit)
        yield ShownLengths(
            unit=unit,
            splits=[(split, colours[split]) for split in lengths],
            lines=lines,
            picture=_lengths_chart(lengths, colours, unit, limit, end),
            fits=limit is not None and all(longest <= limit for *_, longest in lines),
            beyond=any(longest > end for *_, longest in lines),
        )


def _lengths_chart(lengths: Lengths, colours: Mapping[str, int], unit: str, limit: int | None, end: float) -> Markup:
    """Return the share of rows over their length, a line of steps for each split, and a dashed line for the window."""
    step = _commonest_step(lengths)
    heights = {split: list(_heights(one["counts"], step)) for split, one in lengths.items()}
    ticks = axis_ticks(0.0, max(height for line in heights.values() for *_, height in line))
    width, height = CHART_WIDTH - LEFT - RIGHT, CHART_HEIGHT - TOP - BOTTOM

    def across(length: float) -> float:
        return LEFT + width * min(length / end, 1.0)

    def up(share: float) -> float:
        return TOP + height * (1 - share / ticks[-1])

    parts = []
    for tick in ticks:
        parts.append(segment("grid", LEFT, up(tick), CHART_WIDTH - RIGHT, up(tick)))
        parts.append(words_at(LEFT - 6, up(tick) + 4, f"{100 * tick:.3g}%", "end"))
    parts += [
        words_at(across(tick), CHART_HEIGHT - BOTTOM + 16, f"{tick:,.4g}", "middle")
        for tick in axis_ticks(0.0, end)
        if tick <= end
    ]
    parts.append(words_at(LEFT + width / 2, CHART_HEIGHT - 6, unit, "middle"))
    # The first split is drawn last: it is the one that is trained on.
    for split, line in reversed(heights.items()):
        corners = _corners([one for one in line if one[0] < end])
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in corners)
        parts.append(Markup('<polyline class="line line{}" points="{}"/>').format(colours[split], path))
    if limit is not None and limit <= end:
        parts.append(segment("diagonal", across(limit), TOP, across(limit), up(0)))
        anchor = "start" if limit < end / 4 else "end" if limit > end * 3 / 4 else "middle"
        parts.append(words_at(across(limit), TOP - 3, f"window: {limit:,}", anchor))
    words = "; ".join(
        f"{split}: median {one['median']:,}, longest {one['longest']:,}" for split, one in lengths.items()
    )
    return picture("chart", CHART_WIDTH, CHART_HEIGHT, f"Rows by their {unit}. {words}", parts)


def _commonest_step(lengths: Lengths) -> int:
    """Return how many lengths most bins hold."""
    steps: Counter[int] = Counter(end - start for one in lengths.values() for start, end, _ in one["counts"])
    return min(steps, key=lambda step: (-steps[step], step))


def _heights(counts: Sequence[Sequence[int]], step: int) -> Iterator[tuple[int, int, float]]:
    """Yield each bin with its share of rows. A wider bin is drawn lower, so that areas can be compared."""
    rows = sum(count for *_, count in counts) or 1
    for start, end, count in counts:
        yield start, end, count / rows * step / (end - start)


def _corners(line: Sequence[tuple[int, int, float]]) -> Iterator[tuple[int, float]]:
    """Yield the corners of a line of steps, which is at 0 before, after and between its bins.

    >>> list(_corners([(0, 4, 0.5), (4, 8, 0.3), (12, 16, 0.2)]))
    [(0, 0.0), (0, 0.5), (4, 0.5), (4, 0.3), (8, 0.3), (8, 0.0), (12, 0.0), (12, 0.2), (16, 0.2), (16, 0.0)]
    """
    last = None
    for start, end, height in line:
        if start != last:
            if last is not None:
                yield last, 0.0
            yield start, 0.0
        yield start, height
        yield end, height
        last = end
    if last is not None:
        yield last, 0.0


def _end_of_axis(lengths: Lengths, limit: int | None) -> float:
    """Return the length where the picture ends: that of the longest rows, if these are no far outliers."""
    longest: float = max(one["longest"] for one in lengths.values()) + 1
    end: float = min(longest, LONGEST_AXIS * max(one["p95"] for one in lengths.values()))
    # The window is a part of the picture if a row comes near to it.
    return max(end, 1.1 * limit, 1.0) if limit is not None and limit <= 1.25 * longest else max(end, 1.0)
