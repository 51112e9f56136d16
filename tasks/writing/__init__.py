"""From rows to files: a writer for each format, and the proof that what was written reads back as the same rows."""
