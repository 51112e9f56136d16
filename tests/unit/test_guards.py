"""The guards that can be taken out one after the other are those that the code has."""

from tests.faults.guards import GUARDS, ROOT


def test_the_code_of_each_guard_is_there() -> None:
    gone = [guard.name for guard in GUARDS if guard.code not in (ROOT / guard.file).read_text(encoding="utf-8")]
    assert not gone, "tests/faults/guards.py names code that has changed"
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)
