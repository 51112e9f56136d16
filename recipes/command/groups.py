"""The config groups, and the choices that the files in `conf/` offer for each."""

from pathlib import Path

CONF = Path(__file__).resolve().parents[2] / "conf"

GROUPS = {
    "task": "what to learn",
    "data": "the labelled rows",
    "model": "the pretrained encoder; any other: model.path=FOLDER_OR_HUB_ID",
    "hparams": "how it is trained",
    "runtime": "device and precision",
    "tracker": "where curves are sent",
    "experiment": "bundles of choices",
}


def choices(group: str) -> list[str]:
    """Return the names that a config group offers, sorted."""
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))
