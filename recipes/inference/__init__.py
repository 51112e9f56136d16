"""From rows to predictions, without a Trainer. Imports `windows`, `heads` and what is below them."""
