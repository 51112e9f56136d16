"""Tiny models and tokenizers, one of each architecture and kind of tokenizer, made here without a network."""

import string
from pathlib import Path
from typing import Any

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
GPT2 = ("<|endoftext|>",)
LLAMA = ("<unk>", "<s>", "</s>")
XLNET = ("<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>")
T5 = ("<pad>", "</s>", "<unk>")

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


# Architectures that no choice in conf/model has, but that model.path may bring. Some are variants of one.
FAMILIES = {
    "t5": "t5",
    "bart": "bart",
    "gpt2": "gpt2",
    "llama": "llama",
    "llama-grouped": "llama",
    "xlnet": "xlnet",
    "eurobert": "eurobert",
    "mpnet": "mpnet",
    "big_bird": "big_bird",
    "funnel": "funnel",
    "gemma2": "gemma2",
    "nomic_bert": "nomic_bert",
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
    if special == GPT2:
        return PreTrainedTokenizerFast(
            tokenizer_object=tokenizer,
            model_input_names=["input_ids", "attention_mask"],
            model_max_length=64,
            bos_token=GPT2[0],
            eos_token=GPT2[0],
            unk_token=GPT2[0],
        )
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


TEMPLATES = {
    WORDPIECE: ("[CLS] $A [SEP]", "[CLS] $A [SEP] $B [SEP]"),
    ROBERTA: ("<s> $A </s>", "<s> $A </s> $B </s>"),
    LLAMA: ("<s> $A", "<s> $A <s> $B"),
    XLNET: ("$A <sep> <cls>", "$A <sep> $B <sep> <cls>"),
    T5: ("$A </s>", "$A </s> $B </s>"),
}
"How a text and a pair of texts are surrounded, by the special tokens of the vocabulary."


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
    single, pair = TEMPLATES[special]
    ids = [(name, _id(tokenizer, name)) for name in special if name in single.split()]
    tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=ids)
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
        tokens = {
            "bos_token": "<s>",
            "eos_token": "</s>",
            "cls_token": "<cls>" if "<cls>" in special else "<s>",
            "sep_token": "<sep>" if "<sep>" in special else "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "mask_token": "<mask>",
        }
        # The tokenizers of Llama have neither a padding nor a classification token, those of T5 no first token.
        names = {name: token for name, token in tokens.items() if token in special}
        if special in (LLAMA, T5):
            names = {name: token for name, token in names.items() if name not in ("cls_token", "sep_token")}
    side = "left" if special == XLNET else "right"
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_input_names=inputs, model_max_length=64, padding_side=side, **names
    )


def tokenizer_of(architecture: str) -> PreTrainedTokenizerFast:
    """Return the kind of tokenizer that models of this architecture come with."""
    if architecture in ("bert", "distilbert", "electra", "mpnet", "funnel"):
        return wordpiece()
    if architecture in ("roberta", "bart"):
        return byte_level()
    if architecture in ("modernbert", "eurobert"):
        return byte_level(WORDPIECE)
    if architecture == "gpt2":
        return byte_level(GPT2)
    special = {"xlm-roberta": ROBERTA, "llama": LLAMA, "gemma2": ROBERTA, "xlnet": XLNET, "t5": T5}
    return unigram(special.get(architecture, WORDPIECE))


def configured(architecture: str, tokenizer: PreTrainedTokenizerFast, **settings: Any) -> Any:
    """Return the config of a tiny model, for a tokenizer of `tokenizer_of`."""
    sizes: dict[str, Any] = dict(SIZES)
    if architecture == "distilbert":
        sizes = {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 48}
    if architecture == "electra":
        sizes["embedding_size"] = 24
    if architecture in OTHER_SIZES:
        sizes = OTHER_SIZES[architecture]
    positions = 66 if "roberta" in architecture or architecture == "mpnet" else 64
    if architecture not in ("t5", "xlnet", "funnel"):
        sizes["max_position_embeddings"] = positions
    extra: dict[str, Any] = {"pad_token_id": tokenizer.pad_token_id}
    if tokenizer.eos_token is not None:
        extra |= {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    if architecture in ("modernbert", "eurobert"):
        extra |= {
            "bos_token_id": tokenizer.cls_token_id,
            "eos_token_id": tokenizer.sep_token_id,
            "mask_token_id": tokenizer.mask_token_id,
        }
    if architecture == "modernbert":
        extra |= {
            "cls_token_id": tokenizer.cls_token_id,
            "sep_token_id": tokenizer.sep_token_id,
            "global_attn_every_n_layers": 2,
            "local_attention": 16,
        }
        del extra["mask_token_id"]
    if architecture in ("t5", "bart"):
        extra["decoder_start_token_id"] = tokenizer.pad_token_id if architecture == "t5" else tokenizer.eos_token_id
    return transformers.AutoConfig.for_model(
        architecture, **{"vocab_size": len(tokenizer), **sizes, **extra, **settings}
    )


OTHER_SIZES: dict[str, dict[str, Any]] = {
    "t5": {"d_model": 32, "d_kv": 16, "d_ff": 48, "num_layers": 2, "num_heads": 2},
    "bart": {
        "d_model": 32,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 48,
        "decoder_ffn_dim": 48,
    },
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 2},
    "xlnet": {"d_model": 32, "n_layer": 2, "n_head": 2, "d_inner": 48},
    "funnel": {"block_sizes": [1, 1], "d_model": 32, "n_head": 2, "d_head": 16, "d_inner": 48},
    "gemma2": {**SIZES, "num_key_value_heads": 1, "head_dim": 16, "sliding_window": 8, "attn_logit_softcapping": 0.5},
    "big_bird": {**SIZES, "block_size": 4, "num_random_blocks": 1},
}


def save(architecture: str, folder: Path) -> Path:
    """Write a tiny pretrained model (a base model with random weights, no head) and its tokenizer."""
    tokenizer = tokenizer_of(architecture)
    torch.manual_seed(0)
    transformers.AutoModel.from_config(configured(architecture, tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_family(family: str, folder: Path) -> Path:
    """Write a tiny model of one of `FAMILIES`, whose attention is far from even: random weights make it so by size."""
    architecture = FAMILIES[family]
    tokenizer = tokenizer_of(architecture)
    settings = {"num_key_value_heads": 1} if family in ("llama-grouped", "eurobert") else {}
    torch.manual_seed(0)
    config = configured(architecture, tokenizer, **settings)
    if family == "funnel":
        config.architectures = ["FunnelModel"]  # transformers has two base models of this type
    model = transformers.AutoModel.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.3)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
