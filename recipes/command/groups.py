"""The config groups, and the choices that the files in `conf/` offer for each."""

from pathlib import Path

from tasks.errors import did_you_mean

CONF = Path(__file__).resolve().parents[2] / "conf"

GROUPS = {
    "task": "what to learn",
    "data": "the labelled rows",
    "model": "the pretrained encoder; any other: model.path=FOLDER_OR_HUB_ID",
    "hparams": "how it is trained",
    "runtime": "device and precision",
    "tracker": "where curves are sent",
    "search": "with -m: how runs to try are chosen",
    "study": "a question that several runs answer",
    "experiment": "bundles of choices",
}


def choices(group: str) -> list[str]:
    """Return the names that a config group offers, sorted."""
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def no_choice(group: str, name: str) -> str:
    """Return the message that a group has no such choice, with what it offers."""
    offered = choices(group)
    if group == "hydra/launcher":
        extra = "slurm" if name.startswith("submitit") else "joblib"
        return (
            f"No launcher '{name}'. Hydra's basic one is there; joblib, submitit_local and submitit_slurm come with "
            f"extras: pip install -c constraints.txt -e '.[{extra}]'"
        )
    if not offered:
        return f"No config group '{group}'.{did_you_mean(group, GROUPS)} Groups: {', '.join(GROUPS)}"
    hint = f" For a folder or hub id: model.path={name}." if group == "model" else ""
    hint = " For your own files: data.train=PATH." if group == "data" else hint
    return (
        f"No choice '{name}' in the group '{group}'.{did_you_mean(name, offered)} Choices: {', '.join(offered)}.{hint}"
    )
