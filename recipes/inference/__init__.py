"""From rows to predictions, without a Trainer. Imports `windows`, `heads` and the folders below them."""
