"""What `hparams=small_data` and each lever are worth on few rows: `scripts/bench few` and `scripts/bench levers`."""

from argparse import Namespace
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from statistics import fmean, median, stdev

from recipes.bench.few_rows import SOURCES, Done, Job, keep_known, run_all
from recipes.bench.table import write
from recipes.statistics.means import half_width

SEEDS = 5
FEW_SIZES = {
    "trec6": (8, 32),
    "sst2": (8, 32),
    "sms_spam": (8, 32),
    "wnut17": (100,),
    "ncbi_disease": (100,),
    "squad_slice": (100,),
}
LEVER_SIZES = {"trec6": (16, 64), "sst2": (32, 128), "wnut17": (100, 400)}
LEVERS: Mapping[str, tuple[str, ...]] = {
    "default": (),
    "focal": ("focal=2",),
    "label_smoothing": ("label_smoothing=0.1",),
    "r_drop": ("r_drop=1", "attention_dropout=null"),
    "layer_decay": ("layer_decay=0.9",),
    "head_learning_rate": ("head_learning_rate=1e-3",),
    "reinit_layers": ("reinit_layers=1",),
    "unfreeze_over": ("unfreeze_over=0.3",),
    "pretrained_pull": ("pretrained_pull=1",),
    "adversarial": ("adversarial=1",),
    "average_weights": ("average_weights=0.95",),
    "soup": ("soup=4",),
    "linear_head": ("linear_head=true",),
    "lora": ("lora_rank=8", "learning_rate=3e-4"),
    "dora": ("lora_rank=8", "learning_rate=3e-4", "dora=true"),
    "bias_only": ("bias_only=true", "learning_rate=1e-3"),
    "freeze_half": ("freeze_layers=3", "freeze_embeddings=true"),
    "long": ("epochs=40",),
}
"What is changed in hparams=default. Learning rates of those that train few weights are usual ones for them."


def few(given: Namespace) -> list[Path]:
    """Compare `hparams=small_data` and the default on small sets over seeds."""
    jobs = [
        Job(source, size, seed, name, (*overrides, *given.overrides))
        for source, sizes in _chosen(FEW_SIZES, given).items()
        for size in sizes
        for seed in range(1, given.seeds + 1)
        for name, overrides in (("default", ()), ("small_data", ("hparams=small_data",)))
    ]
    done = run_all(jobs, given.output / "few", given.processes, apart=True)
    rows = [["rows", "default", "small_data", "gain", "default s", "small_data s", "chosen"]]
    for set_name in dict.fromkeys(job.set_name for job in jobs):
        default, chosen = (_of(done, set_name, name) for name in ("default", "small_data"))
        ways = Counter(one.chosen for one in chosen)
        rows.append(
            [
                set_name,
                _mean(default),
                _mean(chosen),
                told_gain([one.score - other.score for one, other in zip(chosen, default, strict=True)]),
                f"{fmean(one.seconds for one in default):.0f}",
                f"{fmean(one.seconds for one in chosen):.0f}",
                ", ".join(f"{way} {count}" for way, count in ways.most_common()),
            ]
        )
    notes = [
        f"Mean and deviation over {given.seeds} seeds, each with training rows of its own; at most 500 test rows. "
        "Gains with 95% intervals over seeds (paired t). Seconds of the whole command on one thread."
    ]
    return write(given.output, "few", rows, notes, {"runs": _plain(done)})


