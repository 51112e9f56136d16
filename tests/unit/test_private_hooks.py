"""Parts of libraries that we override, call or read, although no library promises to keep them.

If a library renames one of them, no error need appear: checkpoints or the check for NaN losses just stop working. Each
part must be the same as in the versions that we have tested. CONTRIBUTING.md says how to move to newer versions.
"""

import importlib
import inspect
from typing import Any

import pytest
from transformers import Trainer
from transformers.trainer_callback import ExportableState

from recipes.training.clock import TrainingClock
from recipes.training.resuming import ResumingTrainer
from recipes.training.trainer import RecipeTrainer
from recipes.training.yardsticks import PlainTrainer, StockTrainer

OURS = (ResumingTrainer, RecipeTrainer, StockTrainer, PlainTrainer)

OVERRIDDEN = {
    "_determine_best_metric": ["self", "metrics", "trial"],
    "_get_grad_norm": ["self", "model", "grad_norm"],
    "_init_training_state": [
        "self",
        "max_steps",
        "num_update_steps_per_epoch",
        "num_train_epochs",
        "resume_from_checkpoint",
        "trial",
    ],
    "_load_best_model": ["self"],
    "_load_callback_state": ["self"],
    "_load_from_checkpoint": ["self", "resume_from_checkpoint", "model"],
    "_load_optimizer_and_scheduler": ["self", "checkpoint"],
    "_load_rng_state": ["self", "checkpoint"],
    "_load_scaler": ["self", "checkpoint"],
    "_maybe_log_save_evaluate": [
        "self",
        "tr_loss",
        "grad_norm",
        "model",
        "trial",
        "epoch",
        "ignore_keys_for_eval",
        "start_time",
        "learning_rate",
    ],
    "_save_checkpoint": ["self", "model", "trial"],
    "create_optimizer": ["self", "model"],
    "evaluate": ["self", "eval_dataset", "ignore_keys", "metric_key_prefix"],
    "compute_loss": ["self", "model", "inputs", "return_outputs", "num_items_in_batch"],
    "floating_point_ops": ["self", "inputs"],
    "get_train_dataloader": ["self"],
    "prediction_step": ["self", "model", "inputs", "prediction_loss_only", "ignore_keys"],
    "training_step": ["self", "model", "inputs", "num_items_in_batch"],
}
"Methods of transformers' Trainer that ours override, with their parameters."

CALLED = {
    "peft:inject_adapter_in_model": ["peft_config", "model", "adapter_name", "low_cpu_mem_usage", "state_dict"],
    "transformers:Trainer.evaluation_loop": [
        "self",
        "dataloader",
        "description",
        "prediction_loss_only",
        "ignore_keys",
        "metric_key_prefix",
    ],
    "transformers:Trainer.get_decay_parameter_names": ["self", "model"],
    "transformers:Trainer.get_optimizer_cls_and_kwargs": ["args", "model"],
    "transformers:Trainer._get_num_items_in_batch": ["self", "batch_samples", "device"],
    "transformers:Trainer._prepare_inputs": ["self", "inputs"],
    "transformers:Trainer._save_optimizer_and_scheduler": ["self", "output_dir"],
    "transformers:Trainer._save_scaler": ["self", "output_dir"],
    "transformers:Trainer.compute_loss_context_manager": ["self"],
    "transformers:Trainer.save_model": ["self", "output_dir", "_internal_call"],
    "transformers:PreTrainedModel._can_set_attn_implementation": [],
    "transformers:PreTrainedModel.set_attn_implementation": ["self", "attn_implementation", "allow_all_kernels"],
    "transformers:PreTrainedModel.initialize_weights": ["self"],
    "transformers:PreTrainedModel.get_input_embeddings": ["self"],
    "transformers:AttentionInterface.register": ["key", "value"],
    "transformers:AttentionMaskInterface.register": ["key", "value"],
    "transformers.masking_utils:sdpa_mask": [
        "batch_size",
        "q_length",
        "kv_length",
        "q_offset",
        "kv_offset",
        "mask_function",
        "attention_mask",
        "local_size",
        "allow_is_causal_skip",
        "allow_is_bidirectional_skip",
        "use_vmap",
        "device",
        "kwargs",
    ],
    "transformers.trainer_pt_utils:LengthGroupedSampler": [
        "batch_size",
        "dataset",
        "lengths",
        "model_input_name",
        "generator",
    ],
    "accelerate.utils:gather_object": ["object"],
    "torch.nn:Module._save_to_state_dict": ["self", "destination", "prefix", "keep_vars"],
    "torch.nn:Module._load_from_state_dict": [
        "self",
        "state_dict",
        "prefix",
        "local_metadata",
        "strict",
        "missing_keys",
        "unexpected_keys",
        "error_msgs",
    ],
    "hydra._internal.config_loader_impl:ConfigLoaderImpl.load_configuration": [
        "self",
        "config_name",
        "overrides",
        "run_mode",
        "from_shell",
        "validate_sweep_overrides",
    ],
    "hydra.core.override_parser.overrides_parser:OverridesParser.parse_overrides": ["self", "overrides"],
    "hydra._internal.callbacks:Callbacks": ["config"],
    "hydra._internal.hydra:Hydra.compose_config": [
        "self",
        "config_name",
        "overrides",
        "run_mode",
        "with_log_configuration",
        "from_shell",
        "validate_sweep_overrides",
    ],
    "optuna.storages:BaseStorage.create_new_trial": ["self", "study_id", "template_trial"],
    "optuna.storages:BaseStorage.set_trial_state_values": ["self", "trial_id", "state", "values"],
}
"Other functions, as MODULE:NAME, with their parameters."

