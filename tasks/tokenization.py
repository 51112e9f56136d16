"""The requirement that NER has on tokenizers. A probe tests it, so that the tokenizer's name does not matter."""

import json
from typing import TYPE_CHECKING, Any

from tasks.errors import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_PROBE = ("probe", "word")


def words_are_separated(tokenizer: "PreTrainedTokenizerBase") -> bool:
    """Tell whether the tokenizer gives a list of words the same sub-words as running text.

    Byte-level BPE tokenizers (RoBERTa, ModernBERT) mark the blank before a word inside the word's first sub-word.
    In a list of words they see no blanks. Unless they are told to add blanks, they silently encode `["probe", "word"]`
    as `probeword`, and the model reads text unlike any that it was pretrained on. The same happens with SentencePiece
    style tokenizers that mark the first word only.
    """
    split = tokenizer(list(_PROBE), is_split_into_words=True, add_special_tokens=False)
    second = [token for token, word in zip(split["input_ids"], split.word_ids(), strict=True) if word == 1]
    running = tokenizer(" ".join(_PROBE), return_offsets_mapping=True, add_special_tokens=False)
    starts = len(_PROBE[0])
    expected = [
        token for token, (_, end) in zip(running["input_ids"], running["offset_mapping"], strict=True) if end > starts
    ]
    return second == expected


def separate_words(tokenizer: "PreTrainedTokenizerBase") -> "PreTrainedTokenizerBase":
    """Make a tokenizer mark the blank before each word of a list, if it does not already. The change is saved with it.

    Raises:
        InputError: the tokenizer has no fast implementation, or the change has no effect on it.
    """
    if not tokenizer.is_fast:
        raise InputError(f"{tokenizer.name_or_path}: NER needs a fast tokenizer (a tokenizer.json), to align words")
    if words_are_separated(tokenizer):
        return tokenizer
    from tokenizers import Tokenizer

    state = json.loads(tokenizer.backend_tokenizer.to_str())
    _mark_every_word(state["pre_tokenizer"])
    tokenizer.backend_tokenizer.pre_tokenizer = Tokenizer.from_str(json.dumps(state)).pre_tokenizer
    # Some tokenizer classes rebuild their pre-tokenizer on loading, and read this option then.
    tokenizer.add_prefix_space = True
    tokenizer.init_kwargs["add_prefix_space"] = True
    if not words_are_separated(tokenizer):
        raise InputError(f"{tokenizer.name_or_path}: its tokenizer can't encode text that is split into words")
    return tokenizer


def _mark_every_word(node: dict[str, Any] | None) -> None:
    if node is None:
        return
    if node["type"] == "Sequence":
        for part in node["pretokenizers"]:
            _mark_every_word(part)
    elif node["type"] == "ByteLevel":
        node["add_prefix_space"] = True
    elif node["type"] == "Metaspace":
        node["prepend_scheme"] = "always"