def levers(given: Namespace) -> list[Path]:
    """Compare each lever with the default on small and middle-sized sets over seeds.

    After each seed, levers are left out that so far gain on fewer than half of the sets: they can't be worth a place in
    a preset, and their runs would be most of the hours.
    """
    sizes = _chosen(LEVER_SIZES, given)
    keep_known(given.known, given.output / "levers")
    still, done = list(LEVERS), dict[Job, Done]()
    for seed in range(1, given.seeds + 1):
        done |= _with_levers(still, seed, sizes, given)
        gains = gains_of_levers(done)
        still = [name for name in still if name == "default" or promises(gains[name])]
    sets = list(dict.fromkeys(job.set_name for job in done))
    rows = [["lever", *sets, "over the sets", "seeds", "time"]]
    rows.append(["default", *(_mean(_of(done, each, "default")) for each in sets), "", str(given.seeds), ""])
    for name, by_set in gains.items():
        seeds = max(len(differences) for differences in by_set.values())
        label = f"{name}: {' '.join(LEVERS[name])}"
        over_sets = told_gain(list(map(fmean, by_set.values())))
        by_sets = [told_gain(by_set[each]) for each in sets]
        rows.append([label, *by_sets, over_sets, str(seeds), f"{_slower(done, name):.2f}x"])
    notes = [
        f"Default: mean and deviation over {given.seeds} seeds, each with training rows of its own. Levers: what they "
        "gain over the default with the same rows and seed, with 95% intervals (paired t); over the sets: the mean of "
        "these gains, with an interval over the sets. A lever that gained on fewer than half of the sets got no more "
        "seeds; the seeds that chose the others count among theirs, whose gains are a little too high for that. Time: "
        "of the whole run, without the imports, over the default's: the median."
    ]
    return write(given.output, "levers", rows, notes, {"runs": _plain(done)})


def _with_levers(
    names: Collection[str], seed: int, sizes: Mapping[str, tuple[int, ...]], given: Namespace
) -> dict[Job, Done]:
    jobs = [
        Job(source, size, seed, name, (*(f"hparams.{one}" for one in LEVERS[name]), *given.overrides))
        for source, each in sizes.items()
        for size in each
        for name in names
    ]
    return run_all(jobs, given.output / "levers", given.processes, apart=False)


def gains_of_levers(done: Mapping[Job, Done]) -> dict[str, dict[str, list[float]]]:
    """Return the differences to the default with the same rows and seed, by lever and set, in the order of seeds."""
    default = {(job.set_name, job.seed): one.score for job, one in done.items() if job.name == "default"}
    gains: dict[str, dict[str, list[float]]] = {name: {} for name in LEVERS if name != "default"}
    for job, one in sorted(done.items(), key=lambda each: each[0].seed):
        if job.name != "default":
            gains[job.name].setdefault(job.set_name, []).append(one.score - default[job.set_name, job.seed])
    return gains


def promises(by_set: Mapping[str, Sequence[float]]) -> bool:
    """Tell whether a lever gains in mean on at least half of the sets."""
    return 2 * sum(fmean(differences) > 0 for differences in by_set.values()) >= len(by_set)


def _slower(done: Mapping[Job, Done], name: str) -> float:
    """Return how many times the default's seconds a lever takes: the median over runs on the same rows."""
    default = {(job.set_name, job.seed): one.seconds for job, one in done.items() if job.name == "default"}
    return median(one.seconds / default[job.set_name, job.seed] for job, one in done.items() if job.name == name)


def told_gain(differences: Sequence[float]) -> str:
    """Return the mean difference of pairs, with its interval by Student's t.

    >>> told_gain([0.1, 0.0, 0.2])
    '+0.100 (-0.148 to 0.348)'
    """
    middle = fmean(differences)
    if len(differences) < 2:
        return f"{middle:+.3f}"
    half = half_width(differences)
    return f"{middle:+.3f} ({middle - half:.3f} to {middle + half:.3f})"


def _chosen(sizes: Mapping[str, tuple[int, ...]], given: Namespace) -> dict[str, tuple[int, ...]]:
    return {
        source: each
        for source, each in sizes.items()
        if (not given.task or SOURCES[source].task in given.task) and given.data in (None, source)
    }


def _of(done: Mapping[Job, Done], set_name: str, name: str) -> list[Done]:
    return [one for job, one in done.items() if job.set_name == set_name and job.name == name]


def _mean(some: Sequence[Done]) -> str:
    scores = [one.score for one in some]
    collapsed = sum(one.collapsed for one in some)
    spread = f" ± {stdev(scores):.3f}" if len(scores) > 1 else ""
    return f"{fmean(scores):.3f}{spread}" + (f", {collapsed} collapsed" if collapsed else "")


def _plain(done: Mapping[Job, Done]) -> list[dict[str, object]]:
    return [{**vars(job), **vars(one)} for job, one in done.items()]
