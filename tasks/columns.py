"""What the columns of encoded windows are called, and which values mark something in them.

A task writes these columns in `encode`; collators, losses, reductions and `decode` read them.
"""

ROW = "row"
"Index of the row that a window was cut from, int [windows]."

WORDS = "words"
"NER: the index of the word that a token answers for, or `tasks.windows.NO_WORD`, int [tokens]."

START, END = "start", "end"
"QA: character offsets of each token in the passage, or -1 outside of it, int [tokens] each."

LABELS = "labels"
"What the loss compares with: one label a window, one a token, or a start and an end."

IGNORED_LABEL = -100
"The label that losses leave out, as everywhere in transformers."

CANDIDATES = "candidates"
"QA: whether an answer may start or end at a token: one of the three marks below, int [tokens]."

NO_CANDIDATE, PASSAGE, NULL = 0, 1, 2
"Marks of a token: no answer may be there; it belongs to the passage; it stands for 'no answer'."

FOR_DECODING = (ROW, WORDS, START, END)
"Columns that only `decode` reads: they never become tensors."

FOR_LOSS = (LABELS, CANDIDATES)
"Columns of a batch that losses and reductions read and the model does not."

SMALL = ("attention_mask", "token_type_ids", CANDIDATES)
"Columns whose values fit into a byte."
