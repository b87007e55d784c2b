"""A second look where an answer is in doubt: question and likeliest statements read as one text.

The signs of `app.answering.refusal` compare words and vectors that were made apart. Here the
default encoder reads the question and the likeliest statements together, with what was learned
added to its upper layers (`benchmarks/answers/train_second_look.py`), and tells whether they
answer. That takes as long as to encode a passage: where the signs are sure it is not asked.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Container, Mapping
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from app.answering.composing.ranking import Ranked
from kg.alone import decodable, on_cores
from kg.encoder import DEFAULT_ENCODER, Encoder
from kg.half import has_bfloat16

__all__ = [
    "CHARS", "COEFFICIENTS", "MODEL", "QUESTION_CHARS", "TOKENS", "digest",
    "second_look", "stored",
]  # fmt: skip

MODEL, COEFFICIENTS = "second_look.safetensors", "second_look.json"
TOKENS = 144  # of question and statements together
QUESTION_CHARS = 500
# Of all statements, of one of them, and of its heading; a rest below LEAST would tell nothing.
CHARS, STATEMENT_CHARS, HEADING_CHARS, LEAST = 560, 200, 60, 60


def digest(ranked: Ranked, without: Container[int] = ()) -> list[tuple[int, str]]:
    """The statements likeliest to lead, each with its position and as a line.

    A line begins with its statement's heading where the line before is of another passage.

    Parameters
    ----------
    without : container of int
        Positions of statements to leave out.
    """
    lines: list[tuple[int, str]] = []
    room, before = CHARS, -1
    for i in ranked.best_first():
        if i in without:
            continue
        statement, hit = ranked.statements[i], int(ranked.hit[i])
        path = statement.passage.heading_path
        heading = f"{path[-1]}: "[-HEADING_CHARS:] if path and hit != before else ""
        left = min(STATEMENT_CHARS, room - len(heading))
        if left < LEAST:
            break
        line = heading + " ".join(statement.text.split())[:left]
        lines.append((i, line))
        room, before = room - len(line) - 1, hit
    return lines


def second_look(question: str, ranked: Ranked, encoder: Encoder) -> float | None:
    """Logit that the likeliest statements answer the question; None with another encoder."""
    if encoder.name != DEFAULT_ENCODER:
        return None
    text = "\n".join(line for _, line in digest(ranked))
    reader = _reader(encoder)
    return next(on_cores([lambda: reader.logit(question, text)]))


class _Reader:
    """The default encoder's layers with what was learned added to the upper ones."""

    def __init__(self, encoder: Encoder) -> None:
        import torch
        from safetensors.numpy import load

        stored = load(resources.files("app.answering").joinpath(MODEL).read_bytes())
        network = encoder.model[0].auto_model
        self._tokenizer = copy.deepcopy(encoder.model.tokenizer)
        on_card = encoder.model.device.type != "cpu"
        self._embeddings = (
            copy.deepcopy(network.embeddings).cpu() if on_card else network.embeddings
        )
        layers = copy.deepcopy(network.encoder).cpu()
        for name in sorted(key.removesuffix(".up") for key in stored if key.endswith(".up")):
            up, down = (stored[f"{name}.{part}"].astype(np.float32) for part in ("up", "down"))
            with torch.no_grad():
                layers.get_submodule(name).weight += torch.from_numpy(up @ down)
        self._reading = threading.Lock()  # a tokenizer is of one thread
        self._kind = torch.bfloat16 if has_bfloat16() else torch.float32
        self._layers = layers.to(self._kind)
        self._head, self._bias = stored["head"].astype(np.float32), float(stored["bias"][0])

    def logit(self, question: str, text: str) -> float:
        """Of the text answering the question; it depends on the two alone."""
        import torch

        with self._reading:
            read = self._tokenizer(
                decodable(question[:QUESTION_CHARS]),
                decodable(text),
                truncation="longest_first",
                max_length=TOKENS,
                return_token_type_ids=True,
                return_tensors="pt",
            )
        ids, sides = read["input_ids"], read["token_type_ids"]
        with torch.inference_mode():
            words = self._embeddings(input_ids=ids, token_type_ids=sides).to(self._kind)
            out = self._layers(words).last_hidden_state[0].float().numpy()  # (t, d)
        own = sides[0].numpy() == 0
        own[0] = False  # the mark before the question stands for both
        return float(np.concatenate([out[0], out[own].mean(axis=0)]) @ self._head + self._bias)


@cache
def _reader(encoder: Encoder) -> _Reader:
    return _Reader(encoder)


@cache
def stored() -> Mapping[str, Any]:
    """What was learned of the signs and the second look together, as it is stored."""
    file = resources.files("app.answering").joinpath(COEFFICIENTS)
    coefficients: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return coefficients
