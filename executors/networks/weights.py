"""Pretrained weights of torchvision's and timm's networks: at hand, or fetched if allowed."""

from __future__ import annotations

import importlib
import socket
from pathlib import Path
from typing import Any

from executors.errors import reason
from executors.parameters import both

__all__ = ["find_timm_weights", "find_weights"]

_CONNECT_S = 10.0  # a stalled connection ends after this


def find_weights(arch: str, pretrained: bool, download: bool) -> tuple[Any | None, tuple[str, ...]]:
    """The default weights of the architecture, or None with a note that says why they are random.

    Without `download` the network is never tried; with it a connection that stalls for ten seconds
    is given up.
    """
    import torch
    from torchvision.models import get_model_weights

    if not pretrained:
        return None, ("the weights are random, as asked",)
    weights = get_model_weights(arch).DEFAULT
    file = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rsplit("/", 1)[-1]
    if file.is_file():
        return weights, (f"the weights are pretrained on ImageNet ({file.name})",)
    if not download:
        return None, (
            f"the weights are random, because {file.name} is not in {_shown(file.parent)}; "
            f"{both('download')} fetches it",
        )
    reason = _fetch(weights.url, file)
    if reason:
        return None, (
            f"the weights are random, because {file.name} could not be fetched: {reason}",
        )
    return weights, (f"the weights are pretrained on ImageNet ({file.name}, fetched now)",)


def find_timm_weights(
    arch: str, pretrained: bool, download: bool
) -> tuple[Path | None, tuple[str, ...]]:
    """The file with timm's default weights, or None with a note that says why.

    timm keeps them on the Hugging Face hub; without `download` only its cache is looked into.
    """
    from huggingface_hub import try_to_load_from_cache

    if not pretrained:
        return None, ("the weights are random, as asked",)
    timm: Any = importlib.import_module("timm")  # an optional package
    config = timm.get_pretrained_cfg(arch)
    hub = config.hf_hub_id if config else None
    if not hub:
        return None, (f"the weights are random, because timm has no pretrained ones of {arch}",)
    name = config.hf_hub_filename or "model.safetensors"
    found = try_to_load_from_cache(hub, name)
    if isinstance(found, str):
        return Path(found), (f"the weights are pretrained ({hub})",)
    if not download:
        reason = f"{hub} is not in the hub's cache; {both('download')} fetches it"
        return None, (f"the weights are random, because {reason}",)
    file, reason = _fetch_from_hub(hub, name)
    if file is None:
        return None, (f"the weights are random, because {hub} could not be fetched: {reason}",)
    return file, (f"the weights are pretrained ({hub}, fetched now)",)


def _fetch_from_hub(hub: str, name: str) -> tuple[Path | None, str]:
    """The fetched file, or None and the reason."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return Path(hf_hub_download(hub, name, etag_timeout=_CONNECT_S)), ""
    except (OSError, ValueError, RuntimeError, HfHubHTTPError) as error:
        return None, reason(error)


def _shown(folder: Path) -> str:
    """The folder, with ~ for the home: results are passed around."""
    home = Path.home()
    return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)


def _fetch(url: str, file: Path) -> str:
    """Download the file, checked by the sum in its name; the reason when that failed, else ""."""
    import torch

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_CONNECT_S)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(
            url, str(file), hash_prefix=file.stem.rsplit("-", 1)[-1], progress=False
        )
    except (OSError, RuntimeError) as error:
        return str(error) or type(error).__name__
    finally:
        socket.setdefaulttimeout(before)
    return ""
