"""The kinds of findings: why each matters and what to do about it, in one table."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of findings."""

    title: str
    why: str
    remedy: str


KINDS: Mapping[str, Kind] = {
    # Rows
    "unusable_rows": Kind(
        "rows that can't be used",
        "a run stops at the first of them",
        "mend the rows, or leave them out, counted: data.on_bad_row=skip",
    ),
    "repaired_rows": Kind(
        "rows that were repaired while reading",
        "they are used as repaired, which may not be what was meant",
        "look at the examples; if the repair is wrong, mend the rows where they are made",
    ),
    "implausible": Kind(
        "rows that hardly mean what they say",
        "a run stops before training, as a score on such rows would tell nothing",
        "choose the right columns or format; if it is meant so, the sentence says what to type",
    ),
    "few_rows": Kind(
        "few rows",
        "scores on few rows are uncertain, and a default training learns little from them",
        "label more rows, or train with hparams=small_data",
    ),
    # Labels
    "rare_labels": Kind(
        "labels with few training rows",
        "a label that is seen a few times is hardly ever predicted",
        "label more of them, join them with another label, or count them more: hparams.class_weights=balanced; rows of "
        "texts with one label each can be repeated: data.balance=oversample",
    ),
    "unknown_labels": Kind(
        "labels that no training row has",
        "no prediction can hit them",
        "mend their spelling, or count them as missed: data.unknown_labels=count; to leave the rows out: skip",
    ),
    "missing_labels": Kind(
        "labels that a split lacks",
        "its scores say nothing about them",
        "take splits that are stratified: give one file, and the others are cut off it",
    ),
    "labels_alike": Kind(
        "labels that look the same",
        "labels that differ by case, blanks or hyphens are different ones to a model",
        "write them in one way",
    ),
    "imbalance": Kind(
        "one label has nearly all rows",
        "a model that always answers it has a high accuracy",
        "look at macro_f1 and at a run's baselines; hparams.class_weights=balanced counts rare labels more; rows "
        "of texts with one label each can be repeated or left out: data.balance=oversample or undersample",
    ),
    "conflicting_labels": Kind(
        "equal texts with different labels",
        "they can't all be right, and no model can learn them",
        "decide on one label for each of these texts",
    ),
    "unlabelled_rows": Kind(
        "rows with none of the labels",
        "they count as rows that have none; if nobody has looked at them yet, they teach the wrong thing",
        "leave out rows that nobody has labelled",
    ),
    "labels_together": Kind(
        "labels that always stand together",
        "two labels for one thing are learnt as one",
        "join them, or label where they differ",
    ),
    "constant_number": Kind(
        "all numbers are the same",
        "there is nothing to learn",
        "check data.columns.label",
    ),
    "outliers": Kind(
        "numbers far from all others",
        "a squared error lets a few of them decide what is learnt",
        "check the rows: a missing decimal point, another unit, a code such as -999 for a missing value",
    ),
    "leaking_words": Kind(
        "a single word tells the label",
        "the model may learn the word and nothing else, and fail on texts without it",
        "see whether the word comes from how the rows were collected; if so, remove it from the texts",
    ),
    "label_in_text": Kind(
        "texts hold their own label",
        "the model learns to copy it, and fails on texts without it",
        "remove it from the texts, or check data.columns.text",
    ),
    "ids_in_texts": Kind(
        "texts begin with numbers of their own",
        "a number that only counts rows is learnt as if it meant something",
        "remove it from the texts, or check data.columns.text",
    ),
    # Duplicates
    "duplicates": Kind(
        "training rows that are there twice",
        "they count twice in training, and make the data look larger than they are",
        "leave them out of training: data.deduplicate=exact; or where the file is made",
    ),
    "near_duplicates": Kind(
        "training rows that are nearly the same",
        "one of them teaches nearly as much as all",
        "see whether they come from one template or were copied; to leave out of training those with the same gold: "
        "data.deduplicate=near",
    ),
    "shared_rows": Kind(
        "rows of another split that are training rows, too",
        "a score on rows that were learnt says nothing about new ones",
        "leave them out of training: data.deduplicate=exact",
    ),
    "nearly_shared_rows": Kind(
        "rows of another split that are nearly training rows",
        "a score on them is better than on new rows",
        "leave them out of training: data.deduplicate=near; or keep what belongs together in one split",
    ),
    # Texts
    "placeholders": Kind(
        "texts that stand for nothing",
        "programs write them where there is no text, and the model learns them as a text",
        "leave these rows out where the file is made",
    ),
    "tiny_texts": Kind(
        "texts without a word",
        "there is hardly anything in them to learn from",
        "check whether they were cut, or leave them out",
    ),
    "giant_texts": Kind(
        "texts far longer than the others",
        "rows may have run together, as after a quote that is not closed",
        "look at them; data.quoting=false, if quotes are ordinary characters",
    ),
    "padded_texts": Kind(
        "texts with blanks at their ends",
        "harmless to most models, but equal texts are no longer equal",
        "strip them where the file is made",
    ),
    "wrong_encoding": Kind(
        "signs of a wrong encoding",
        "words such as 'cafÃ©' are other words to a model, and new texts will have the right ones",
        "read the file as it was written: data.encoding=...; if the file itself is damaged, ftfy.fix_text mends it",
    ),
    "control_characters": Kind(
        "control characters",
        "they are no text; a tokenizer drops them, or makes unknown tokens of them",
        "remove them where the file is made",
    ),
    "invisible_characters": Kind(
        "characters that nobody sees",
        "they cut words into pieces, and make equal texts unequal",
        "remove them where the file is made",
    ),
    "markup": Kind(
        "left-overs of HTML or Markdown",
        "the model learns marks that new texts may not have",
        "turn them into plain text where the file is made",
    ),
    "boilerplate": Kind(
        "texts that all begin or end alike",
        "what all texts have in common teaches nothing, uses up tokens, and is missing from new texts",
        "remove it from the texts",
    ),
    "other_scripts": Kind(
        "texts in another script than most",
        "a model for one language learns little from another, and scores on both together hide it",
        "take a model for both, such as model=xlm-roberta-base, or leave them out",
    ),
    # Drift
    "length_drift": Kind(
        "another split has texts of other lengths",
        "it comes from another source, so that its scores need not be those of texts like training's",
        "see where the splits come from; a split that is cut off the training rows is like them",
    ),
    "label_drift": Kind(
        "another split has other shares of labels",
        "a threshold or a bias that fits training does not fit it",
        "see where the splits come from",
    ),
    "vocabulary_drift": Kind(
        "another split has other words",
        "its scores are those of new subjects, which may be meant so",
        "see where the splits come from",
    ),
    # Models
    "cut_off": Kind(
        "what the model does not see",
        "what is cut off is neither learnt nor found",
        "a larger task.max_length, as far as the model goes, or another task.long_texts",
    ),
    "long_texts": Kind(
        "texts longer than a window",
        "they are read in parts, each without the others",
        "see docs/long_texts.md",
    ),
    "unknown_tokens": Kind(
        "words that the model does not know",
        "all unknown words are the same to it",
        "a model for this language and script, such as model=xlm-roberta-base",
    ),
    "split_words": Kind(
        "words fall into many tokens",
        "the model was made for another language or script, and hardly knows these words",
        "a model for this language, such as model=xlm-roberta-base",
    ),
    "vanishing_words": Kind(
        "words for which the model has no token",
        "they get no prediction of their own",
        "remove them, or choose another model",
    ),
    # Entities
    "token_prefix": Kind(
        "all words begin alike",
        "as in files with a language code before each word, which is learnt as a part of it",
        "data.token_prefix=... removes it",
    ),
    "ambiguous_entities": Kind(
        "entities with several types",
        "right where a name means several things, and else a mistake of annotators",
        "look at them, and decide",
    ),
    "untagged_entities": Kind(
        "words that are an entity in one place and none in another",
        "an entity that was overlooked teaches the model to overlook it",
        "look at them, and tag what was overlooked",
    ),
    "odd_borders": Kind(
        "entities that begin or end oddly",
        "punctuation or an article that belongs to an entity here and not there can't be learnt",
        "decide whether they belong to entities, and annotate all alike",
    ),
    "long_entities": Kind(
        "long entities",
        "entities of many words are often a mark that was not closed",
        "look at them",
    ),
    "sparse_entities": Kind(
        "hardly any entities",
        "sentences that nobody has annotated look like sentences without entities",
        "leave out what was not annotated",
    ),
    # Questions
    "shared_passages": Kind(
        "passages of another split that are training passages, too",
        "questions on a passage that was learnt are easier than on a new one",
        "keep all questions of a passage, or of an article, in one split",
    ),
    "long_answers": Kind(
        "answers longer than a prediction may be",
        "they can never be predicted as a whole",
        "a larger task.max_answer_tokens",
    ),
    "empty_answers": Kind(
        "answers of which nothing is left",
        "scores drop articles and punctuation: such an answer is counted as none",
        "mend the answers",
    ),
    "foreign_questions": Kind(
        "questions that share no word with their passage",
        "they may belong to another passage",
        "look at them",
    ),
    "unanswerable": Kind(
        "questions without an answer",
        "a model that never answers is right on all of them",
        "look at the scores of questions with and without an answer by themselves",
    ),
    "partial_words": Kind(
        "answers that begin or end inside a word",
        "offsets may be counted otherwise than in characters, as in bytes",
        "check how offsets are counted; task.repair_answer_offsets=true moves answers to their text; else widen them",
    ),
}
"By the names that `--ignore` and `--at-most` take."
