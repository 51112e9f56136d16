"""The names of the columns of encoded windows, and the special values in these columns.

A task writes these columns in `encode`; collators, losses, reductions and `decode` read them.
"""

ROW = "row"
"Index of the row that a window was cut from, int [windows]."

CUT = "cut"
"How many tokens of the row were cut off because the text is too long, int [windows]."

OFFSETS = "offsets"
"Classification: 1 if the tokenizer tells where in a text its tokens stand, and else 0, int [windows]."

WORDS = "words"
"NER: the index of the word that a token represents, or `tasks.windows.NO_WORD`, int [tokens]."

START, END = "start", "end"
"QA: character offsets of each token in the passage, or -1 outside of it, int [tokens] each."

LABELS = "labels"
"The targets of the loss: one label per window, one per token, or a start and an end."

IGNORED_LABEL = -100
"The label of positions that losses ignore, as everywhere in transformers."

CANDIDATES = "candidates"
"QA: whether an answer may start or end at a token: one of the three marks below, int [tokens]."

NO_CANDIDATE, PASSAGE, NULL = 0, 1, 2
"Marks of a token, in this order: no answer may start or end there; it is in the passage; it stands for 'no answer'."

FOR_DECODING = (ROW, CUT, OFFSETS, WORDS, START, END)
"Columns that only `decode` reads: they never become tensors."

FOR_LOSS = (LABELS, CANDIDATES)
"Columns of a batch that losses and reductions read and the model does not."

SMALL = ("attention_mask", "token_type_ids", CANDIDATES)
"Columns whose values fit into a byte."
