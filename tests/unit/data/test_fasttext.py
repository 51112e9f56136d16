"""fastText's files."""

import pytest

from tasks.data.records import ReadReport
from tasks.errors import InputError
from tests.unit.data.inputs import recognised, values


@pytest.mark.parametrize(
    ("line", "text", "labels"),
    [
        ("__label__good warm beds", "warm beds", ["good"]),
        ("__label__good __label__cheap warm, really", "warm, really", ["good", "cheap"]),
        ("__label__good,__label__cheap warm", "warm", ["good", "cheap"]),
        ("__label__good, __label__cheap, warm", "warm", ["good", "cheap"]),
        ("__label__good , warm beds", ", warm beds", ["good"]),
        ("__label__5\twarm __label__beds", "warm __label__beds", ["5"]),
        ("__label__sci-fi: space", "space", ["sci-fi:"]),
    ],
)
def test_lines(line: str, text: str, labels: list[str]) -> None:
    assert values("f.txt", f"{line}\n\n__label__bad cold soup\r\n__label__bad rain\n") == [
        {"text": text, "label": labels},
        {"text": "cold soup", "label": ["bad"]},
        {"text": "rain", "label": ["bad"]},
    ]


def test_what_it_is_is_said() -> None:
    assert recognised("f.txt", "__label__a x\n__label__b y\n") == "train: f.txt: fastText, 2 rows"


def test_lines_without_a_label() -> None:
    report = ReadReport("skip")
    text = "__label__a x\nno label here\n__label__b y\n"
    assert len(values("f.txt", text, report)) == 2
    assert report.examples == {"no label": ["f.txt, line 2: the line does not begin with __label__: no label here"]}
    with pytest.raises(InputError, match=r"f\.txt, line 2"):
        values("f.txt", text)
