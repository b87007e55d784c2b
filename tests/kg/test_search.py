"""Search with the real model on small notes: the right passage first, every time."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.build import ingest
from kg import search as ranking
from kg.encoder import Encoder
from kg.errors import IndexMismatch
from kg.search import content_words, find, read, search
from kg.store import Store, open_store
from kg.vectors import RAISED, SLOPE, WORD_BITS, Words, of_bits


@pytest.mark.parametrize(
    ("question", "note", "heading"),
    [
        ("What is dropout?", "03-regularisation.md", "Dropout"),
        ("learning rate", "02-training.md", "Learning Rate"),
        ("How far does one update go along the slope?", "02-training.md", "Learning Rate"),
        ("why does my training zigzag and what helps", "02-training.md", "Momentum"),
        ("how many examples fit into GPU memory", "02-training.md", "Mini-batch"),
        ("loss.backward()", "01-foundations.md", "Gradient"),
        ("aug_transforms max_rotate", "more/augmentation.ipynb", "Data Augmentation"),
        ("rotated and cropped versions of a photo", "more/augmentation.ipynb", "Data Augmentation"),
        ("rnn", "05-recurrent.md", "Recurrent Neural Network | RNN"),
        ("what does MSE average?", "04-losses.md", "Mean Squared Error (MSE)"),
        ("classify each pixel of an image", "more/segmentation.md", "U-Net"),
        ("what does a unet label?", "more/segmentation.md", "U-Net"),
        ("which file do I ship: the saved learner", "more/production.md", "Export"),
        ("what subtracts a share of the weights?", "03-regularisation.md", "Weight Decay"),
    ],
)
def test_the_passage_that_answers_comes_first(
    store: Store, encoder: Encoder, question: str, note: str, heading: str
) -> None:
    """By heading, other words, a word of code, an acronym, another spelling."""
    best = search(question, store, encoder, 3)[0]
    assert (best.passage.note, best.passage.heading_path[-1]) == (note, heading)


def test_a_bare_name_in_another_spelling_finds_its_passages(store: Store, encoder: Encoder) -> None:
    """A note that only says "U-Net" is found by "unet".

    A file name with that word does not come before it.
    """
    own = next(c.passages for c in store.concepts if c.label == "U-Net")
    assert {h.passage.id for h in search("unet", store, encoder, len(own))} == set(own)


def test_scores_fall_and_hits_are_distinct(store: Store, encoder: Encoder) -> None:
    """Best first, each passage once, scores as found."""
    hits = search("parameter and gradient of a model", store, encoder, 20)
    scores = [h.score for h in hits]
    assert (
        scores == sorted(scores, reverse=True)
        and len({h.passage.id for h in hits}) == len(hits) == 20
    )
    assert all(h.passage == store.passages[h.passage.id] for h in hits)


def test_the_same_question_gets_the_same_answer(
    store: Store, encoder: Encoder, store_folder: Path
) -> None:
    """From the same open store and from one opened anew."""
    first = search("momentum or weight decay?", store, encoder, 10)
    assert search("momentum or weight decay?", store, encoder, 10) == first
    again = open_store(store_folder)
    assert search("momentum or weight decay?", again, encoder, 10) == first
    again.close()


@pytest.mark.parametrize("k", [0, 1, 3, 500])
def test_k_is_respected(store: Store, encoder: Encoder, k: int) -> None:
    """Never more than k; all distinct passages when k is larger than the store.

    The shorter list begins the longer.
    """
    hits = search("loss", store, encoder, k)
    assert len(hits) == min(k, len(store.passages))
    assert hits == search("loss", store, encoder, 500)[:k]


def test_more_hits_than_a_retrievers_pool_come_when_asked_for(
    one_encoder: Encoder, tmp_path: Path
) -> None:
    """Also beyond the usual number of candidates."""
    sections = (f"## Thing {i}\n\nThing {i} costs {i * i} coins.\n" for i in range(100))
    (tmp_path / "things.md").write_text("# Things\n\n" + "\n".join(sections))
    ingest([tmp_path / "things.md"], tmp_path / "store")
    opened = open_store(tmp_path / "store")
    hits = search("what does a thing cost?", opened, one_encoder, 1000)
    assert {h.passage.heading_path[-1] for h in hits} >= {f"Thing {i}" for i in range(2, 100)}
    opened.close()


def test_what_reads_the_same_is_shown_once(one_encoder: Encoder, tmp_path: Path) -> None:
    """A passage copied into another note, but for a word or case, is one hit.

    A different one is another.
    """
    (tmp_path / "notes").mkdir()
    words = (
        "Dropout sets randomly chosen activations to zero while the model trains "
        "so that none is relied upon alone"
    )
    (tmp_path / "notes/a.md").write_text(f"# Dropout\n\n{words}.\n")
    (tmp_path / "notes/b.md").write_text(f"# Dropout\n\n{words.upper()}!\n")
    (tmp_path / "notes/c.md").write_text("# Dropout\n\nDropout is switched off for predictions.\n")
    ingest([tmp_path / "notes"], tmp_path / "store")
    opened = open_store(tmp_path / "store")
    assert len(opened.passages) == 3
    assert sorted(h.passage.note for h in search("what is dropout?", opened, one_encoder, 10)) == [
        "a.md",
        "c.md",
    ]
    opened.close()


def test_another_encoder_is_refused(store: Store, encoder: Encoder) -> None:
    """With both names."""
    other = dataclasses.replace(encoder, name="another/model")
    with pytest.raises(IndexMismatch) as caught:
        search("dropout", store, other)
    assert (
        str(caught.value)
        == "the store was made with the encoder 'all-MiniLM-L6-v2', got 'another/model'"
    )


ODD = [
    "", " ", '"', "'", "AND OR NOT", "NEAR(", "NEAR(a b, 5)", "*", "drop*", "^dropout",
    "heading:dropout", "-dropout",
    "{heading body}: x", "dropout) OR (1", 'x" OR "y', "x" * 10_000, "word " * 2000, "(" * 10_000,
    "🎉🎉",
    "学习率是多少？", "Wie groß ist die Lernrate?", "ما هو معدل التعلم؟",
    "\x00", "a\x00b", "\udcff",
    "<a" * 5000,
    "\n\n\n", "%s {}", "²³½", " ".join(chr(c) for c in range(0x4E00, 0x4E00 + 1000)),
    "'; DROP TABLE notes; --",
]  # fmt: skip


@pytest.mark.parametrize("question", ODD, ids=range(len(ODD)))
def test_any_question_gets_a_ranking(store: Store, encoder: Encoder, question: str) -> None:
    """Quotes, operators, long, empty and foreign questions are words like others."""
    hits = search(question, store, encoder, 5)
    assert len(hits) == 5
    assert all(0 <= h.score <= 1.2 for h in hits)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40))
def test_operators_change_nothing(store: Store, encoder: Encoder, question: str) -> None:
    """Whatever is typed reaches full-text search as quoted words, without an error."""
    words = content_words(question, store)
    assert all(w.isalnum() for w in words)
    assert len(find(read(question, store, encoder), store, 2).hits) == 2


def test_operators_are_words_not_syntax(store: Store, encoder: Encoder) -> None:
    """ "NOT dropout" still finds dropout, and a star does not match every word."""
    assert search("NOT dropout", store, encoder, 1)[0].passage.heading_path[-1] == "Dropout"
    assert set(content_words('NEAR("dropout" zero*, 2) AND x', store)) == {
        "near",
        "dropout",
        "zero",
        "2",
        "x",
    }


def test_rare_words_weigh_more(store: Store) -> None:
    """A word of one passage weighs more than one of many.

    Words that mean nothing are left out unless alone.
    """
    words = content_words("what is the zigzags parameter", store)
    assert list(words) == ["zigzags", "parameter"] and words["zigzags"] > words["parameter"] > 0
    assert list(content_words("what is it", store)) == ["what", "is", "it"]
    assert all(0 < w <= 1 for w in content_words("dropout nowhereword", store).values())


def test_findings_name_the_concepts_of_the_question(store: Store, encoder: Encoder) -> None:
    """In the question's order, each once, by any of their names, in lower case."""
    found = find(read("is the mse or sgd or the unet a SGD?", store, encoder), store, 3)
    assert [store.concepts[c].label for c in found.concepts] == [
        "Mean Squared Error", "Stochastic Gradient Descent", "U-Net",
    ]  # fmt: skip
    assert [c.passage for c in found.candidates] == [h.passage.id for h in found.hits]
    parts = (p for c in found.candidates for p in (c.dense, c.late, c.lexical, c.covered, c.score))
    assert all(0 <= p <= 1 + 1e-6 for p in parts)


