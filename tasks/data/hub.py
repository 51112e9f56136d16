"""Data sets of the Hugging Face hub, and local folders that are laid out like them."""

from typing import Any

from tasks.data.files import expand_home
from tasks.data.formats.arrow_tables import name_labels
from tasks.data.options import DataOptions, Split
from tasks.data.records import Origin, Record
from tasks.errors import InputError, did_you_mean
from tasks.network import unreachable


def read_hub(options: DataOptions, split: Split) -> list[Record] | None:
    """Return the rows of one split. The data set's names for labels replace integer labels.

    A row of `conll2003` becomes `Record({"tokens": ["EU", ...], "ner_tags": ["B-ORG", ...]}, origin)`.

    Args:
        options: `hub`, `hub_config` and `hub_revision` say which data set; `train`, `validation` and `test` are names
            of its splits.
        split: train, validation or test.

    Returns:
        None if the options name no split and the data set has none called `split`.

    Raises:
        InputError: the data set can't be had, or lacks the split.
    """
    wanted = getattr(options, split)
    if not (wanted is None or isinstance(wanted, str)):
        raise InputError(f"data.{split}={wanted!r}: with data.hub this is the name of one split")
    splits = _load(options)
    name = wanted or split
    if name not in splits:
        if wanted is None and split != "train":
            return None
        near = did_you_mean(name, splits)
        raise InputError(f"data.{split}={name}: {options.hub} has no such split. Splits: {', '.join(splits)}.{near}")
    rows = splits[name]
    return [
        Record(
            {column: name_labels(value, rows.features.get(column)) for column, value in row.items()},
            Origin(f"{options.hub}:{name}", number, "row"),
        )
        for number, row in enumerate(rows, start=1)
    ]


def _load(options: DataOptions) -> dict[str, Any]:
    """Load all splits, and return them by name."""
    assert options.hub is not None
    folder = expand_home(options.hub)
    is_local = folder.is_dir()
    if not is_local:
        if options.hub.startswith((".", "/", "~")):
            raise InputError(f"data.hub={options.hub}: there is no folder {folder.absolute()}")
        _require_reachable(options.hub)
    from datasets import load_dataset

    where = str(folder) if is_local else options.hub
    try:
        return dict(load_dataset(where, options.hub_config, revision=None if is_local else options.hub_revision))
    # Errors of the network, file formats, names of configurations and old scripts have no common class.
    except Exception as error:
        asked = f"data.hub={options.hub}"
        if options.hub_config is not None:
            asked += f" data.hub_config={options.hub_config}"
        if options.hub_revision is not None:
            asked += f" data.hub_revision={options.hub_revision}"
        place = folder.absolute() if is_local else _place()
        raise InputError(f"{asked}: can't be loaded from {place}.\n{type(error).__name__}: {error}") from error


def _place() -> str:
    from huggingface_hub import constants

    return "the local cache, since HF_HUB_OFFLINE is set" if constants.is_offline_mode() else constants.ENDPOINT


def _require_reachable(name: str) -> None:
    """Raise an error within seconds if the hub can't be reached: `datasets` would try for minutes."""
    from huggingface_hub import constants

    fault = None if constants.is_offline_mode() else unreachable()
    if fault is not None:
        raise InputError(
            f"data.hub={name}: the hub at {constants.ENDPOINT} can't be reached ({fault}).\n"
            "If the data set was loaded on this machine before: HF_HUB_OFFLINE=1 takes it from the cache. Otherwise "
            "download it elsewhere and give its folder as data.hub, or its files as data.train with data.hub=null"
        )
