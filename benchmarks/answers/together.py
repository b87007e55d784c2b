"""A network that reads a question and a text as one: the default encoder with something added.

What it learns from, and how well it tells what notes answer, is `train_second_look`'s.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from app.answering.second_look import QUESTION_CHARS, TOKENS
from kg.encoder import load_encoder

UPPER, RANK = 3, 16  # layers that are added to, and the rank of what is added
RATE, BATCH, WARM, DECAY = 1e-3, 16, 0.06, 0.01
SAID = 0.5  # weight of telling which words answer, beside whether any do
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """A question and a text, with where the text answers it."""

    question: str
    text: str
    answers: tuple[tuple[int, int], ...]  # half-open offsets in the text; none where it does not
    weight: float = 1.0


class Added(nn.Module):
    """A linear layer that stays as it is, with a product of two thin matrices added.

    References
    ----------
    Hu et al. (2021), LoRA.
    """

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Parameter(torch.randn(RANK, base.in_features) / base.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(base.out_features, RANK))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Of both."""
        return self.base(x) + functional.linear(functional.linear(x, self.down), self.up)


class Together(nn.Module):
    """The default encoder, reading question and text as one."""

    def __init__(self) -> None:
        super().__init__()
        model = load_encoder().model
        self.tokenizer = copy.deepcopy(model.tokenizer)
        self.network = copy.deepcopy(model[0].auto_model).cpu().eval().requires_grad_(False)
        for layer in self.network.encoder.layer[-UPPER:]:
            for name, module in list(layer.named_modules()):
                if isinstance(module, nn.Linear):
                    above, _, last = name.rpartition(".")
                    setattr(layer.get_submodule(above), last, Added(module))
        d = self.network.config.hidden_size
        self.head, self.of_words = nn.Linear(2 * d, 1), nn.Linear(d, 1)
        for linear in (self.head, self.of_words):
            nn.init.zeros_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, examples: Sequence[Example]) -> tuple[torch.Tensor, ...]:
        """Logits of each text and each of its words; which words answer, and which there are."""
        read = self.tokenizer(
            [e.question[:QUESTION_CHARS] for e in examples],
            [e.text for e in examples],
            truncation="longest_first",
            max_length=TOKENS,
            padding=True,
            return_offsets_mapping=True,
            return_token_type_ids=True,
            return_tensors="pt",
        )
        offsets = read.pop("offset_mapping")
        with torch.autocast("cpu", torch.bfloat16):
            words = self.network(**read).last_hidden_state
        words = words.float()  # (b, t, d)
        of_text = read["token_type_ids"] * read["attention_mask"]
        own = (1 - read["token_type_ids"]) * read["attention_mask"]
        own[:, 0] = 0  # the mark before the question stands for both
        mean = (words * own[..., None]).sum(1) / own.sum(1, keepdim=True)
        logits = self.head(torch.cat([words[:, 0], mean], 1))[:, 0]
        right = torch.zeros_like(of_text, dtype=torch.float32)
        for row, example in enumerate(examples):
            for start, end in example.answers:
                inside = (offsets[row, :, 0] < end) & (offsets[row, :, 1] > start)
                right[row] += inside * of_text[row]
        return logits, self.of_words(words)[..., 0], right.clamp(max=1), of_text

    def learned(self) -> dict[str, npt.NDArray[np.float16]]:
        """What was learned and is read when a question is asked."""
        matrices: dict[str, torch.Tensor] = {
            name.removeprefix("network.encoder."): p
            for name, p in self.named_parameters()
            if name.endswith((".up", ".down"))
        }
        matrices |= {"head": self.head.weight[0], "bias": self.head.bias}
        return {k: p.detach().numpy().astype(np.float16) for k, p in matrices.items()}


def train(net: Together, examples: Sequence[Example], seed: int) -> None:
    """One pass over the examples."""
    weights = [p for p in net.parameters() if p.requires_grad]
    steps = torch.optim.AdamW(weights, lr=RATE, weight_decay=DECAY, betas=(0.9, 0.98))
    batches = list(_batches(examples, random.Random(seed)))
    for n, batch in enumerate(batches):
        for group in steps.param_groups:
            group["lr"] = RATE * min(1, (n + 1) / (WARM * len(batches))) * (1 - n / len(batches))
        logits, words, right, of_text = net(batch)
        weigh = torch.tensor([e.weight for e in batch])
        answers = torch.tensor([float(bool(e.answers)) for e in batch])
        loss = functional.binary_cross_entropy_with_logits(logits, answers, reduction="none")
        each = functional.binary_cross_entropy_with_logits(words, right, reduction="none") * of_text
        loss = loss + SAID * each.sum(1) / of_text.sum(1).clamp(min=1)
        (loss * weigh).mean().backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        steps.step()
        steps.zero_grad(set_to_none=True)


def _batches(examples: Sequence[Example], rng: random.Random) -> Iterator[list[Example]]:
    """In an order of chance; those of a batch are of similar length."""
    order = rng.sample(list(examples), len(examples))
    batches = []
    for start in range(0, len(order), 20 * BATCH):
        part = sorted(order[start : start + 20 * BATCH], key=lambda e: len(e.question + e.text))
        batches += [part[i : i + BATCH] for i in range(0, len(part), BATCH)]
    rng.shuffle(batches)
    yield from batches


def logits_of(net: Together, examples: Sequence[Example]) -> Array:
    """What the network makes of each, shape (n,)."""
    with torch.inference_mode():
        return np.array([float(net([e])[0]) for e in examples])
