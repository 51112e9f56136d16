"""Values as the user means them: texts and paths that Hydra's grammar would read as something else, or not at all.

A shell takes quotes away, so Hydra would have to be given two pairs of them. Here a text gets the quotes that Hydra
needs. This holds for the values of keys that are texts or paths; other values stay as Hydra reads them.
"""

import re
from collections.abc import Iterable, Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, ValueType
from hydra.errors import HydraException, OverrideParseException

from recipes.command.groups import GROUPS
from recipes.command.keys import LISTS, PATHS, TEXTS_OR_LISTS, is_key, text_keys
from recipes.command.line import key_of
from recipes.command.mistaken_choices import exists
from tasks.errors import InputError
from tasks.overrides import hydra_literal, quoted, shell_word

HYDRA_SYNTAX = ",[]{}()'\"$\\"
"Characters with a meaning in Hydra's grammar of overrides."

OVERRIDE = re.compile(r"(\+{0,2})([A-Za-z_][\w./-]*)=(.+)", re.DOTALL)
"An override in three parts: plus signs, key and value."


def with_literal_values(overrides: Sequence[str], sweeps: bool = False) -> tuple[str, ...]:
    """Return the overrides in a form that Hydra reads as the user means them.

    The value of a text or path is taken as it stands, except `null`, `${...}`, a value in quotes, a list where the key
    can have one, and a comma, which stands between the values of a sweep. An existing path is taken as it stands in any
    case. Doing this again changes nothing.

    Args:
        overrides: the words of the command line that are no flags.
        sweeps: whether the command asks for a sweep.

    Raises:
        InputError: a comma can't be understood.
    """
    return tuple(_readable(override, sweeps) for override in overrides)


def _readable(override: str, sweeps: bool) -> str:
    parts = OVERRIDE.fullmatch(override)
    if parts is None or key_of(override).startswith("hydra"):
        return override
    plus, key, value = parts.groups()
    if key in GROUPS or is_key(key):
        plus = ""  # A plus sign adds what is not there, and this is.
    if key in text_keys():
        return f"{plus}{key}={_text_value(key, value, sweeps)}"
    read = _hydra_reading(key, value)
    if read is not None and read.is_sweep_override() and not sweeps:
        raise InputError(_several(key, value, _split(value)))
    unreadable = read is None and (len(value) == 1 or not set(value) & set(HYDRA_SYNTAX))
    return f"{plus}{key}={hydra_literal(value) if unreadable or value.isspace() else value}"


def _text_value(key: str, value: str, sweeps: bool) -> str:
    """Return the value of a text or path in the form that Hydra needs."""
    if key in PATHS and exists(value) and not _is_quoted(value):
        return _bare_or_quoted(key, value)
    read = _hydra_reading(key, value)
    pieces = _split(value)
    if read is not None and read.is_sweep_override():
        if read.value_type != ValueType.SIMPLE_CHOICE_SWEEP:
            if not sweeps:
                raise InputError(_several(key, value, [value]))
            return value
    elif len(pieces) < 2 or not all(pieces):
        return _single(key, value)
    parts = _with_commas_in_paths(pieces) if key in PATHS else pieces
    if sweeps:
        if parts is None:
            raise InputError(_ambiguous(key, value, pieces))
        return ",".join(_single(key, part) for part in parts)
    # A run directory's name has commas, and a folder of runs need not exist yet.
    if parts is None or key == "output_root":
        return _single(key, value)
    raise InputError(_several(key, value, parts))


def _single(key: str, value: str) -> str:
    """Return a value that is no sweep in the form that Hydra needs."""
    if not value or _is_quoted(value) or value.lower() == "null":
        return value
    if key in TEXTS_OR_LISTS and value[0] in "[{":
        inside = value[1:-1]
        if value[0] + value[-1] != "[]" or len(_split(value)) != 1:
            return value  # A mistake in a list is not taken for a text.
        pieces = _split(inside)
        parts = (_with_commas_in_paths(pieces) if key in PATHS else None) or pieces
        return f"[{','.join(_single('data.name', part) for part in parts)}]" if inside.strip() else value
    if re.search(r"\$\{.*\}", value):
        return quoted(value)
    return _bare_or_quoted(key, value)


