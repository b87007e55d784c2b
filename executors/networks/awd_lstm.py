"""AWD-LSTM, the network of the text tasks: sizes, weights at hand, and saved encoders.

References
----------
Merity, Keskar, Socher (2017), Regularizing and Optimizing LSTM Language Models, arXiv:1708.02182.
Howard, Ruder (2018), Universal Language Model Fine-tuning, arXiv:1801.06146.
"""

from __future__ import annotations

import json
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executors.errors import BadInput, BadParameter, reason
from executors.parameters import both
from executors.task import Settings

__all__ = [
    "DEFAULT_ARCH",
    "FULL",
    "LADDER",
    "Sizes",
    "load_encoder",
    "network",
    "read_vocab",
    "save_encoder",
    "sizes_of",
]

DEFAULT_ARCH = "AWD_LSTM"
LADDER = ("32,64,1", "96,192,2", DEFAULT_ARCH)  # of growing capacity
_CONNECT_S = 10.0  # a stalled connection ends after this
_WIKITEXT = "wt103-fwd"  # fastai's weights, from English Wikipedia


@dataclass(frozen=True, slots=True)
class Sizes:
    """Widths of the network."""

    embedding: int
    hidden: int
    layers: int

    def config(self) -> dict[str, int]:
        """As fastai's configurations name them."""
        return {"emb_sz": self.embedding, "n_hid": self.hidden, "n_layers": self.layers}


FULL = Sizes(400, 1152, 3)  # fastai's
SMALL = Sizes(96, 192, 2)  # a CPU trains it on the sample in seconds


def sizes_of(settings: Settings) -> Sizes:
    """The widths asked for, such as "128,256,2"; else AWD_LSTM's own, small for the sample.

    Raises
    ------
    BadParameter
        When the text is neither.
    """
    asked = settings.arch
    if not asked:
        return FULL if settings.data else SMALL
    if asked.upper().replace("-", "_") == DEFAULT_ARCH:
        return FULL
    try:
        widths = [int(width) for width in asked.split(",")]
    except ValueError:
        widths = []
    if len(widths) != 3 or not all(1 <= width <= 10_000 for width in widths):
        raise BadParameter(
            f"{both('arch')}: a text's network is AWD_LSTM, "
            "or the widths of its embedding and hidden layers and "
            f"the number of these, such as 128,256,2, not '{asked}'"
        )
    return Sizes(*widths)


def network(settings: Settings) -> tuple[Sizes, bool, tuple[str, ...]]:
    """(widths, whether fastai's pretrained weights are to be loaded, notes that say why).

    Without `download` the network is never tried; with it a connection that stalls for ten seconds
    is given up.
    """
    sizes = sizes_of(settings)
    if not settings.pretrained:
        return sizes, False, ("the weights are random, as asked",)
    if sizes != FULL:
        shown = f"{sizes.embedding},{sizes.hidden},{sizes.layers}"
        return (
            sizes,
            False,
            (f"the weights are random, because there are none for an AWD_LSTM of {shown}",),
        )
    folder = _models() / _WIKITEXT
    if _complete(folder):
        return sizes, True, (f"the weights are pretrained on Wikipedia ({_WIKITEXT})",)
    if not settings.download:
        return (
            sizes,
            False,
            (f"the weights are random, because {_WIKITEXT} is not in fastai's folder of models",),
        )
    reason = _fetch(folder)
    if reason:
        return (
            sizes,
            False,
            (f"the weights are random, because {_WIKITEXT} could not be fetched: {reason}",),
        )
    return sizes, True, (f"the weights are pretrained on Wikipedia ({_WIKITEXT}, fetched now)",)


def _models() -> Path:
    """fastai's folder of models; asking for it makes no settings."""
    home = Path(os.environ.get("FASTAI_HOME", "~/.fastai")).expanduser()
    if not (home / "config.ini").is_file():
        return home / "models"
    from fastai.data.external import fastai_path

    return Path(fastai_path("model"))