READ = {
    "transformers:Trainer": ("self._tr_loss", "self._globalstep_last_logged", "self.is_fsdp_enabled"),
    "transformers:TrainingArguments": ("self._n_gpu",),
    "transformers:PretrainedConfig": ("def _attn_implementation",),
    "transformers:PreTrainedModel": ('getattr(module, "_is_hf_initialized", False)',),
    "transformers.initialization:normal_": ('getattr(tensor, "_is_hf_initialized", False)',),
    "transformers.models.auto.auto_factory:_BaseAutoModelClass": ("cls._model_mapping",),
    "accelerate.data_loader:skip_first_batches": ("SkipBatchSampler",),
}
"Text that the source of a class or function must contain, for attributes that we read or set."


def found(place: str) -> Any:
    module, _, path = place.partition(":")
    value: Any = importlib.import_module(module)
    for name in path.split("."):
        assert hasattr(value, name), f"{module} has no {path} any more"
        value = getattr(value, name)
    return value


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_what_we_override_is_still_there_and_called(name: str) -> None:
    assert hasattr(Trainer, name), f"transformers' Trainer has no {name} any more, so that ours is never called"
    assert parameters(getattr(Trainer, name)) == OVERRIDDEN[name]
    assert f"self.{name}(" in inspect.getsource(Trainer), f"transformers' Trainer no longer calls {name}"


def test_the_list_of_overrides_is_whole() -> None:
    ours = {name for kind in OURS for name in vars(kind) if callable(getattr(kind, name)) and not name.startswith("__")}
    assert {name for name in ours if hasattr(Trainer, name)} == set(OVERRIDDEN)


@pytest.mark.parametrize("kind", OURS)
def test_each_method_marked_as_override_overrides_something(kind: type[Any]) -> None:
    for name, method in vars(kind).items():
        if getattr(method, "__override__", False):
            assert any(name in vars(base) for base in kind.__mro__[1:]), f"{kind.__name__}.{name} overrides nothing"


@pytest.mark.parametrize("place", CALLED)
def test_what_we_call_takes_the_same_arguments(place: str) -> None:
    assert parameters(found(place)) == CALLED[place]


@pytest.mark.parametrize(("place", "word"), [(place, word) for place, words in READ.items() for word in words])
def test_the_source_still_contains_what_we_read(place: str, word: str) -> None:
    assert word in inspect.getsource(found(place)), f"{place} no longer has {word}"


def test_the_state_of_a_callback_is_still_found() -> None:
    assert issubclass(TrainingClock, ExportableState)
    assert set(TrainingClock(started=0.0).state()) == {"args", "attributes"}