def test_hits_name_what_they_define_first(store: Store, encoder: Encoder) -> None:
    """The concept a passage is about stands before those it only names."""
    hit = search("what does momentum keep?", store, encoder, 1)[0]
    assert hit.concepts[0] == "Momentum" and "Gradient" in hit.concepts


def test_capitals_make_stop_words_names(store: Store) -> None:
    """SQL's WHERE is asked about, "where" only asks.

    A question all in capitals asks as any other.
    """
    assert list(content_words("WHERE or HAVING?", store)) == ["where", "having"]
    assert list(content_words("where is momentum explained", store)) == ["momentum"]
    assert list(content_words("WHERE IS MOMENTUM", store)) == ["momentum"]


NOTE = """# Kiln

![A kiln that was fired to cone six](kiln.png)

## Firing

Cone six melts at 1222 degrees. The kiln holds it for ten minutes, then cools over night with its
lid closed.

The first hours are slow, so that the last water leaves the clay and nothing bursts in the chamber
on the way up. A fan helps. Most potters leave a plug out until the pieces stop steaming, and only
then let the heat climb further. Two cones stand in front of the spy hole and tell by their
bending how far the work has gone, whatever the meter says. Keep a log of each firing with the
weather, the load and the times of every step, for no two firings in one kiln are alike.

When the first cone bends, turn the burners down by half and wait. When the second one bends, turn
them off, close the damper and the ports, and let everything cool until a hand can be held at the
spy hole without being drawn back by the heat. That takes a night for a small kiln and two days
for a large one, and opening it any sooner cracks the glaze; the sound of it is like a far bell.
Those who cannot wait lose a third of their pieces; those who can lose one in a hundred.

Unload from the top, with gloves, and set every piece on wood. Look at the witness cones before
anything else, and write down how far they bent. Shards go into the bucket for grog, glaze drips
are ground off the shelves at once, and a fresh coat of wash goes on before the next load. A shelf
that has sagged is turned over; one that is cracked goes.

## Wedging

Wedging drives air out of the clay before it is thrown.
"""


