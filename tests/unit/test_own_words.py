"""Overlapping windows: exactly one window owns each word, the one with the most context around it."""

from hypothesis import given
from hypothesis import strategies as st

from tasks.windows import NO_WORD, own_words


def cut(words: list[int], size: int, stride: int) -> list[list[int | None]]:
    """Cut words into windows as tokenizers do: `size` tokens, of which `stride` are shared with the window before."""
    windows, start = [], 0
    while True:
        windows.append([None, *words[start : start + size], None])
        if start + size >= len(words):
            return windows
        start += size - stride


@given(st.lists(st.integers(1, 4), min_size=1, max_size=30), st.integers(2, 9), st.data())
def test_each_word_is_owned_exactly_once_at_its_first_subword(
    lengths: list[int], size: int, data: st.DataObject
) -> None:
    stride = data.draw(st.integers(0, size - 1))
    words = [word for word, length in enumerate(lengths) for _ in range(length)]
    windows = cut(words, size, stride)
    owned = own_words(windows)
    found = [word for window in owned for word in window if word != NO_WORD]
    assert sorted(found) == list(range(len(lengths)))
    for window, own in zip(windows, owned, strict=True):
        for position, word in enumerate(own):
            if word != NO_WORD:
                assert window[position] == word
                assert window.index(word) == position


def test_the_window_with_more_around_a_word_owns_it() -> None:
    windows = [[None, 0, 1, 2, 3, None], [None, 2, 3, 4, 5, None]]
    # Word 2 has one word after it in the first window and none before it in the second; word 3 the other way round.
    assert own_words(windows) == [[-1, 0, 1, 2, -1, -1], [-1, -1, 3, 4, 5, -1]]


def test_words_without_subwords_are_owned_nowhere() -> None:
    assert own_words([[None, 0, 2, None]]) == [[-1, 0, 2, -1]]
    assert own_words([[None, None]]) == [[-1, -1]]
