"""The usual names of columns, in the order in which they are looked for. Upper and lower case make no difference."""

ID_COLUMNS = ("id", "idx", "guid")

LABEL_COLUMNS = (
    "gold_label",
    "label",
    "labels",
    "intent",
    "category",
    "class",
    "sentiment",
    "target",
    "score",
    "cats",
    "is_duplicate",
    "quality",
)
TEXT_COLUMNS = (
    "text",
    "sentence",
    "message",
    "review",
    "content",
    "body",
    "question",
    "document",
    "comment_text",
    "comment",
    "tweet",
)
PAIR_COLUMNS = (
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("question", "sentence"),
    ("text", "text_pair"),
    ("text1", "text2"),
    ("#1 string", "#2 string"),
)
"Names of the two columns of a pair of texts."

TOKEN_COLUMNS = ("tokens", "words", "token", "word")
TAG_COLUMNS = ("tags", "ner_tags", "labels", "tag", "ner_tag", "ner", "label")
SENTENCE_COLUMNS = ("sentence_id", "sentence #", "sentence_idx", "sent_id", "sent", "sentence", "sentence number")
"NER: the column of a table with a token in each row that says which sentence a token belongs to."

DOCUMENT_COLUMNS = ("document_id", "doc_id", "docid")
SPAN_TEXT_COLUMNS = ("text", "data", "sentence", "content", "document")
SPAN_COLUMNS = ("spans", "entities", "ents", "label", "labels", "annotations", "annotation")
"NER: the columns of a text and of its entities, given by character offsets."

QUESTION_COLUMNS = ("question", "query")
CONTEXT_COLUMNS = ("context", "passage", "paragraph")
ANSWER_COLUMNS = ("answers", "answer", "answer_text")
ANSWER_START_COLUMNS = ("answer_start", "answer_starts", "start")
TITLE_COLUMNS = ("title",)
IMPOSSIBLE_COLUMN = "is_impossible"

USUAL_COLUMNS = frozenset(
    {
        *ID_COLUMNS,
        *LABEL_COLUMNS,
        *TEXT_COLUMNS,
        *(name for pair in PAIR_COLUMNS for name in pair),
        *TOKEN_COLUMNS,
        *TAG_COLUMNS,
        *SENTENCE_COLUMNS,
        *DOCUMENT_COLUMNS,
        *SPAN_TEXT_COLUMNS,
        *SPAN_COLUMNS,
        *QUESTION_COLUMNS,
        *CONTEXT_COLUMNS,
        *ANSWER_COLUMNS,
        *ANSWER_START_COLUMNS,
        *TITLE_COLUMNS,
        IMPOSSIBLE_COLUMN,
    }
)
"All of them, in lower case."
