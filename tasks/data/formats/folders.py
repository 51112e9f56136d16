"""Folders: one with a folder of texts for each class, and what `datasets` saves with `save_to_disk`."""

from pathlib import Path
from typing import Any

from tasks.data.formats.arrow_tables import records_of_table
from tasks.data.formats.reader import Confidence, Contents, Reader, certain_if
from tasks.data.formats.source import GivenSource, Source
from tasks.data.options import SPLITS, DataOptions
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError

TEXT_SUFFIX = ".txt"
UNLABELLED = ("unsup", "unlabeled", "unlabelled")
"Folders that stand beside those of the classes, as in the IMDb reviews, and are none."


def class_folders(folder: Path) -> list[Path]:
    """Return the folders inside a folder that hold text files, in order of their names."""
    inside = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "_")))
    return [path for path in inside if any(map(_is_text, path.iterdir()))]


def _is_text(path: Path) -> bool:
    return path.suffix.lower() == TEXT_SUFFIX and not path.name.startswith(".") and path.is_file()


def _recognise_classes(source: Source) -> Confidence:
    classes = class_folders(source.path)
    # A folder train/ with pos/ and neg/ in it has splits, not classes.
    is_annotated = any(any(folder.glob("*.ann")) for folder in classes)
    names = {folder.name.casefold() for folder in classes}
    return certain_if(len(classes) > 1 and not is_annotated and not names & {*SPLITS, "dev", "val"})


def _read_classes(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    records = []
    folders = class_folders(source.path)
    unlabelled = [folder for folder in folders if folder.name.casefold() in UNLABELLED]
    labelled = [folder for folder in folders if folder not in unlabelled]
    for folder in unlabelled:
        report.note(f"{folder}: left out, since its name says that its texts have no labels")
    for folder in labelled:
        for path in sorted(filter(_is_text, folder.iterdir())):
            text = Source(path, options.encoding).text.strip()
            origin = Origin(str(path), 1, "text")
            if text:
                records.append(Record({"id": f"{folder.name}/{path.stem}", "text": text, "label": folder.name}, origin))
            else:
                report.bad_row("empty text", "the file is empty", origin)
    others = [
        path
        for path in sorted(source.path.rglob("*"))
        if path.is_file()
        and not any(part.startswith((".", "_")) for part in path.relative_to(source.path).parts)
        and not (path.parent in labelled and _is_text(path))
        and path.parent not in (source.path, *unlabelled)
    ]
    if others:
        report.note(
            f"{source.path}: {len(others)} files are not read, such as {others[0].relative_to(source.path)}: only "
            f"files that end in {TEXT_SUFFIX}, in the folder of a class, are texts"
        )
    return Contents(records, "a folder for each class")


CLASS_FOLDERS = Reader("folder", _recognise_classes, _read_classes, folders=True)


def _recognise_arrow(source: Source) -> Confidence:
    if not source.is_folder:
        return certain_if(source.suffix == ".arrow" or source.data.startswith(b"ARROW1"))
    return certain_if((source.path / "state.json").is_file() or (source.path / "dataset_dict.json").is_file())


def _read_arrow(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    del options
    if (source.path / "dataset_dict.json").is_file():
        splits = sorted(path.name for path in source.path.iterdir() if (path / "state.json").is_file())
        raise InputError(
            f"{source.path}: holds several splits. Name them one by one: "
            + " ".join(f"data.{split if split in SPLITS else 'train'}={source.path / split}" for split in splits)
        )
    try:
        rows = _stored_rows(source)
        report.files += [str(path) for path in sorted(source.path.glob("*.arrow"))]
        # Rows that were selected or sorted are stored as indices beside the table; this reads them in their order.
        table = rows.with_format("arrow")[:]
        return Contents(records_of_table(table, table.schema, source.file), "an Arrow folder of datasets")
    except Exception as error:  # those of pyarrow and datasets have no common class
        raise InputError(f"{source.path}: can't be read as what datasets saves: {error}") from error


def _stored_rows(source: Source) -> Any:
    import pyarrow
    from datasets import Dataset, load_from_disk

    if source.is_folder:
        return load_from_disk(str(source.path))
    if isinstance(source, GivenSource):
        return Dataset.from_buffer(pyarrow.py_buffer(source.data))
    return Dataset.from_file(str(source.path))


ARROW_FOLDER = Reader("arrow", _recognise_arrow, _read_arrow, folders=True)
ARROW_FILE = Reader("arrow", _recognise_arrow, _read_arrow)
