"""Finds the words of a command line that are none of ours, and says what to type instead, for all of them at once."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from recipes.command.groups import GROUPS, choices
from recipes.command.keys import is_key, is_switch, meant_key, nearest_key, no_key
from recipes.command.line import CFG_FLAGS, CONFIG_DIR_FLAGS, INFO_FLAGS, SWEEP_FLAGS, key_of, no_flag
from recipes.command.mistaken_choices import exists, is_path, meant_choice
from recipes.command.own_rows import commands_with_tasks, lacks_task, shell_command
from recipes.command.synonyms import NEEDLESS, OTHER_UNITS, SWITCHES, TASK_NAMES
from tasks.data.files import expand_home
from tasks.errors import InputError
from tasks.overrides import shell_word

SHOWN = ("job", "hydra", "all", "config", "defaults", "defaults-tree", "plugins", "searchpath")
"What Hydra's flags `--cfg` and `--info` can show."


@dataclass(frozen=True)
class Part:
    """One or more words of the command line that belong together, such as a flag and its value."""

    typed: tuple[str, ...]
    instead: tuple[str, ...] | None
    "The words to type instead. None: not known."
    message: str = ""
    "What is wrong. Empty: nothing."
    certain: bool = True
    "Whether `instead` is what is meant, and not only near to it."
    flag: bool = False
    "Whether this is a flag that stands for nothing here; `read_command_line` refuses it, too."


@dataclass(frozen=True)
class Context:
    """What the rest of a command line says about a word."""

    task: str | None
    "The task that is chosen, if one is."
    folders: tuple[Path, ...]
    "Folders of the user's own config files."
    searchpath: bool
    "Whether Hydra looks for config files in more places than these."


def refuse_mistyped(arguments: Sequence[str]) -> None:
    """Refuse a command line with words that are none of ours, where it is known or guessed what they mean.

    Raises:
        InputError: the message names each wrong word with what to type instead, and shows the whole command.
    """
    if {"-sc", "--shell-completion"} & set(arguments):
        return  # The words are the beginning of a command.
    parts = _whole_batches(list(_parts(list(arguments), _context(arguments))))
    wrong = [part for part in parts if part.message]
    if all(part.flag for part in wrong):
        return
    lines = [part.message for part in wrong]
    if len(lines) > 1:
        lines = ["Words that can't be used:", *(f"  {line}" for line in lines)]
    raise InputError("\n".join([*lines, *_corrected(parts, wrong)]))


def _corrected(parts: Sequence[Part], wrong: Sequence[Part]) -> list[str]:
    """Return lines with the whole command as it should be, or no lines if that is not known or says nothing new."""
    if any(part.instead is None for part in wrong) or (len(wrong) == 1 and not wrong[0].certain):
        return []
    words = [word for part in parts for word in part.instead or ()]
    if lacks_task([word for word in words if not word.startswith("-")]):
        return [
            "The whole command, with the task that is meant:",
            *(f"  {line}" for line in commands_with_tasks(words)),
        ]
    return [f"The whole command:\n  {shell_command(words)}"] if len(parts) > 1 else []


def _context(arguments: Sequence[str]) -> Context:
    line = " ".join(arguments)
    task = re.search(r"(?:^| )-{0,2}task(?:_name)?[= ](\S+)", line)
    name = task.group(1) if task else None
    folders = [
        *(argument.partition("=")[2] for argument in arguments if argument.startswith("--config-dir=")),
        *(after for flag, after in pairwise(arguments) if flag in CONFIG_DIR_FLAGS),
    ]
    return Context(
        task=TASK_NAMES.get(name or "", f"task={name}").split()[0].partition("=")[2] if name else None,
        folders=tuple(map(expand_home, folders)),
        searchpath=any(key_of(argument) == "hydra.searchpath" for argument in arguments),
    )


def _parts(rest: list[str], context: Context) -> Iterator[Part]:
    while rest:
        word = rest.pop(0)
        flag = word.partition("=")[0]
        if flag in (*SWEEP_FLAGS, *CONFIG_DIR_FLAGS, *INFO_FLAGS, *CFG_FLAGS):
            follows = (
                rest
                and "=" not in word
                and (flag in (*CONFIG_DIR_FLAGS, "-p", "--package") or (flag in INFO_FLAGS and rest[0] in SHOWN))
            )
            typed = (word, rest.pop(0)) if follows else (word,)
            yield Part(typed, typed)
        elif word.startswith("-"):
            yield _flag(word, rest, context)
        elif key_of(word).startswith("hydra"):
            yield Part((word,), (word,))  # `read_command_line` judges these.
        elif word.startswith("~"):
            yield Part(
                (word,), None, f"{word}: nothing can be taken out of the config. No value is: {key_of(word)}=null"
            )
        elif "=" in word and not word.startswith("="):
            yield _override(word, rest, context)
        else:
            yield _bare(word, rest, context)


def _flag(word: str, rest: list[str], context: Context) -> Part:
    """Return the part of a flag that is none of ours, with its value."""
    name, equals, value = word.lstrip("-").partition("=")
    typed: tuple[str, ...] = (word,)
    if not equals and rest and _is_value(rest[0]):
        value = rest.pop(0)
        typed = (word, value)
    return _translated(typed, name, value, context) or Part(
        typed, None, no_flag(word.partition("=")[0]), certain=False, flag=True
    )


def _override(word: str, rest: list[str], context: Context) -> Part:
    """Return the part of a word with `=`."""
    key, _, value = word.partition("=")
    if key != key.strip():
        return _joined((word,), key.strip(), value.strip(), context)
    name = key.lstrip("+")
    if "@" in name or any(part.startswith("_") for part in name.split(".")):
        return Part((word,), (word,))
    if not value and rest and _is_value(rest[0]) and meant_key(name, context.task) is not None:
        return _joined((word, rest[0]), name, rest.pop(0), context)
    if name in GROUPS:
        return _choice((word,), name, value, context)
    if is_key(name):
        return Part((word,), (word,))
    part = _translated((word,), name, value, context)
    if part is not None:
        return part
    if context.folders or context.searchpath:
        return Part((word,), (word,))  # The user's own files may have groups of their own.
    near = nearest_key(name)
    return Part((word,), None if near is None else (f"{near}={value}",), no_key(name), certain=False)


def _bare(word: str, rest: list[str], context: Context) -> Part:
    """Return the part of a word without `=`, or of one that begins with it."""
    if rest and rest[0].startswith("="):
        sign = rest.pop(0)
        after = (rest.pop(0),) if sign == "=" and rest and _is_value(rest[0]) else ()
        return _joined((word, sign, *after), word, "".join((sign, *after))[1:], context)
    key, colon, value = word.partition(":")
    if colon and value and not exists(word) and meant_key(key, context.task) is not None:
        return _joined((word,), key, value, context)
    groups = [group for group in GROUPS if word in choices(group)]
    if word not in GROUPS and not is_key(word):
        if len(groups) == 1:
            return _instead((word,), (f"{groups[0]}={word}",))
        if is_path(word):
            is_model = (expand_home(word) / "config.json").is_file()
            return _instead((word,), (f"{'model.path' if is_model else 'data.train'}={word}",))
    if meant_key(word, context.task) is None:
        return Part((word,), None, f"Can't read the override '{word}'. Write KEY=VALUE")
    if rest and _is_value(rest[0]) and meant_key(rest[0]) is None:
        return _joined((word, rest[0]), word, rest.pop(0), context)
    translated = _translated((word,), word, "", context)
    assert translated is not None
    return translated


def _joined(typed: tuple[str, ...], key: str, value: str, context: Context) -> Part:
    """Return the part of a key and a value that stand apart, or have the wrong sign between them."""
    part = _translated(typed, key, value, context)
    instead = (f"{key}={value}",) if part is None or part.instead is None else part.instead
    message = f"{_shown(typed)}: no blanks around '=' and no other sign for it: write {_shown(instead)}"
    return Part(typed, instead, message, certain=part is not None)


def _translated(typed: tuple[str, ...], name: str, value: str, context: Context) -> Part | None:
    """Return the part of a key that goes by another name, or None if it stands for nothing that we know."""
    leaf = name.lower().replace("-", "_").rpartition(".")[2]
    if leaf in NEEDLESS:
        return Part(typed, (), f"{_shown(typed)}: leave it out, {NEEDLESS[leaf]}")
    if leaf in SWITCHES and (value.lower() or "true") in ("true", "false"):
        return _instead(typed, (SWITCHES[leaf],) if value.lower() != "false" else ())
    if leaf in OTHER_UNITS:
        form, in_words = OTHER_UNITS[leaf]
        if form and value:
            return _instead(typed, (form.format(value),))
        return Part(typed, None, f"{_shown(typed)}: write {in_words}")
    key = meant_key(name, context.task) or ""
    if not key:
        return None
    if key in GROUPS:
        return _choice(typed, key, value, context)
    if not value and is_switch(key):
        value = "true"
    return _instead(typed, (f"{key}={value}",)) if value else Part(typed, None, f"{_shown(typed)}: write {key}=VALUE")


def _choice(typed: tuple[str, ...], group: str, value: str, context: Context) -> Part:
    """Return the part that chooses from a config group."""
    right = f"{group}={value}"
    if not value:
        return Part(typed, None, f"{_shown(typed)}: write {group}=CHOICE, one of {', '.join(choices(group))}")
    if "${" in value or value[0] in "'\"" or context.searchpath or re.match(r"(choice|glob)\(", value):
        return Part(typed, (right,), "" if typed == (right,) else f"{_shown(typed)}: write {shell_word(right)}")
    several = [value] if exists(value) else value.split(",")
    meant = [(one, meant_choice(group, one, context.folders)) for one in several]
    wrong = [(one, what) for one, what in meant if what is not None]
    if not wrong:
        same = [word.lstrip("+") for word in typed] == [right]
        return Part(typed, typed, "") if same else _instead(typed, (right,))
    one, what = wrong[0]
    by_path = group == "model" and typed[0].lstrip("+").partition("=")[0] != group
    if what.instead is None and by_path:
        return _instead(typed, (f"model.path={value}",))
    if len(several) > 1 and what.instead is not None:
        return Part(typed, None, f"{_shown(typed)}: '{one}' is no choice of {group}. Write {_shown(what.instead)}")
    if what.instead is None:
        return Part(typed, None, what.message)
    return _instead(typed, what.instead)


def _instead(typed: tuple[str, ...], instead: tuple[str, ...]) -> Part:
    words = f"write {_shown(instead)}" if instead else "leave it out"
    return Part(typed, instead, f"{_shown(typed)}: {words}")


def _shown(words: Sequence[str]) -> str:
    return " ".join(map(shell_word, words))


def _is_value(word: str) -> bool:
    """Tell whether a word can be the value of the word before it."""
    if word.startswith("-"):
        return re.fullmatch(r"-[\d.]+(e-?\d+)?", word) is not None
    key, equals, _ = word.partition("=")
    return not equals or (bool(key) and key.lstrip("+~") not in GROUPS and meant_key(key.lstrip("+~")) is None)


def _whole_batches(parts: list[Part]) -> list[Part]:
    """Count the batch size as we do, where both it and the accumulation come from another program's flags.

    There, a batch is one of the parts that are accumulated; here it is all of them.
    """
    size = _number(parts, r"-*per_(?:device|gpu)_train_batch_size")
    count = _number(parts, r"-*gradient_accumulation_steps")
    if size is None or count is None:
        return parts
    place, rows = size
    right = f"hparams.batch_size={rows * count[1]}"
    why = f"{_shown(parts[place].typed)}: write {right}, the rows of a whole step ({count[1]} x {rows})"
    return [replace(part, instead=(right,), message=why) if n == place else part for n, part in enumerate(parts)]


def _number(parts: Sequence[Part], name: str) -> tuple[int, int] | None:
    """Return place and value of the part with this name and a whole number, if there is one."""
    for place, part in enumerate(parts):
        found = re.fullmatch(rf"{name}[= ](\d+)", " ".join(part.typed))
        if found:
            return place, int(found.group(1))
    return None
