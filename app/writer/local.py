"""A writer on this machine: a transformers model by name or folder, on a GPU if any."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.writer.pace import MAX_TOKENS, WriterFailure
from app.writer.prompt import Message

__all__ = ["Local"]

_UNLOADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RuntimeError)


@dataclass(slots=True)
class Local:
    """A model by name or folder, loaded when it first writes; one answer at a time."""

    source: str
    _model: Any = None
    _tokenizer: Any = None
    _loading: threading.Lock = field(default_factory=threading.Lock)
    _writing: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        """The folder's own name, or the model's."""
        folder = Path(self.source).expanduser()
        return folder.resolve().name if folder.is_dir() else self.source

    def load(self) -> None:
        """Load it, unless it is there.

        Raises
        ------
        WriterFailure
            When there is no such model, or no room for it.
        """
        with self._loading:
            if self._model is None:
                self._tokenizer, self._model = _loaded(self.source)

    def stream(self, prompt: Sequence[Message], over: threading.Event) -> Iterator[str]:
        """The answer in pieces, greedily, so that the same prompt gives the same text.

        Raises
        ------
        WriterFailure
            When the prompt does not fit, or generating fails.
        """
        self.load()
        with self._writing:
            yield from _generated(self._tokenizer, self._model, prompt, over)


def _loaded(source: str) -> tuple[Any, Any]:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch
    from huggingface_hub.utils import logging as hub_logging
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    hub_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    folder = Path(source).expanduser()
    where = str(folder) if folder.is_dir() else source
    try:
        device, dtype = _place()
        tokenizer = AutoTokenizer.from_pretrained(where)
        model: Any = AutoModelForCausalLM.from_pretrained(where, dtype=dtype)
        model = model.to(device).eval()
    except torch.OutOfMemoryError as error:
        raise WriterFailure(
            f"there is no room for it on the {device}; choose a smaller model."
        ) from error
    except (*_UNLOADABLE, SafetensorError) as error:
        reason = _first_line(error, "no reason given")
        raise WriterFailure(
            f"it cannot be loaded ({reason}); give the folder of a transformers model."
        ) from error
    return tokenizer, model


def _place() -> tuple[str, Any]:
    """Device and type: half precision on a GPU, and on a CPU that computes in it."""
    import torch

    from executors.devices import choose_device

    device = choose_device().name
    if device.startswith("cuda"):
        return device, torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device == "mps":
        return device, torch.float16
    native = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return device, torch.bfloat16 if native is not None and native() else torch.float32


def _generated(
    tokenizer: Any, model: Any, prompt: Sequence[Message], over: threading.Event
) -> Iterator[str]:
    """Pieces of what a thread of its own generates until it ends or `over` is set."""
    from transformers import StoppingCriteriaList, TextIteratorStreamer

    ids = _encoded(tokenizer, prompt).to(model.device)
    given = ids["input_ids"].shape[1]
    room = getattr(model.config, "max_position_embeddings", None) or MAX_TOKENS + given
    if given + 64 > room:
        raise WriterFailure(
            f"its context of {room} tokens is too short for the passages; choose another model."
        )
    streamer: Any = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
    failed: list[Exception] = []

    def generate() -> None:
        try:
            model.generate(
                **ids,
                streamer=streamer,
                do_sample=False,
                max_new_tokens=min(MAX_TOKENS, room - given),
                stopping_criteria=StoppingCriteriaList([lambda *_, **__: over.is_set()]),
            )
        except (RuntimeError, ValueError, TypeError, AttributeError, IndexError) as error:
            failed.append(error)
            streamer.end()

    threading.Thread(target=generate, daemon=True, name="generate").start()
    yield from streamer
    if failed:
        reason = _first_line(failed[0], type(failed[0]).__name__)
        raise WriterFailure(
            f"generating failed ({reason}); choose a smaller or another model."
        ) from failed[0]


def _first_line(error: Exception, otherwise: str) -> str:
    return (str(error).strip().splitlines() or [otherwise])[0][:200]


def _encoded(tokenizer: Any, prompt: Sequence[Message]) -> Any:
    """Token ids by the model's own chat template; without one, as plain text."""
    from jinja2 import TemplateError

    merged = [{"role": "user", "content": "\n\n".join(m["content"] for m in prompt)}]
    if not getattr(tokenizer, "chat_template", None):
        return tokenizer(f"{merged[0]['content']}\n\nAnswer:", return_tensors="pt")
    for messages in (list(prompt), merged):  # some templates know no system message
        try:
            return tokenizer.apply_chat_template(
                messages,
                add_generation_prompt=True,
                return_tensors="pt",
                return_dict=True,
                enable_thinking=False,
            )
        except TemplateError:
            continue
    raise WriterFailure("its chat template takes no messages; choose another model.")
