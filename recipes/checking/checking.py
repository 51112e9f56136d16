"""A check from its config to its findings."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from tqdm import tqdm

from recipes.checking.reading import Read, read
from recipes.checking.record import record_of
from recipes.checking.showing import show_findings, show_summary
from recipes.config.schema import Config
from recipes.reporting.check_page import RECORD, write_check_page
from recipes.system.console import say, say_field
from recipes.system.files import write_json
from tasks.checks.finding import Finding
from tasks.errors import InputError
from tasks.inspecting.registry import steps_of

if TYPE_CHECKING:
    from recipes.checking.tokens import Tokens


ModelUse: TypeAlias = Literal["leave", "try", "must"]
"""leave: it is not looked at. try: if it can't be found, the check says so and does the rest. must: that is an error,
as the user named it."""


def check(
    config: Config, folder: Path, excused: dict[str, float], about: dict[str, Any], model: ModelUse
) -> dict[str, Any]:
    """Check the rows of a config, print what is found, write it, and return the record.

    Args:
        config: says which rows, and which model reads them.
        folder: where the record and the page are written.
        excused: for kinds of findings the share up to which they do not count.
        about: names of the data and the model, and the command.
        model: what is done with the model.

    Raises:
        InputError: there are no rows to check, or no model.
    """
    rows = read(config)
    tokens, missing = _tokens(rows, config, model)
    findings = [*rows.findings, *_found(rows), *(() if tokens is None else tokens.findings)]
    about = {**about, "model": about["model"] if tokens is not None else None}
    record = record_of(rows, findings, tokens, excused, about)
    show_summary(record, rows.report.recognised, rows.report.notes)
    if missing:
        say_field("model", f"not looked at: {missing}")
    show_findings(record)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / RECORD, record)
    say(f"Report: {write_check_page(folder)}")
    return record


def _tokens(rows: Read, config: Config, use: ModelUse) -> "tuple[Tokens | None, str]":
    """Return what the model makes of the rows, or why that is not known."""
    if use == "leave":
        return None, ""
    if rows.head is None:
        return None, "the labels make no head for it"
    from recipes.checking.tokens import look_at_tokens  # takes seconds, which rows that can't be read need not wait

    try:
        return look_at_tokens(rows.task, rows.given, rows.head, config.model), ""
    except InputError as error:
        if use == "must":
            raise
        return None, str(error)


def _found(rows: Read) -> Iterator[Finding]:
    steps = list(steps_of(rows.task, rows.given))
    with tqdm(total=len(steps), delay=2, leave=False, disable=None, bar_format="{desc} {elapsed}") as progress:
        for step in steps:
            progress.set_description(f"looking at {step.name}")
            yield from step.findings
            progress.update()
