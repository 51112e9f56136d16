"""Low-rank adaptation: LoRA (Hu et al. 2022) and DoRA (Liu et al. 2024), as peft has them.

The changes go into every linear layer of the encoder's layers, which is better on average than into two of them (Hu
et al. 2022, section 7.1; Biderman et al. 2024). They stand inside the model while it is trained, so that checkpoints,
averages and faster parts see them as they see other weights. In the end they are added to the matrices, and the model
is one of its kind without any trace of them.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from recipes.config.schema import Hparams
from recipes.levers.depth import head_names
from recipes.model.layers import encoder_layers
from tasks.errors import InputError

ADAPTER = "default"
"The name that peft gives to the only one."


def add_low_rank(model: Any, hparams: Hparams, new: Collection[str] = ()) -> None:
    """Freeze a model's encoder, and put low-rank changes into it, in place. The head is trained as ever.

    Args:
        model: a model with its head.
        hparams: rank and kind of the changes.
        new: the names of weights that are not pretrained; they are trained as ever, too.

    Raises:
        InputError: no layers with matrices are found in a model of this type.
    """
    from peft import inject_adapter_in_model

    inject_adapter_in_model(_settings(model, hparams, new), model, adapter_name=ADAPTER)
    trained = {*head_names(model), *new}
    for name, weight in model.named_parameters():
        # peft freezes all of the model, the head with it.
        weight.requires_grad_(name.replace(".base_layer", "") in trained or "lora_" in name)


def _settings(model: Any, hparams: Hparams, new: Collection[str]) -> Any:
    from peft import LoraConfig
    from torch import nn

    inside = {id(module) for layer in encoder_layers(model) for module in layer.modules()}
    # New layers are trained as a whole, and some begin at 0, where DoRA has no directions to change.
    names = [
        name
        for name, module in model.named_modules()
        if type(module) is nn.Linear and id(module) in inside and f"{name}.weight" not in new
    ]
    if not names:
        raise InputError(
            f"hparams.lora_rank: no layers with matrices were found in a model of the type {model.config.model_type}"
        )
    rank = hparams.lora_rank
    alpha = 2 * rank if hparams.lora_alpha is None else hparams.lora_alpha
    return LoraConfig(r=rank, lora_alpha=alpha, target_modules=names, use_dora=hparams.dora)


def save_low_rank(model: Any, folder: Path, base: str) -> None:
    """Write the low-rank changes and the head as an adapter that peft loads onto the pretrained model.

    Args:
        model: a trained model, with the changes in it.
        folder: where `adapter_config.json` and `adapter_model.safetensors` are written.
        base: what the pretrained model is called.
    """
    from peft import get_peft_model_state_dict

    settings = model.peft_config[ADAPTER]
    prefix = "base_model.model."
    whole = {name: weight for name, weight in model.named_parameters() if weight.requires_grad and "lora_" not in name}
    tensors = {f"{prefix}{name}": tensor for name, tensor in get_peft_model_state_dict(model).items()}
    tensors |= {f"{prefix}{name}": weight for name, weight in whole.items()}
    folder.mkdir(parents=True, exist_ok=True)
    settings.base_model_name_or_path = base
    settings.modules_to_save = sorted({name.rpartition(".")[0] for name in whole})
    settings.save_pretrained(str(folder))
    save_file(
        {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
        folder / "adapter_model.safetensors",
        metadata={"format": "pt"},
    )


def has_low_rank(model: Any) -> bool:
    """Tell whether a model has low-rank changes in it."""
    return "peft_config" in vars(model)


def merge_low_rank(model: Any) -> None:
    """Add the changes to the matrices of a trained model, and take everything else of them out, in place."""
    from peft.tuners.lora import LoraLayer

    for name, module in list(model.named_modules()):
        if isinstance(module, LoraLayer):
            module.merge(safe_merge=True)
            parent, _, last = name.rpartition(".")
            setattr(model.get_submodule(parent), last, module.get_base_layer())
    del model.peft_config