def _bare_or_quoted(key: str, value: str) -> str:
    """Return the value bare if Hydra reads it and writes it back as it stands, and in quotes otherwise."""
    read = _hydra_reading(key, value)
    if read is None or read.is_sweep_override():
        return hydra_literal(value)
    plain = read.value()
    text = isinstance(plain, str) or (isinstance(plain, int | float) and key not in TEXTS_OR_LISTS)
    same = text and str(plain) == value == read.get_value_element_as_str()
    return value if same else hydra_literal(value)


def _hydra_reading(key: str, value: str) -> Override | None:
    """Return what Hydra reads, or None if it can't."""
    try:
        return OverridesParser.create().parse_overrides([f"{key}={value}"])[0]
    except (OverrideParseException, HydraException):
        return None


def _is_quoted(value: str) -> bool:
    if len(value) < 2 or value[0] != value[-1] or value[0] not in "'\"":
        return False
    read = _hydra_reading("x", value)
    return read is not None and not read.is_sweep_override()


def _split(value: str) -> list[str]:
    """Split a value at its commas, but not within quotes or brackets.

    >>> _split("a.csv, [b,c]"), _split("it's,here"), _split("'a,b',c")
    (['a.csv', '[b,c]'], ["it's", 'here'], ["'a,b'", 'c'])
    """
    pieces, begin, depth, quote = [], 0, 0, ""
    for place, character in enumerate(value):
        if quote:
            quote = "" if character == quote and value[place - 1] != "\\" else quote
        elif character in "'\"" and not value[begin:place].strip():
            quote = character
        elif character in "[{(":
            depth += 1
        elif character in "]})":
            depth -= 1
        elif character == "," and depth <= 0:
            pieces.append(value[begin:place])
            begin = place + 1
    return [piece.strip() for piece in (*pieces, value[begin:])]


def _with_commas_in_paths(pieces: Sequence[str]) -> list[str] | None:
    """Return the values that the pieces are once commas within existing paths are put back.

    None if a piece is left that has an equals sign: it could be a part of a run directory's name, as in `a=1,b=2`.
    """
    if not pieces:
        return []
    for count in range(len(pieces), 0, -1):
        value = ",".join(pieces[:count])
        if exists(value) or (count == 1 and ("=" not in value or _is_quoted(value))):
            rest = _with_commas_in_paths(pieces[count:])
            if rest is not None:
                return [value, *rest]
    return None


def _argument(key: str, parts: Iterable[str], form: str = "{}") -> str:
    """Return what to type at a shell for one or more values."""
    return shell_word(f"{key}={form.format(','.join(_single(key, part) for part in parts))}")


def _several(key: str, value: str, parts: Sequence[str]) -> str:
    """Return the message for several values without `-m`."""
    here = f"{key}={value}"
    if len(parts) < 2:
        return f"{here}: several values, for a sweep over them: -m {shell_word(here)}"
    count = {2: "Two", 3: "Three"}.get(len(parts), str(len(parts)))
    sweep = f"a sweep over them: -m {_argument(key, parts)}"
    as_list = _argument(key, parts, "[{}]")
    if key in LISTS:
        return f"{here}: a list is written in brackets: {as_list}"
    if key in TEXTS_OR_LISTS and key in PATHS:
        return f"{here}: there is no file of this name. {count} files: {as_list}; {sweep}"
    if key in TEXTS_OR_LISTS:
        return f"{here}: {count.lower()} names: {as_list}; {sweep}"
    one = f"; one value as it stands: {shell_word(f'{key}={hydra_literal(value)}')}" if key in text_keys() else ""
    return f"{here}: {count.lower()} values; {sweep}{one}"


def _ambiguous(key: str, value: str, pieces: Sequence[str]) -> str:
    """Return the message for a comma in a sweep that could belong to a path."""
    one, many = shell_word(f"{key}={hydra_literal(value)}"), ",".join(hydra_literal(piece) for piece in pieces)
    return (
        f"{key}={value}: there is no such path, and with -m a comma stands between values. One value as it stands: "
        f"{one}; {len(pieces)} values: {shell_word(f'{key}={many}')}"
    )
