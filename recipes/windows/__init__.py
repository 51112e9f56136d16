"""Windows of token ids: encoded, kept on disk, and put into batches. Imports `model` and `system`."""
