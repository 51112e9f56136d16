"""The table of writers, and how one is chosen."""

from tasks.errors import InputError, did_you_mean
from tasks.writing.questions import QUESTION_WRITERS
from tasks.writing.sentences import SENTENCE_WRITERS
from tasks.writing.texts import TEXT_WRITERS
from tasks.writing.writer import Writer

WRITERS = (*SENTENCE_WRITERS, *TEXT_WRITERS, *QUESTION_WRITERS)
"Of those with the same task and extension, the first is the one that the extension stands for."

WRITTEN_FORMATS = tuple(dict.fromkeys(writer.name for writer in WRITERS))


def require_written_format(name: str) -> None:
    """Raise an error if no writer has this name.

    Raises:
        InputError: the name is unknown.
    """
    if name not in WRITTEN_FORMATS:
        near = did_you_mean(name, WRITTEN_FORMATS)
        raise InputError(f"--format {name}: choose from {', '.join(WRITTEN_FORMATS)}.{near}")


def choose_writer(task: str, suffix: str, name: str | None) -> Writer:
    """Return the writer for the rows of a task: the one of this name, or the first with this extension.

    Raises:
        InputError: there is none; the message lists what there is for the task.
    """
    fitting = [writer for writer in WRITERS if writer.task == task]
    shown = ", ".join(f"{writer.name} ({writer.suffix})" for writer in fitting)
    if name is None:
        chosen = next((writer for writer in fitting if writer.suffix == suffix), None)
        if chosen is None:
            extension = f"with the extension '{suffix}'" if suffix else "without an extension"
            raise InputError(f"No format of {task} rows {extension}. There are: {shown}")
        return chosen
    require_written_format(name)
    chosen = next((writer for writer in fitting if writer.name == name), None)
    if chosen is None:
        raise InputError(f"--format {name}: not for {task} rows. There are: {shown}")
    if chosen.suffix != suffix:
        raise InputError(f"--format {name}: its files end in {chosen.suffix}, not in '{suffix}'")
    return chosen
