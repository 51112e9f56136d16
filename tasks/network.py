"""A check whether the Hugging Face hub answers."""

import queue
import threading

PATIENCE = 10.0
"Seconds to wait for the hub's first answer."


def unreachable() -> str | None:
    """Return why the hub can't be reached, or None if it answers, within `PATIENCE` seconds.

    A thread makes the request, because no timeout of the request limits the name lookup and all addresses together.
    """
    from huggingface_hub import constants, get_session

    if constants.is_offline_mode():
        return "HF_HUB_OFFLINE is set"
    faults: queue.Queue[str | None] = queue.Queue()

    def ask() -> None:
        try:
            get_session().head(constants.ENDPOINT, timeout=PATIENCE)
        except Exception as error:
            faults.put(f"{type(error).__name__}: {error}")
        else:
            faults.put(None)

    threading.Thread(target=ask, daemon=True).start()
    try:
        return faults.get(timeout=PATIENCE)
    except queue.Empty:
        return f"no answer within {PATIENCE:g} seconds"
