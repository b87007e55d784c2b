"""Written dialogues over real notes: every turn is answered from what was said before, and only
when it has to be.
"""

from __future__ import annotations

import pytest

from app.answering.answer import answer
from kg.encoder import Encoder
from kg.store import Store
from kg.types import Answer

# Each dialogue: the store, then turns with what the answer must hold ("!" before what it must not),
# or "" to refuse.
DIALOGUES = {
    "another condition": (
        "store",
        [
            ("which learning rate when frozen?", "steepest point"),
            ("and after unfreezing?", "a tenth of where the loss shoots up"),
        ],
    ),
    "another concept": (
        "store",
        [
            ("What is flour?", "ground grain"),
            ("and a sourdough starter?", "wild yeast"),
            ("what about the crust?", "dry, brown outside"),
        ],
    ),
    "pronoun": (
        "store",
        [
            ("What is proofing?", "rest in which dough rises"),
            ("how long does it take at 26 degrees?", "| 26 °C | 4 |"),
            ("what do I need before it?", "Sourdough starter"),
            ("and what is that?", "rest in which dough rises"),
        ],
    ),
    "asides": (
        "store",
        [
            ("What is the batch size?", "number of samples in one training step"),
            ("show me the code", "mem_get_info"),
            ("and what is flour?", "ground grain"),
        ],
    ),
    "links": (
        "store",
        [
            ("what is levain?", "wild yeast"),
            ("is there a video?", "[Feeding a starter, a film](https://example.org/levain)"),
            ("what's next?", "**Proofing**"),
            ("and what do I need before that?", "Flour"),
        ],
    ),
    "a question of its own": (
        "store",
        [
            ("What is a crust?", "dry, brown outside"),
            ("which learning rate after unfreezing?", "fifth of the frozen rate"),
            ("who painted the Mona Lisa in Florence?", ""),
            ("how long does proofing take at 20 degrees?", "| 20 °C | 8 |"),
        ],
    ),
    "the other one": (
        "store",
        [
            ("difference between flour and sourdough starter", "| Flour | Sourdough starter |"),
            ("and the other one?", "wild yeast"),
        ],
    ),
    "both": (
        "store",
        [
            ("What is flour?", "ground grain"),
            ("and proofing?", "rest in which dough rises"),
            ("how do they differ?", "| Flour | Proofing |"),
        ],
    ),
    "why": (
        "starter",
        [
            ("should I freeze the body at first?", "A new head starts with random weights"),
            ("why?", "damage good pretrained weights"),
            ("and what is unfreezing?", "trainable again"),
        ],
    ),
    "more": (
        "starter",
        [
            ("What is overfitting?", "gets worse on new data"),
            ("more", "!Overfitting is when a model gets worse on new data"),
            ("what are the signs of underfitting?", "validation error rate still falls"),
        ],
    ),
    "example and code": (
        "starter",
        [
            ("What is gradient accumulation?", "adding up the gradients of several small batches"),
            ("the code?", "```python"),
            ("when should I use it?", "effective batch"),
        ],
    ),
    "which of two": (
        "starter",
        [
            (
                "batch normalisation vs layer normalisation",
                "| Batch normalisation | Layer normalisation |",
            ),
            ("which is better for text?", "layer normalisation for text"),
            ("and group normalisation?", "Group normalisation"),
        ],
    ),
    "thanks": (
        "starter",
        [
            ("Tell me about dropout", "setting randomly chosen activations to zero"),
            ("ok, and weight decay?", "shrinking every weight"),
            ("and how does mixup work?", "blends of two items"),
        ],
    ),
    "in which note": (
        "starter",
        [
            ("who won the 2018 world cup?", ""),
            ("What is mixup?", "blends of two items"),
            ("in which note?", "Ways to regularise › Mixup"),
        ],
    ),
    "path": (
        "starter",
        [
            ("What do I need before unfreezing?", "Freezing"),
            ("and what comes after it?", "Discriminative learning rates"),
        ],
    ),
    "expletive": (
        "starter",
        [
            ("What is early stopping?", "best epoch"),
            (
                "is it normal that training loss is below validation loss?",
                "no overfitting by itself",
            ),
            ("is a batch of 64 a good start?", "start with 64"),
        ],
    ),
}


@pytest.mark.parametrize("name", DIALOGUES)
def test_a_dialogue_is_understood(
    name: str, encoder: Encoder, request: pytest.FixtureRequest
) -> None:
    """Each turn's answer holds what the turn means in its conversation."""
    which, turns = DIALOGUES[name]
    notes: Store = request.getfixturevalue(which)
    history: list[tuple[str, Answer]] = []
    for question, holds in turns:
        said = answer(question, notes, encoder, history)
        history.append((question, said))
        if not holds:
            assert said.status == "not_in_notes", (question, said.text)
        elif holds.startswith("!"):
            assert said.text
            assert holds[1:] not in said.text, (question, said.text)
        else:
            assert holds in said.text, (question, said.text)


def test_more_ends_when_all_has_been_told(store: Store, encoder: Encoder) -> None:
    """Who goes on asking for more is told that there is no more, and never the same twice."""
    history = [("What is the crust?", answer("What is the crust?", store, encoder))]
    for _ in range(12):
        said = answer("more", store, encoder, history)
        if said.status == "not_in_notes":
            assert said.text == "The notes say no more on this."
            return
        told = {c.quote for _, before in history for c in before.citations}
        assert not told & {c.quote for c in said.citations}
        history.append(("more", said))
    pytest.fail("it never ended")