def _complete(folder: Path) -> bool:
    return any(folder.glob("*.pth")) and any(folder.glob("*.pkl"))


def _fetch(folder: Path) -> str:
    """Download fastai's weights; the reason when that failed, else ""."""
    from fastai.data.external import URLs, untar_data

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_CONNECT_S)
    try:
        untar_data(URLs.WT103_FWD, c_key="model")
    except (OSError, RuntimeError) as error:
        return reason(error)
    finally:
        socket.setdefaulttimeout(before)
    return "" if _complete(folder) else "the archive was not what was expected"


def save_encoder(learner: Any, folder: Path) -> Path:
    """Write the encoder of a network of texts, and its vocabulary beside it as JSON.

    Returns
    -------
    Path
        "encoder.pth" in the folder; its vocabulary is "encoder.vocab.json".
    """
    import torch
    from fastai.torch_core import get_model

    encoder = get_model(learner.model)[0]
    encoder = getattr(encoder, "module", encoder)  # a classifier reads sentences through it
    file = folder / "encoder.pth"
    torch.save({name: value.detach().cpu() for name, value in encoder.state_dict().items()}, file)
    vocab = learner.dls.vocab
    vocab = vocab if vocab and isinstance(vocab[0], str) else vocab[0]
    _vocab_file(file).write_text(json.dumps(list(vocab), ensure_ascii=False), encoding="utf-8")
    return file


def read_vocab(encoder: str) -> tuple[Path, list[str]]:
    """The encoder's file, from a file or the folder of the run that saved it, and its vocabulary.

    Raises
    ------
    BadInput
        When one of the files is missing, or the vocabulary is no list of words.
    """
    file = Path(encoder)
    file = file / "encoder.pth" if file.is_dir() else file
    if not file.is_file():
        raise BadInput(
            f"there is no encoder {file}; give the file, or the folder of the run that saved it"
        )
    beside = _vocab_file(file)
    try:
        vocab = json.loads(beside.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(
            f"{beside} cannot be read ({error.strerror or error}); "
            "an encoder needs its vocabulary beside it"
        ) from None
    except ValueError:
        vocab = None
    if not isinstance(vocab, list) or not vocab or not all(isinstance(word, str) for word in vocab):
        raise BadInput(
            f"{beside} is not a list of words; an encoder needs its vocabulary beside it"
        )
    return file, vocab


def load_encoder(file: Path, words: int) -> tuple[dict[str, Any], Sizes]:
    """An encoder's weights, read without running what is in the file, and their widths.

    Parameters
    ----------
    words : int
        Length of the vocabulary.

    Raises
    ------
    BadInput
        When the file holds no encoder of AWD-LSTM, or one for a vocabulary of another length.
    """
    import pickle

    import torch

    try:
        weights = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        shown = reason(error)[:200]
        raise BadInput(f"{file} cannot be read as saved weights: {shown}") from None
    numbered = re.compile(r"rnns\.(\d+)\.weight_hh_l0_raw")
    layers = (
        sum(bool(numbered.fullmatch(str(name))) for name in weights)
        if isinstance(weights, dict)
        else 0
    )
    if not layers or "encoder.weight" not in weights:
        raise BadInput(
            f"{file} holds no encoder of AWD-LSTM; give one that a run on a language model saved"
        )
    rows, embedding = weights["encoder.weight"].shape
    if rows != words:
        raise BadInput(
            f"{file} is for a vocabulary of {rows} words, "
            f"and {_vocab_file(file).name} beside it has {words}; they are not of the same run"
        )
    hidden = weights["rnns.0.weight_hh_l0_raw"].shape[1] if layers > 1 else embedding
    return weights, Sizes(int(embedding), int(hidden), layers)


def _vocab_file(file: Path) -> Path:
    return file.with_suffix(".vocab.json")
