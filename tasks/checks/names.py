"""Names as the eye sees them, and those that stand for nothing."""

import re
import unicodedata

MISSING = frozenset(
    {"nan", "NaN", "None", "null", "NULL", "undefined", "<NA>", "#N/A", "#NAME?", "#VALUE!", "#REF!", "[deleted]"}
)
"What pandas, Python, databases, spreadsheets and forums write where there is nothing."


def bare(name: str) -> str:
    """Return a name without what the eye may miss: case, blanks, hyphens, and the ways to write an accent.

    >>> bare("Brand-new "), bare("brand_new")
    ('brandnew', 'brandnew')
    """
    if re.fullmatch(r"-?\d+", name):
        return name
    shown = [sign for sign in unicodedata.normalize("NFKC", name) if unicodedata.category(sign) != "Cf"]
    return "".join("".join(shown).casefold().replace("_", " ").replace("-", " ").split())
