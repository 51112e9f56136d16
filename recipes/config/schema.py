"""The experiment as one typed value: Hydra's schema on the way in, plain dataclasses from here on.

Each default stands here and nowhere else; the YAML files in `conf/` only say what differs for one choice.
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
"Every task by name. A new one is a line here, one in `recipes.heads.registry`, and a YAML file in `conf/task`."

Method: TypeAlias = Literal["recipe", "plain", "stock"]

SCHEDULES = ("linear", "cosine", "constant", "polynomial")
DEVICE_CHOICES = ("auto", "cpu", "cuda", "mps")
PRECISION_CHOICES = ("auto", "fp32", "bf16", "fp16")
TRACKERS = ("none", "tensorboard", "wandb", "mlflow")


@dataclass
class Model:
    """The pretrained encoder."""

    path: str = MISSING
    "A folder with a model in the standard format, or a hub id such as `FacebookAI/roberta-base`."
    revision: str | None = None
    "The hub model's revision (commit, tag or branch). null: the newest. Not used for folders."
    learning_rate: float = 3e-5
    "The learning rate that suits this encoder; `hparams.learning_rate` takes it unless it is set."
    allow_pickled_weights: bool = False
    "Accept `pytorch_model.bin` where a model has no safetensors. A pickle from a stranger is a risk; off by default."


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
    "Parts in which a batch is computed one after the other, to save memory. The result is the same."
    evaluation_batch_size: int = 64
    "Rows per evaluation step and process."
    epochs: float | None = None
    "Passes over the training rows. null: 3, and more on small data, up to 20, so that about 250 steps are taken."
    max_steps: int | None = None
    "Optimizer steps, instead of epochs. null: by epochs."
    weight_decay: float = 0.01
    "Decoupled weight decay, on weight matrices only: not on biases and norms."
    max_grad_norm: float = 1.0
    "Gradients are scaled down to this global norm. 0: no clipping."
    dropout: float | None = None
    "Dropout probability of hidden states. null: the model's own."
    attention_dropout: float | None = 0.0
    """Dropout probability of attention weights. null: the model's own. None by default: over five seeds on two data
    sets it made no difference to the scores, and it costs time (docs/performance.md)."""
    r_drop: float = 0.0
    "R-Drop: weight of the difference between two passes with other dropout. 0: one pass. Costs a second one."
    label_smoothing: float = 0.0
    "Share of each target's probability spread evenly over all classes (QA: over all positions)."
    class_weights: Any = None
    "Classification and NER: `balanced`, or a mapping from label to weight. null: all 1."
    early_stopping: int | None = None
    "Stop after this many evaluations without a better objective. null: never."
    freeze_embeddings: bool = False
    "Keep the embedding matrices as they are."
    freeze_layers: int = 0
    "Keep this many of the lowest encoder layers as they are."
    stock: bool = False
    "To compare with: train and evaluate as the example scripts of transformers do (`recipes/training/stock.py`)."
    plain: bool = False
    "To compare with: a `Trainer` tuned by its public arguments alone (`recipes/training/stock.py`)."

    @property
    def method(self) -> Method:
        """How the network is trained: by our recipe, or in one of the two ways to compare it with."""
        return "stock" if self.stock else "plain" if self.plain else "recipe"


@dataclass
class Runtime:
    """Where and in which precision it is computed."""

    device: str = "auto"
    "auto (a GPU where there is one), cpu, cuda or mps."
    precision: str = "auto"
    "auto (bf16 where the GPU or CPU computes it, fp32 otherwise), fp32, bf16 or fp16. Master weights are fp32 always."
    threads: int | None = None
    "CPU threads per process. null: the cores there are, shared among the processes of this machine."
    tokens_at_once: int | None = None
    """Tokens, padding included, that go through the model at once; a batch with more is computed in parts, which saves
    memory and changes no result. null: 2,048 on a CPU, whole batches on a GPU."""
    checkpoint_every: str = "10min"
    """How often everything is saved that an interrupted run goes on from: 10min, 30s, 2h, 500steps. Ctrl-C and SIGTERM
    save, too."""
    cache: bool = True
    "Keep encoded rows on disk, by content, in RECIPES_CACHE or the user's cache folder, for the next run on them."


@dataclass
class Tracker:
    """Where curves are sent besides the run directory."""

    name: str = "none"
    "none, tensorboard, wandb or mlflow; each needs its extra installed."
    project: str | None = None
    "Project (wandb) or experiment (mlflow) to file runs under. null: the service's default."


if TYPE_CHECKING:
    RunnableTask = AnyTask
else:
    RunnableTask = Task  # OmegaConf takes a class for the type of a field, not a class with a parameter


@dataclass
class Config:
    """One experiment, completely."""

    task: RunnableTask = field(default_factory=Task)
    data: DataOptions = field(default_factory=DataOptions)
    model: Model = field(default_factory=Model)
    hparams: Hparams = field(default_factory=Hparams)
    runtime: Runtime = field(default_factory=Runtime)
    tracker: Tracker = field(default_factory=Tracker)
    seed: int = 1
    "Seed of the head's weights, the order of rows, dropout, and splits that are cut off."
    output_root: str = "outputs"
    "Folder that run directories are made in."
    overwrite: bool = False
    "Do a finished run again, replacing its directory."