@pytest.fixture
def kiln(one_encoder: Encoder, tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "kiln.md").write_text(NOTE)
    ingest([tmp_path], tmp_path / "store")
    opened = open_store(tmp_path / "store")
    yield opened
    opened.close()


def test_a_passage_is_ranked_with_its_section(kiln: Store, one_encoder: Encoder) -> None:
    """Those beside the best passage come before a stranger, each by its own score."""
    found = find(
        read("at how many degrees does cone six melt in the kiln?", kiln, one_encoder), kiln, 10
    )
    firing = [h.passage.heading_path[-1] == "Firing" for h in found.hits]
    assert sum(firing) >= 2 and all(firing[: sum(firing)])
    assert "1222" in found.hits[0].passage.text


def test_code_and_pictures_alone_are_ranked_lower(kiln: Store, store: Store) -> None:
    """A picture's caption has the words, but what it shows cannot be read out."""
    picture = next(p.id for p in kiln.passages if p.text.rstrip().endswith("(kiln.png)"))
    code = next(p.id for p in store.passages if p.kind == "code")
    prose = next(p.id for p in kiln.passages if p.heading_path[-1] == "Wedging")
    assert (
        ranking._malus(kiln, prose)
        == 0
        < ranking._malus(store, code)
        < ranking._malus(kiln, picture)
    )


def test_late_interaction_is_the_weighted_mean_of_best_matches(
    kiln: Store, one_encoder: Encoder
) -> None:
    """Against a plain loop over the question's content words and each passage's words."""
    question = "how long does wedging take"
    _, pieces = one_encoder.encode_words([question])
    weights = content_words(question, kiln)
    spoken = [question[a:b] for a, b in pieces[0].spans]
    whole = {
        "wedging": "wedging",
        "wed": "wedging",
        "##ging": "wedging",
        "ging": "wedging",
        "long": "long",
    }
    for candidate in find(read(question, kiln, one_encoder), kiln, 10).candidates:
        words = of_bits(kiln.vectors.words([candidate.passage])[0], 384, WORD_BITS)
        total = score = 0.0
        for piece, vector in zip(spoken, pieces[0].vectors, strict=True):
            weight = weights.get(whole.get(piece, piece), 0.0)
            total += weight
            best = max((float(w @ vector) for w in words), default=-1.0)
            score += weight * min(1.0, max(0.0, (best - RAISED) / SLOPE))
        assert candidate.late == pytest.approx(score / total, abs=1e-3)


def test_a_store_without_word_vectors_is_searched_all_the_same(
    kiln: Store, one_encoder: Encoder
) -> None:
    """As for an encoder that gives none: the passage's own vector stands in."""
    bare = dataclasses.replace(kiln, vectors=copy.copy(kiln.vectors))
    bare.vectors.words = lambda passages: [b""] * len(passages)  # type: ignore[method-assign]
    none = SimpleNamespace(
        name=one_encoder.name, encode_words=lambda texts: (one_encoder.encode(texts), [NO_WORDS])
    )
    found = find(read("what drives air out of the clay?", bare, none), bare, 3)  # type: ignore[arg-type]
    assert found.hits[0].passage.heading_path[-1] == "Wedging"
    assert all(c.late == pytest.approx(c.dense) for c in found.candidates)


NO_WORDS = Words(np.zeros((0, 2), dtype=np.int64), np.zeros((0, 384), dtype=np.float32))
