"""Names as the eye sees them, and those that stand for nothing."""

import re
import unicodedata

MISSING = frozenset(
    {"nan", "NaN", "None", "null", "NULL", "undefined", "<NA>", "#N/A", "#NAME?", "#VALUE!", "#REF!", "[deleted]"}
)
"What pandas, Python, databases, spreadsheets and forums write where there is nothing."


LOOKALIKES = str.maketrans("асеорхуіјѕкмтвнɡα", "aceopxyijskmtbhga")
"Cyrillic and Greek letters that look like Latin ones."
DOT_ABOVE = "\N{COMBINING DOT ABOVE}"
"What is left of a Turkish capital I with a dot in lower case."


def bare(name: str) -> str:
    """Return a name without what the eye may miss: case, blanks, hyphens, scripts, and the ways to write an accent.

    >>> bare("Brand-new "), bare("brand_new")
    ('brandnew', 'brandnew')
    """
    if re.fullmatch(r"-?\d+", name):
        return name
    shown = [sign for sign in unicodedata.normalize("NFKC", name) if unicodedata.category(sign) != "Cf"]
    folded = "".join(shown).casefold().replace(DOT_ABOVE, "").translate(LOOKALIKES)
    return "".join(folded.replace("_", " ").replace("-", " ").split())
