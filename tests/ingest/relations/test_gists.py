"""What stands for a concept in comparisons, and names that are encoded once."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import write_notes
from one_by_one import OneByOne
from vault import units

from ingest import build
from ingest.build import ingest
from ingest.passages.encode import NAME_WORD_BITS
from ingest.relations.gists import CHARS, PIECES, Gists, read_gists
from kg.encoder import Encoder, check_weights, default_encoder_folder
from kg.store import open_store
from kg.types import Concept, Passage, PassageKind
from kg.vectors import WORD_BITS, WordVectors, in_bits, in_bytes, of_bits, turned
from kg.writing import writing

NOTES = {
    "convexity.md": "# Convexity\n\nA set is convex when it has no dents.\n",
    "lasso.md": "# Lasso\n\nThe lasso is a regression whose penalty keeps convexity.\n",
    "pruning.md": "# Pruning\n\nPruning takes small weights out of a network.\n",
}
Floats = npt.NDArray[np.float32]
D = 8
NAMES = ["Convexity", "Lasso", "Pruning"]


def passage(i: int, text: str, kind: PassageKind = "prose") -> Passage:
    return Passage(i, "n.md", None, 0, len(text), 1, 1, (), text, kind)


def concept(i: int, label: str, *passages: int) -> Concept:
    return Concept(i, label, (), ("n.md",), "", passages)


def gists_of(
    concepts: Sequence[Concept],
    passages: Sequence[Passage],
    vectors: Floats,
    words: Sequence[Floats],
) -> Gists:
    """Gists with a vector of its own for each name."""

    def names(labels: Sequence[str]) -> Mapping[str, tuple[npt.NDArray[np.float32], WordVectors]]:
        return {
            label: (units(np.random.default_rng(len(label)), 1, D)[0], vectors[:1])
            for label in labels
        }

    return read_gists(concepts, passages, vectors, lambda p: in_bits(words[p], WORD_BITS), names)


def kept(words: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Vectors of words as a store gives them back, turned as all of a gist's."""
    return turned(of_bits(in_bits(words, WORD_BITS), D, WORD_BITS))


@given(
    st.integers(0, 10_000), st.lists(st.sets(st.integers(0, 4), max_size=4), min_size=1, max_size=4)
)
def test_centres_are_mean_directions_and_words_those_of_the_opening(
    seed: int, own: list[set[int]]
) -> None:
    """Unit length, or zeros for a concept without passages.

    Words in the order of the passages, up to a number.
    """
    rng = np.random.default_rng(seed)
    vectors = units(rng, 5, D)
    words = [units(rng, int(rng.integers(0, 130)), D) for _ in range(5)]
    passages = [passage(i, f"The {i}th thing is a thing.") for i in range(5)]
    concepts = [concept(i, "x" * (i + 1), *sorted(ids, reverse=True)) for i, ids in enumerate(own)]
    gists = gists_of(concepts, passages, vectors, words)
    for c in concepts:
        centre = vectors[list(c.passages)].sum(axis=0)
        np.testing.assert_allclose(
            gists.centres[c.id],
            turned(centre / max(float(np.linalg.norm(centre)), 1e-9)),
            atol=1e-6,
        )
        told = np.concatenate([np.zeros((0, D)), *(kept(words[p]) for p in c.passages)])[:PIECES]
        found = gists.words(c.id)
        assert found.shape == told.shape
        np.testing.assert_allclose(found, told, atol=1e-5)
        assert gists.texts[c.id] == "\n".join(passages[p].text for p in c.passages)


def test_code_headings_links_and_pictures_say_nothing() -> None:
    """They are in no text and give no words.

    The passage is still part of the concept's direction.
    """
    passages = [
        passage(0, "loss = model(x)\nloss.backward()", "code"),
        passage(1, "## Lasso\n\nThe **lasso** is a [regression](r.md) with `l1`."),
        passage(2, "![a curve](lasso.png)"),
        passage(3, "[a page](https://example.org)"),
        passage(4, "0.31 0.28", "output"),
    ]
    rng = np.random.default_rng(0)
    vectors, words = units(rng, 5, D), [units(rng, 3, D) for _ in range(5)]
    gists = gists_of(
        [concept(0, "Lasso", 0, 1, 2, 3, 4), concept(1, "Plot", 2, 3)], passages, vectors, words
    )
    assert gists.texts == ("The lasso is a regression with l1.", "")
    np.testing.assert_allclose(gists.words(0), kept(words[1]), atol=1e-5)
    assert gists.words(1).shape == (0, D)
    for row, ids in enumerate(([0, 1, 2, 3, 4], [2, 3])):
        centre = vectors[ids].sum(axis=0)
        np.testing.assert_allclose(
            gists.centres[row], turned(centre / np.linalg.norm(centre)), atol=1e-6
        )


def test_a_long_text_is_read_as_far_as_its_opening() -> None:
    """However many passages follow."""
    passages = [passage(i, f"Sentence {i} says this and that. " * 30) for i in range(9)]
    rng = np.random.default_rng(0)
    gists = gists_of(
        [concept(0, "Lasso", *range(9))], passages, units(rng, 9, D), [units(rng, 60, D)] * 9
    )
    assert len(gists.texts[0]) == CHARS and gists.texts[0].startswith("Sentence 0 says")
    assert gists.words(0).shape == (PIECES, D)


