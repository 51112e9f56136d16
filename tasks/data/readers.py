"""The table of readers: every format and annotation tool that a file can come from, and how one is chosen.

A new one is a module in `formats` or `annotation`, and a line in `READERS`.
"""

import re

from tasks.data.annotation.brat import BRAT_FILE, BRAT_FOLDER
from tasks.data.annotation.cluener import CLUENER
from tasks.data.annotation.doccano import DOCCANO
from tasks.data.annotation.label_studio import LABEL_STUDIO, LABEL_STUDIO_MIN
from tasks.data.annotation.prodigy import PRODIGY
from tasks.data.annotation.spacy import DOCBIN, SPACY
from tasks.data.formats.arrow_tables import PARQUET
from tasks.data.formats.conll import CONLL
from tasks.data.formats.conll2012 import CONLL_2012
from tasks.data.formats.conllu import CONLL_U
from tasks.data.formats.delimited import CSV, TSV
from tasks.data.formats.excel import EXCEL
from tasks.data.formats.fasttext import FASTTEXT
from tasks.data.formats.folders import ARROW_FILE, ARROW_FOLDER, CLASS_FOLDERS
from tasks.data.formats.plain_text import PLAIN_TEXT
from tasks.data.formats.reader import Confidence, Reader
from tasks.data.formats.source import Source
from tasks.data.formats.squad import SQUAD
from tasks.data.formats.structured import JSON, JSON_LINES
from tasks.errors import InputError, did_you_mean

JSON_ROWS = re.compile(r"\s*(?:\{|\[\s*[\[{])")
"The beginning of JSON that holds rows. A text that begins so and is none is damaged, or not all there."

BINARY = (PARQUET, EXCEL, ARROW_FILE, DOCBIN)
"Readers of files that are not text. They are asked first, so that the others see text only."

READERS = (
    *BINARY,
    CSV,
    TSV,
    JSON_LINES,
    JSON,
    CONLL,
    CONLL_U,
    CONLL_2012,
    FASTTEXT,
    PLAIN_TEXT,
    SQUAD,
    DOCCANO,
    LABEL_STUDIO,
    LABEL_STUDIO_MIN,
    PRODIGY,
    SPACY,
    CLUENER,
    BRAT_FILE,
    BRAT_FOLDER,
    CLASS_FOLDERS,
    ARROW_FOLDER,
)

FORMATS = ("auto", *dict.fromkeys(reader.name for reader in READERS), "hub")
"The values of `data.format`: a reader, `hub` for a data set of the hub, or `auto` to recognise the format."


def choose_reader(source: Source, name: str, fallback: str | None = None) -> Reader:
    """Return the reader of this name, or for `auto` the one that recognises the file or folder.

    Args:
        source: the file or folder, or its beginning.
        name: the value of `data.format`.
        fallback: the name of the reader for a file that no reader recognises, unless it begins like JSON. None: such a
            file is refused.

    Raises:
        InputError: no reader recognises it, or several do; the message lists what to type.
    """
    is_folder = source.is_folder
    fitting = [reader for reader in READERS if reader.folders == is_folder]
    if name != "auto":
        chosen = next((reader for reader in fitting if reader.name == name), None)
        if chosen is None:
            raise InputError(
                f"data.format={name}: {source.path} is a {'folder' if is_folder else 'file'}, not one of this kind"
            )
        return chosen
    binary = None if is_folder else binary_reader(source, name)
    if binary is not None:
        return binary
    found = {reader: reader.recognise(source) for reader in fitting if reader not in BINARY}
    for confidence in (Confidence.CERTAIN, Confidence.LIKELY):
        candidates = [reader for reader, sure in found.items() if sure is confidence]
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            choices = " or ".join(f"data.format={reader.name}" for reader in candidates)
            raise InputError(f"{source.path}: may be read in several ways. Say which: {choices}")
    if fallback is not None and not is_folder and JSON_ROWS.match(source.text) is None:
        return next(reader for reader in fitting if reader.name == fallback)
    what = "neither name nor content tells" if not is_folder else "nothing in the folder tells"
    names = ", ".join(dict.fromkeys(reader.name for reader in fitting))
    raise InputError(f"{source.path}: {what} the format. Set data.format to one of: {names}")


def binary_reader(source: Source, name: str) -> Reader | None:
    """Return the reader of this name, or for `auto` the one that recognises the file, among the readers in `BINARY`."""
    for reader in BINARY:
        if reader.name == name or (name == "auto" and reader.recognise(source) is Confidence.CERTAIN):
            return reader
    return None


def require_format(name: str) -> None:
    """Raise an error if there is no such format.

    Raises:
        InputError: the name is unknown.
    """
    if name not in FORMATS:
        raise InputError(f"data.format={name}: choose from {', '.join(FORMATS)}.{did_you_mean(name, FORMATS)}")
