"""A finding about labelled rows: what was found, how much of it, where, why it matters, and what to type."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from tasks.checks.kinds import KINDS, Kind
from tasks.data.records import Origin

Grade: TypeAlias = Literal["error", "warning", "note"]
GRADES: tuple[Grade, ...] = get_args(Grade)
"From the gravest on. error: what is trained on these rows, or a score on them, is wrong. warning: it may be. note: so \
that it is known."

CAUSES = ("unusable_rows", "implausible")
"Kinds that other findings of the same grade may follow from."
EXAMPLES = 3
"How many examples of a finding are kept."
LONGEST_EXAMPLE = 200


@dataclass(frozen=True)
class Example:
    """A row that a finding is about."""

    text: str
    origin: Origin | None = None
    "Its place. None: the text says it."


@dataclass(frozen=True)
class Finding:
    """Something that is doubtful in labelled rows."""

    kind: str
    "A key of `tasks.checks.kinds.KINDS`."
    grade: Grade
    message: str
    "One sentence with the numbers."
    count: int
    "Of rows, words, entities, ... that it is about."
    of: int
    "Of all of these."
    examples: tuple[Example, ...] = ()

    @property
    def share(self) -> float:
        """The share of all that it is about; 0 of nothing."""
        return self.count / self.of if self.of else 0.0

    @property
    def about(self) -> Kind:
        """Why it matters, and what can be done."""
        return KINDS[self.kind]


def finding(
    kind: str, grade: Grade, message: str, count: int, of: int, examples: Iterable[tuple[str, Origin | None]] = ()
) -> Finding:
    """Return a finding with its first few examples, shortened."""
    assert kind in KINDS, kind
    kept = [Example(short(text), origin) for text, origin in _first(examples)]
    return Finding(kind, grade, message, count, of, tuple(kept))


def _first(examples: Iterable[tuple[str, Origin | None]]) -> list[tuple[str, Origin | None]]:
    return [example for example, _ in zip(examples, range(EXAMPLES), strict=False)]


def short(text: str) -> str:
    r"""Return the beginning of a text, on one line.

    >>> short("warm\nbeds")
    'warm beds'
    """
    line = " ".join(text[: 2 * LONGEST_EXAMPLE].split())
    return line if len(line) <= LONGEST_EXAMPLE and len(text) <= 2 * LONGEST_EXAMPLE else f"{line[:LONGEST_EXAMPLE]}..."


def percent(count: int, of: int) -> str:
    """Return a share in words.

    >>> percent(1, 300), percent(30, 300), percent(1, 3_000)
    ('0.3%', '10%', 'under 0.1%')
    """
    share = 100 * count / of if of else 0.0
    if 0 < share < 0.1:
        return "under 0.1%"
    return f"{share:.1f}%" if share < 10 and f"{share:.1f}"[-2:] != ".0" else f"{share:.0f}%"


def gravest_first(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings by grade, within a grade causes first, then by what share they are about."""
    return sorted(findings, key=lambda one: (GRADES.index(one.grade), one.kind not in CAUSES, -one.share, one.kind))
