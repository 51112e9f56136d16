"""Overlapping windows over a long text: which window owns which word."""

from collections.abc import Sequence

NO_WORD = -1


def own_words(windows: Sequence[Sequence[int | None]]) -> list[list[int]]:
    """Assign each word of one row to the window that shows the most text around the word's first sub-word.

    Args:
        windows: for each window of the row, in order, the word index of each token; None for special tokens.

    Returns:
        Lists of the same shape: a word's index at the position of its first sub-word in the window that owns it, and
        -1 everywhere else. Exactly one window owns each word, so that each word is trained on and predicted exactly
        once. No window owns a word that the tokenizer turned into no tokens. Ties go to the earlier window.

    >>> own_words([[None, 0, 1, 1, None], [None, 1, 2, None]])
    [[-1, 0, 1, -1, -1], [-1, -1, 2, -1]]
    """
    best: dict[int, tuple[float, int, int]] = {}
    for number, words in enumerate(windows):
        content = [position for position, word in enumerate(words) if word is not None]
        if not content:
            continue
        before = float("inf") if number == 0 else -content[0]
        after = float("inf") if number == len(windows) - 1 else content[-1]
        seen: set[int] = set()
        for position in content:
            word = words[position]
            if word is None or word in seen:
                continue
            seen.add(word)
            margin = min(position + before, after - position)
            if word not in best or margin > best[word][0]:
                best[word] = (margin, number, position)
    owned = [[NO_WORD] * len(words) for words in windows]
    for word, (_, number, position) in best.items():
        owned[number][position] = word
    return owned
