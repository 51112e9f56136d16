"""What each lever of a preset is worth: each is left out in turn, with the same rows and seeds."""

from dataclasses import asdict, replace
from statistics import fmean

from recipes.command import composing
from recipes.comparing.groups import Group
from recipes.comparing.sentences import chance, what_would_tell
from recipes.comparing.verdicts import Pair, compare
from recipes.config.schema import Hparams
from recipes.results.scores import format_score
from recipes.statistics.comparison import holm
from recipes.studies.answer import Answer, Gain, Line, Runs, Table, bounds, collapsed, deviation, of_setting, score_of
from recipes.studies.question import Question, Setting
from recipes.system.console import counted, say_field
from tasks.errors import InputError
from tasks.overrides import hydra_literal
from tasks.scoring.score import score_named

ALL = "all levers"
YARDSTICKS = ("stock", "plain")
"Ways of training that are no sum of levers."
LENGTH = ("epochs", "max_steps", "batch_size", "evaluation_batch_size", "accumulation", "evaluations", "keep")
"How long and in what portions is trained and evaluated: no levers either."
CHOOSE_EPOCHS = ("soup", "early_stopping")
"With these, the best evaluation is kept, however few rows there are."
BELONGS_TO = {"lora_alpha": "lora_rank", "dora": "lora_rank"}
"Keys that mean nothing without another one, and are left out with it."


def settings(question: Question) -> list[Setting]:
    """Return the setting of the command, and one without each of its levers.

    Raises:
        InputError: it has no levers, or the rows are too few to compare anything.
    """
    hparams = question.config.hparams
    if hparams.method != "recipe":
        raise InputError(f"study=ablation: hparams={hparams.method} is no sum of levers that could be left out")
    question.require_enough_rows()
    usual = asdict(replace(Hparams(), learning_rate=question.config.model.learning_rate))
    levers = {
        key: usual[key]
        for key, value in asdict(hparams).items()
        if usual[key] != value and key not in (*YARDSTICKS, *LENGTH)
    }
    found = [Setting(ALL, ())]
    for key in levers:
        if BELONGS_TO.get(key) in levers:
            continue
        together = [key, *(other for other, whole in BELONGS_TO.items() if whole == key and other in levers)]
        overrides = [f"hparams.{one}={_literal(levers[one])}" for one in together]
        if key in CHOOSE_EPOCHS and hparams.keep is None:
            overrides.append("hparams.keep=best")  # or few validation rows would change more than the lever
        without = Setting(f"without {key}", tuple(overrides))
        try:
            composing.compose(question.words(without, question.seeds[0]))
        except InputError as error:
            say_field("", f"{key} can't be left out by itself: {str(error).splitlines()[-1].strip()}")
            continue
        found.append(without)
    if len(found) == 1:
        raise InputError(
            "study=ablation: hparams has its defaults, so that there is no lever to leave out. Choose a preset, such "
            "as hparams=regularized, or set levers (docs/levers.md)"
        )
    return found


def _literal(value: object) -> str:
    if value is None:
        return "null"
    return hydra_literal(value) if isinstance(value, str) else str(value).lower()


def answer(question: Question, runs: Runs) -> Answer:
    """Return what each lever gains or costs, with its interval, and corrected for how many are asked about."""
    whole = of_setting(runs, ALL)
    if not whole:
        raise InputError("No run with all levers ended well, so that there is nothing to compare with")
    name, split = whole[0].report.objective.name, whole[0].split
    pairs: dict[str, Pair] = {}
    for setting in dict.fromkeys(setting for setting, _ in runs if setting != ALL):
        seeds = [seed for seed in question.seeds if (setting, seed) in runs and (ALL, seed) in runs]
        if seeds:
            groups = [Group(each, [runs[each, seed] for seed in seeds]) for each in (ALL, setting)]
            pairs[setting] = compare(groups, name, paired=True).pairs[0]
    chances = holm([pair.p_value for pair in pairs.values()])
    pairs = {key: replace(pair, p_value=chance) for (key, pair), chance in zip(pairs.items(), chances, strict=True)}
    mean = fmean(map(score_of, whole))
    single = list(map(score_of, whole))
    lines = [Line([ALL, str(len(whole)), format_score(mean), deviation(single), "", "", ""], mean, None, single)]
    for key, pair in pairs.items():
        scores = list(map(score_of, of_setting(runs, key)))
        gain = Gain.of(pair, ALL)
        mean_and_gain = [format_score(fmean(scores)), deviation(scores), gain.shown, bounds(gain.interval)]
        cells = [key, str(len(scores)), *mean_and_gain]
        lines.append(Line([*cells, f"{pair.p_value:.2g}"], fmean(scores), None, scores))
    better = "higher" if score_named(name).greater_is_better else "lower"
    columns = ["", "seeds", f"mean {split} {name}", "deviation", "worth", "95% interval", "p"]
    sentences = [_verdict(key.removeprefix("without "), pair, name) for key, pair in pairs.items()]
    sentences.append(
        f"Worth: how much better the mean {name} is with the lever ({better} scores are better); intervals over rows "
        f"and over the differences by seed, p corrected for {counted(len(pairs), 'lever')}"
    )
    return Answer([*sentences, *collapsed(runs)], [Table("What each lever is worth", columns, lines)])


def _verdict(lever: str, pair: Pair, name: str) -> str:
    """Return in words whether a lever is worth having."""
    estimate = pair.difference.estimate
    if estimate.low == estimate.high == 0:
        return f"{lever} makes no difference at all"
    point = f"{pair.size:g} {name}"
    if pair.verdict == "better":
        which = "better with it" if pair.better.name == ALL else "better without it"
        return f"{lever}: {which}, {chance(pair.p_value)}"
    if pair.verdict == "tied":
        return f"{lever}: makes less than {point} of a difference"
    return f"{lever}: too few to tell, {chance(pair.p_value)}; {what_would_tell(pair.needed, point)}"
