"""Tiny models and tokenizers, one of each architecture and kind of tokenizer, made here without a network."""

import string
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

CORPUS = [
    "where is my parcel, it was due on monday",
    "Mara Lindqvist joined Northgate Freight in Oslo on 3 March 2024.",
    "who signs the claims? Claims are signed by the head of unit within ten days.",
    "the quick brown fox jumps over the lazy dog 0123456789",
    "refund the invoice please, I was charged twice and the app crashes",
    "New York is big; the naïve café don't open on Sundays",
] * 4

WORDPIECE = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
ROBERTA = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")

SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}

# The architecture of each choice in conf/model.
ARCHITECTURES = {
    "minilm": "bert",
    "bert-base-uncased": "bert",
    "bert-base-cased": "bert",
    "roberta-base": "roberta",
    "distilbert": "distilbert",
    "electra-small": "electra",
    "deberta-v3-small": "deberta-v2",
    "deberta-v3-base": "deberta-v2",
    "modernbert-base": "modernbert",
    "xlm-roberta-base": "xlm-roberta",
}


def wordpiece() -> PreTrainedTokenizerFast:
    normalizer, words = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    # The vocabulary is not trained: the trainer breaks ties differently in each process.
    vocabulary = dict.fromkeys(WORDPIECE)
    for letter in string.ascii_lowercase + string.digits:
        vocabulary |= {letter: None, f"##{letter}": None}
    seen = [word for text in CORPUS for word, _ in words.pre_tokenize_str(normalizer.normalize_str(text))]
    for length in (1, 2, 3):
        vocabulary |= dict.fromkeys(word[:length] for word in seen)
        vocabulary |= dict.fromkeys("##" + word[at : at + length] for word in seen for at in range(1, len(word)))
    ids = {piece: number for number, piece in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, words
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return _wrapped(tokenizer, WORDPIECE, ["input_ids", "token_type_ids", "attention_mask"])


def byte_level(special: tuple[str, ...] = ROBERTA) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=340, special_tokens=list(special), initial_alphabet=alphabet)
    tokenizer.train_from_iterator(CORPUS, trainer)
    first, end = (special[0], special[2]) if special is ROBERTA else ("[CLS]", "[SEP]")
    ids = {name: _id(tokenizer, name) for name in (first, end)}
    if special is ROBERTA:
        tokenizer.post_processor = processors.RobertaProcessing(
            (end, ids[end]), (first, ids[first]), add_prefix_space=False
        )
    else:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{first} $A {end}", pair=f"{first} $A {end} $B {end}", special_tokens=list(ids.items())
        )
    return _wrapped(tokenizer, special, ["input_ids", "attention_mask"])


def unigram(special: tuple[str, ...]) -> PreTrainedTokenizerFast:
    words = pre_tokenizers.Metaspace()
    seen = [word for text in CORPUS for word, _ in words.pre_tokenize_str(text)]
    # The scores are not trained either. A piece of three letters is likelier than three pieces of one letter.
    scores = dict.fromkeys(special, 0.0)
    for length in (1, 2, 3):
        scores |= {word[at : at + length]: -5.0 - length for word in seen for at in range(len(word) - length + 1)}
    unknown = special.index("<unk>" if "<unk>" in special else "[UNK]")
    tokenizer = Tokenizer(models.Unigram(list(scores.items()), unknown))
    tokenizer.pre_tokenizer = words
    tokenizer.decoder = decoders.Metaspace()
    first, end = ("<s>", "</s>") if "<s>" in special else ("[CLS]", "[SEP]")
    ids = [(name, _id(tokenizer, name)) for name in (first, end)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {end}", pair=f"{first} $A {end} $B {end}", special_tokens=ids
    )
    return _wrapped(tokenizer, special, ["input_ids", "attention_mask"])


def _id(tokenizer: Tokenizer, token: str) -> int:
    number: int | None = tokenizer.token_to_id(token)
    assert number is not None, token
    return number


def _wrapped(tokenizer: Tokenizer, special: tuple[str, ...], inputs: list[str]) -> PreTrainedTokenizerFast:
    if "[CLS]" in special:
        names = {
            "pad_token": "[PAD]",
            "unk_token": "[UNK]",
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
            "mask_token": "[MASK]",
        }
    else:
        names = {
            "bos_token": "<s>",
            "eos_token": "</s>",
            "cls_token": "<s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "mask_token": "<mask>",
        }
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_input_names=inputs, model_max_length=64, **names)


def tokenizer_of(architecture: str) -> PreTrainedTokenizerFast:
    """Return the kind of tokenizer that models of this architecture come with."""
    if architecture in ("bert", "distilbert", "electra"):
        return wordpiece()
    if architecture == "roberta":
        return byte_level()
    if architecture == "modernbert":
        return byte_level(WORDPIECE)
    return unigram(ROBERTA if architecture == "xlm-roberta" else WORDPIECE)


def save(architecture: str, folder: Path) -> Path:
    """Write a tiny pretrained model (a base model with random weights, no head) and its tokenizer."""
    tokenizer = tokenizer_of(architecture)
    sizes = dict(SIZES)
    if architecture == "distilbert":
        sizes = {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 48}
    if architecture == "electra":
        sizes["embedding_size"] = 24
    positions = 66 if "roberta" in architecture else 64
    extra = {"pad_token_id": tokenizer.pad_token_id}
    if architecture == "modernbert":
        extra |= {
            "bos_token_id": tokenizer.cls_token_id,
            "eos_token_id": tokenizer.sep_token_id,
            "cls_token_id": tokenizer.cls_token_id,
            "sep_token_id": tokenizer.sep_token_id,
            "global_attn_every_n_layers": 2,
            "local_attention": 16,
        }
    config = transformers.AutoConfig.for_model(
        architecture, vocab_size=len(tokenizer), max_position_embeddings=positions, **sizes, **extra
    )
    torch.manual_seed(0)
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
