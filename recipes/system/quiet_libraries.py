"""Silence for what libraries say about themselves; what concerns the user is said by the run itself."""

import os
import warnings


def quiet_libraries() -> None:
    """Turn off progress bars, advice and load reports of the libraries. Call before they are imported."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # torch has renamed what transformers still passes on under the old name.
    warnings.filterwarnings("ignore", message="`broadcast_buffers` is deprecated", category=FutureWarning)
    import datasets
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    datasets.disable_progress_bars()
