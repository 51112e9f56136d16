"""What a check prints."""

from collections.abc import Mapping
from typing import Any

from recipes.system.characters import visible
from recipes.system.console import counted, escape_control_characters, say, say_field
from tasks.checks.finding import GRADES, percent

LABELS_SHOWN = 8


def show_summary(record: Mapping[str, Any], recognised: list[str], notes: list[str]) -> None:
    """Print what was read: rows, labels and lengths."""
    for line in recognised:
        _field("read", line)
    for note in notes:
        _field("", note)
    rows = ", ".join(f"{count:,} {split}" for split, count in record["rows"].items())
    variety = f"; {record['variety']}" if record["variety"] else ""
    _field("data", f"{record['data']}: {rows} rows{variety}")
    for split, labels in record["labels"].items():
        if labels:
            _field("labels" if split == "train" else "", f"{split}: {_shares(labels)}")
    for what, name in (("words", "lengths"), ("tokens", "")):
        of_train = (record["lengths"][what] or {}).get("train")
        if of_train:
            window = f"; a window holds {record['limit']:,}" if what == "tokens" else ""
            _field(
                name,
                f"training rows have {of_train['median']:,} {what} as a rule, 95% have {of_train['p95']:,} at most, "
                f"the longest has {of_train['longest']:,}{window}",
            )


def _shares(labels: Mapping[str, int]) -> str:
    total = sum(labels.values())
    most = sorted(labels.items(), key=lambda pair: -pair[1])
    shown = ", ".join(f"{visible(name)} {count:,} ({percent(count, total)})" for name, count in most[:LABELS_SHOWN])
    return shown + (f", and {len(most) - LABELS_SHOWN} more" if len(most) > LABELS_SHOWN else "")


def show_findings(record: Mapping[str, Any]) -> None:
    """Print the findings, gravest first, and how many there are of each grade."""
    for one in record["findings"]:
        if one["excused"]:
            continue
        say()
        _field(one["grade"], f"{one['message']}  [{one['kind']}]")
        for example in one["examples"]:
            place = "" if example["place"] is None else f"{example['place']}: "
            _field("", f"e.g. {place}{example['text']}")
        _field("", f"why: {one['why']}")
        _field("", f"what to do: {one['remedy']}")
    excused = [one for one in record["findings"] if one["excused"]]
    if excused:
        say()
        _field("excused", ", ".join(dict.fromkeys(one["kind"] for one in excused)))
    say()
    say(verdict(record))


def verdict(record: Mapping[str, Any]) -> str:
    """Return in a few words how many findings of each grade there are."""
    found = [counted(record["counts"][grade], grade) for grade in GRADES if record["counts"][grade]]
    return ", ".join(found) if found else "Nothing doubtful was found"


def _field(name: str, text: str) -> None:
    say_field(name, escape_control_characters(text))