def test_no_concepts_have_no_gists() -> None:
    """Shapes stay."""
    gists = gists_of([], [], np.zeros((0, D), dtype=np.float32), [])
    assert (
        gists.centres.shape == gists.names.shape == (0, D) and gists.texts == gists.name_words == ()
    )


sum_of_weights = functools.cache(check_weights)  # 90 MB are read once


@pytest.fixture(scope="module")
def remembering(encoder: Encoder) -> OneByOne:
    return OneByOne(encoder)


@pytest.fixture
def encoded(remembering: OneByOne, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What has been encoded, in order."""
    remembering.encoded.clear()
    monkeypatch.setattr(build, "load_encoder", lambda name: remembering)
    monkeypatch.setattr(build, "check_weights", sum_of_weights)
    return remembering.encoded


def labels(folder: Path) -> list[str]:
    """Labels of a store's concepts."""
    with closing(open_store(folder)) as store:
        return sorted(c.label for c in store.concepts)


def kept_names(folder: Path) -> dict[str, tuple[bytes, bytes]]:
    """What the table of names holds."""
    with writing(folder) as writer:
        return writer.names()


def test_each_label_is_encoded_once_alone_and_kept_with_its_words(
    tmp_path: Path, encoder: Encoder, encoded: list[str]
) -> None:
    """As the encoder gives it, words in bits."""
    notes = write_notes(tmp_path / "notes", NOTES)
    ingest([notes], tmp_path / "store")
    names = kept_names(tmp_path / "store")
    assert sorted(names) == labels(tmp_path / "store") == ["Convexity", "Lasso", "Pruning"]
    assert [encoded.count(name) for name in names] == [1, 1, 1]
    for name, (vector, words) in names.items():
        whole, (read,) = encoder.encode_notes([name])
        assert vector == in_bytes(whole).tobytes()
        assert words == in_bits(read.vectors, NAME_WORD_BITS)


def test_another_ingest_encodes_no_name_again(tmp_path: Path, encoded: list[str]) -> None:
    """A changed note gives its passage and no name, a new one its own name alone."""
    notes = write_notes(tmp_path / "notes", NOTES)
    ingest([notes], tmp_path / "store")
    encoded.clear()
    ingest([notes], tmp_path / "store")
    assert encoded == []
    write_notes(notes, {"lasso.md": "# Lasso\n\nThe lasso sets most weights to zero.\n"})
    ingest([notes], tmp_path / "store")
    assert len(encoded) == 1 and "sets most weights to zero" in encoded[0]
    encoded.clear()
    write_notes(notes, {"ridge.md": "# Ridge\n\nRidge shrinks every weight a little.\n"})
    ingest([notes], tmp_path / "store")
    assert len(encoded) == 2 and encoded[1] == "Ridge"


def test_names_of_notes_that_are_gone_are_kept_no_longer(
    tmp_path: Path, encoded: list[str]
) -> None:
    """Whether a note only leaves or another comes; a name that comes back is encoded again."""
    notes = write_notes(tmp_path / "notes", NOTES)
    ingest([notes], tmp_path / "store")
    (notes / "pruning.md").unlink()
    ingest([notes], tmp_path / "store")
    assert (
        sorted(kept_names(tmp_path / "store"))
        == labels(tmp_path / "store")
        == ["Convexity", "Lasso"]
    )
    (notes / "lasso.md").unlink()
    write_notes(notes, {"ridge.md": "# Ridge\n\nRidge shrinks every weight a little.\n"})
    ingest([notes], tmp_path / "store")
    assert (
        sorted(kept_names(tmp_path / "store"))
        == labels(tmp_path / "store")
        == ["Convexity", "Ridge"]
    )
    encoded.clear()
    write_notes(notes, {"pruning.md": NOTES["pruning.md"]})
    ingest([notes], tmp_path / "store")
    assert encoded[-1] == "Pruning"


def test_names_are_encoded_anew_for_another_encoder(tmp_path: Path, encoded: list[str]) -> None:
    """Vectors of two encoders are not to be compared."""
    notes = write_notes(tmp_path / "notes", NOTES)
    ingest([notes], tmp_path / "store")
    encoded.clear()
    # The same weights under another name.
    ingest([notes], tmp_path / "store", str(default_encoder_folder()))
    assert [encoded.count(name) for name in NAMES] == [1, 1, 1]
    assert sorted(kept_names(tmp_path / "store")) == ["Convexity", "Lasso", "Pruning"]


def test_a_name_that_people_give_is_encoded(tmp_path: Path, encoded: list[str]) -> None:
    """In gradus.toml, though no note changed; the notes' own stays known."""
    notes = write_notes(tmp_path / "notes", NOTES)
    ingest([notes], tmp_path / "store")
    encoded.clear()
    write_notes(notes, {"gradus.toml": 'rename = [["Lasso", "L1 penalty"]]\n'})
    ingest([notes], tmp_path / "store")
    assert encoded == ["L1 penalty"]
    assert labels(tmp_path / "store") == ["Convexity", "L1 penalty", "Pruning"]
    assert {"L1 penalty", "Lasso"} <= set(kept_names(tmp_path / "store"))
