"""Lines of CoNLL files that say where a document begins."""

from tasks.data.records import ReadReport

STARTS = ("-DOCSTART-", "# newdoc", "#begin document")
"How such lines begin in CoNLL-2003, CoNLL-U and CoNLL-2012."


def report_document_starts(text: str, file: str, first_line: int, report: ReadReport) -> None:
    """Add the numbers of these lines to the report.

    Args:
        text: the content of a file, or a portion of it.
        file: its name.
        first_line: the number of the text's first line.
        report: takes the numbers.
    """
    if any(start in text for start in STARTS):
        lines = enumerate(text.split("\n"), start=first_line)
        found = [number for number, line in lines if line.startswith(STARTS)]
        report.document_starts.setdefault(file, []).extend(found)
