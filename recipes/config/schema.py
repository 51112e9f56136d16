"""The config of an experiment as dataclasses, which are also the schema that Hydra checks configs against.

Each default stands here and nowhere else. A YAML file in `conf/` holds only the values that differ for its choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from tasks.classification import Classification
from tasks.data.options import DataOptions
from tasks.ner import Ner
from tasks.qa import Qa
from tasks.task import AnyTask, Task

MISSING = "???"

TASKS: Mapping[str, type[AnyTask]] = MappingProxyType({"classification": Classification, "ner": Ner, "qa": Qa})
"Every task by name. CONTRIBUTING says what else a new task needs."

Method: TypeAlias = Literal["recipe", "plain", "stock"]

POOLINGS = ("first", "mean")
KEPT = ("best", "last")
SCHEDULES = ("linear", "cosine", "constant", "polynomial")
DEVICE_CHOICES = ("auto", "cpu", "cuda", "mps")
PRECISION_CHOICES = ("auto", "fp32", "bf16", "fp16")
TRACKERS = ("none", "tensorboard", "mlflow", "wandb", "trackio")
SAMPLERS = ("none", "tpe", "random", "grid", "qmc", "cmaes", "gp")
STUDIES = ("none", "seeds", "learning_curve", "cross_validation", "ablation", "suggestions", "fixes")
PRUNERS = ("none", "median", "hyperband", "halving")


@dataclass
class Model:
    """The pretrained encoder."""

    path: str = MISSING
    "A folder with a model in the standard format, or a hub id such as `FacebookAI/roberta-base`."
    revision: str | None = None
    "The hub model's revision (commit, tag or branch). null: the newest. Not used for folders."
    learning_rate: float = 3e-5
    "The learning rate that suits this encoder: the default of `hparams.learning_rate`."
    allow_pickled_weights: bool = False
    "Accept `pytorch_model.bin` if a model has no safetensors. Off by default: a pickle from a stranger is a risk."


@dataclass
class Hparams:
    """How the network is trained."""

    learning_rate: float = "${model.learning_rate}"  # type: ignore[assignment]
    "Peak learning rate of AdamW. Default: the one that suits the model."
    schedule: str = "linear"
    "How the learning rate falls after warm-up: linear, cosine, constant or polynomial."
    warmup: float = 0.1
    "Share of all steps over which the learning rate rises to its peak (0 to 1)."
    batch_size: int = 16
    "Rows per optimizer step, over all processes and all accumulated parts."
    accumulation: int = 1
    "Number of parts in which a batch is computed, one after the other, to save memory. The result is the same."
    evaluation_batch_size: int = 64
    "Rows per evaluation step and process."
    epochs: float | None = None
    "Passes over the training rows. null: 3, and more on small data, up to 40, so that about 250 steps are taken."
    max_steps: int | None = None
    "Number of optimizer steps, instead of `epochs`. null: `epochs` decides. 0, with `linear_head`: none."
    weight_decay: float = 0.01
    "Decoupled weight decay, on weight matrices only: not on biases and norms."
    max_grad_norm: float = 1.0
    "Gradient clipping: a larger global norm is scaled down to this one. 0: no clipping."
    dropout: float | None = None
    "Dropout probability of hidden states. null: the model's own."
    attention_dropout: float | None = 0.0
    """Dropout probability of attention weights. null: the model's own. Off by default: over five seeds on two data
    sets it made no difference to the scores, and it costs time (docs/performance.md)."""
    r_drop: float = 0.0
    "R-Drop: weight of the divergence between two passes with different dropout; costs a second pass. 0: one pass."
    label_smoothing: float = 0.0
    "Share of each target's probability spread evenly over all classes (QA: over all positions)."
    class_weights: Any = None
    "Classification and NER: `balanced`, or a mapping from label to weight. null: all 1."
    focal: float = 0.0
    "Focal loss (Lin et al. 2017): how much less an item counts the surer the model is of it, usually 2. 0: not at all."
    layer_decay: float = 1.0
    """Layer-wise decay (Clark et al. 2020): the learning rate of each layer is this share of that of the layer above,
    and embeddings have the lowest. 0.95 is usual. 1: one rate for all."""
    head_learning_rate: float | None = None
    "Peak learning rate of the new head. null: that of the encoder's top."
    pooling: str = "first"
    """Classification: what a new head reads: first (the first token, as models are made) or mean (the mean of all
    tokens, by one more layer or the model's own config; `recipes/model/mean_pooling.py`)."""
    reinit_layers: int = 0
    "Draw the pooler and this many of the top layers anew (Zhang et al. 2021, who take 1 to 6 of 24)."
    unfreeze_over: float = 0.0
    """Gradual unfreezing (Howard and Ruder 2018): share of the steps over which layers are taken in, from the top. 0:
    all are trained from the first step on."""
    bias_only: bool = False
    "Train only the head and the biases of the encoder (BitFit, Ben Zaken et al. 2022)."
    pretrained_pull: float = 0.0
    """Decay towards the pretrained weights (L2-SP, Li et al. 2018), in place of `weight_decay` for them: each step
    moves them by learning rate x this of the way back."""
    adversarial: float = 0.0
    """Fast gradient method (Miyato et al. 2017): each batch is trained again with the embedding table moved by this
    length along its gradient; costs a second pass. 1 is usual. 0: one pass."""
    average_weights: float = 0.0
    "Evaluate and keep a moving average of the weights, of which each step keeps this share, such as 0.99. 0: none."
    soup: int = 0
    """Greedy soup (Wortsman et al. 2022): average the weights of the best so many epochs, as far as each makes the
    validation score no worse. 0: keep those of one evaluation."""
    contrastive_steps: int = 0
    """Classification: steps of a contrastive stage before all else, which draws texts with the same labels together
    (Khosla et al. 2020; as SetFit, Tunstall et al. 2022). 0: none."""
    linear_head: bool = False
    """Fit a new head on the outputs of the encoder as it is, before training (Kumar et al. 2022). With `max_steps=0`,
    nothing else is trained."""
    lora_rank: int = 0
    """Train low-rank changes of the encoder's matrices instead of these (LoRA, Hu et al. 2022), of this rank, usually
    8. They are added to the matrices in the end. 0: train the matrices."""
    lora_alpha: int | None = None
    "Low-rank changes count `lora_alpha / lora_rank` times. null: twice."
    dora: bool = False
    "With `lora_rank`: train the length of each column of the matrices, too (DoRA, Liu et al. 2024)."
    keep: str | None = None
    """The weights that are kept: best (of all evaluations, by validation; of equal ones the last) or last (nothing is
    evaluated before the end). null: those of the last evaluation, unless an earlier one is better by more than two
    standard errors; with fewer than 20 validation rows the last ones, unless `evaluations` is set; best with
    `early_stopping` or `soup`."""
    choose_by_folds: int = 0
    """Try several ways of training by cross-validation on the training rows with this many folds, train in the best
    way on all rows, and report what the folds predicted as validation (`recipes/choosing/ways.py`). 0: no choice."""
    evaluations: int | None = None
    "How often validation rows are evaluated in all, at even distances. null: after each epoch."
    early_stopping: int | None = None
    "Stop after this many evaluations without a better objective. null: never."
    freeze_embeddings: bool = False
    "Do not train the embedding matrices."
    freeze_layers: int = 0
    "Do not train this many of the lowest encoder layers."
    stock: bool = False
    """To compare with: train and evaluate as transformers' example scripts do (`recipes/training/yardsticks.py`). Their
    learning rate, schedule and batch size are not in this key but in `hparams=stock`, which sets all of them."""
    plain: bool = False
    "To compare with: a `Trainer` tuned by its public arguments alone (`recipes/training/yardsticks.py`)."

    @property
    def method(self) -> Method:
        """How the network is trained: by our recipe, or in one of two other ways for comparison."""
        return "stock" if self.stock else "plain" if self.plain else "recipe"


@dataclass
class Runtime:
    """How a run uses the machine: device, precision, threads, memory and disk."""

    device: str = "auto"
    "auto (a GPU where there is one), cpu, cuda or mps."
    precision: str = "auto"
    "auto (bf16 if the GPU or CPU supports it, otherwise fp32), fp32, bf16 or fp16. Master weights are always fp32."
    threads: int | None = None
    """CPU threads per process. null: the physical cores that affinity and a container's quota allow, shared among the
    processes of this machine."""
    tokens_at_once: int | None = None
    """Maximum number of tokens in a forward pass, padding included. A larger batch is computed in parts, which saves
    memory and does not change results. null: 2,048 on a CPU, whole batches on a GPU."""
    checkpoint_every: str = "10min"
    """How often a checkpoint is saved, from which an interrupted run goes on: 10min, 30s, 2h, 500steps. Ctrl-C and
    SIGTERM save one, too."""
    gradient_checkpointing: bool = False
    "Compute the insides of layers again on the way back instead of keeping them: less memory, about a third more time."
    cache: bool = True
    "Keep encoded rows on disk, in RECIPES_CACHE or the user's cache folder, and reuse them for the same content."


@dataclass
class Tracker:
    """The experiment tracker that keeps curves, scores and the report, besides the run directory (docs/trackers.md)."""

    name: str = "none"
    "none, tensorboard, mlflow, wandb or trackio; each needs its extra installed."
    project: str | None = None
    "Project (wandb, trackio) or experiment (mlflow) to file runs under. null: finetune-recipes."


if TYPE_CHECKING:
    RunnableTask = AnyTask
else:
    RunnableTask = Task  # OmegaConf accepts a plain class as a field's type, but no generic class


@dataclass
class Config:
    """The complete config of one experiment."""

    task: RunnableTask = field(default_factory=Task)
    data: DataOptions = field(default_factory=DataOptions)
    model: Model = field(default_factory=Model)
    hparams: Hparams = field(default_factory=Hparams)
    runtime: Runtime = field(default_factory=Runtime)
    tracker: Tracker = field(default_factory=Tracker)
    seed: int = 1
    "Seed of the head's weights, the order of rows, dropout, and the splits that are cut from the training rows."
    output_root: str = "outputs"
    "Folder that run directories are made in."
    overwrite: bool = False
    "Do a finished run again, replacing its directory."


@dataclass
class Confirm:
    """How the best trials of a search are tried again before one is called the best."""

    top: int = 3
    "How many of the best trials are run again. 0: none."
    seeds: int = 3
    "With how many fresh seeds each."


@dataclass
class Search:
    """How a sweep chooses the runs that it tries (docs/search.md). None of this is part of a run's own config."""

    sampler: str = "none"
    "none (a sweep tries all that is listed), tpe, random, grid, qmc, cmaes or gp."
    trials: int = 20
    "How many runs are tried in all. `grid` tries all there are, if they are fewer."
    pruner: str = "none"
    "What ends trials that do badly: none, median, hyperband or halving. It decides at each evaluation."
    space: dict[str, str] = field(default_factory=dict)
    """Keys and their values to try, in Hydra's words for sweeps, such as `tag(log,interval(1e-5,3e-4))`. What the
    command line sweeps over comes instead. Neither: the task's space in `conf/search/space`."""
    warm_start: bool = True
    "Begin with the values that the config has without the search."
    seed: int = 1
    "Seed of the sampler. That of the runs is `seed`."
    parallel: int = 1
    "Trials that are chosen and launched at a time, for launchers that run jobs side by side."
    storage: str | None = None
    "Where trials are kept: sqlite, journal (both files in the search's folder) or an RDB URL. null: sqlite."
    name: str | None = None
    "Name of the study in the storage. null: that of the search's folder."
    keep_models: int = 3
    "Of this many best trials the weights are kept; of the others all but the weights."
    confirm: Confirm = field(default_factory=Confirm)
    "The best trials are run again with other seeds, before one is called the best."
    trial: int | None = None
    "Number of the trial that a job belongs to. The search sets it."


@dataclass
class Study:
    """A question that several runs answer together (docs/studies.md). None of this is part of a run's own config."""

    kind: str = "none"
    """none, seeds, learning_curve, cross_validation, ablation or suggestions; fixes by `recipes.audit compare`
    (docs/audit.md)."""
    n: int = 5
    "With how many seeds each setting is run: that of the run, and those that follow it."
    sizes: list[int] | None = None
    "learning_curve: numbers of training rows. null: all there are, half of them, a quarter, ... down to a 32nd."
    folds: int = 5
    "cross_validation: how many parts the training rows are shared among."
    start: int = 100
    "suggestions: how many rows are labelled to begin with."
    step: int = 50
    "suggestions: how many rows are labelled at a time."
    rounds: int = 5
    "suggestions: how many times rows are labelled."
    parallel: int = 1
    "Runs that are launched at a time, for launchers that run jobs side by side."
    keep_models: bool = False
    "Keep the weights of its runs. What was there before the study stays in any case."


@dataclass
class CommandConfig(Config):
    """What a command line can set: the config of a run, and what several runs are for."""

    search: Search = field(default_factory=Search)
    study: Study = field(default_factory=Study)
