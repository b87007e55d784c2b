"""What tells names of concepts from other headings and marked terms, in several languages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.concepts.candidates import NoteParts, termhood_of
from ingest.concepts.places import Place, places_of
from ingest.concepts.termhood import STANDING, learned, read_table
from ingest.concepts.words import FORM
from ingest.notes.kinds import parse_note
from ingest.passages.cut import cut
from kg.encoder import Encoder, load_encoder


def chance(text: str, note: str) -> float:
    """How likely the likeliest name of a text is one, in one note."""
    parsed = parse_note(note, "a.md")
    termhood = termhood_of([NoteParts("a.md", parsed, cut(parsed, "a.md"))], load_encoder().encode)
    return max(c for _, c in termhood.namings[text])


COURSE = "# Deep learning\n\nNotes on networks.\n\n## {}\n\n{} It is used in most networks.\n"


@pytest.mark.parametrize(
    ("name", "none"),
    [
        ("Gradient clipping", "Coming up"),
        ("Attention", "In practice"),
        ("Batch normalization", "Acknowledgements"),
        ("Convolutional neural network", "Further reading"),
        ("Hash table", "Why it works"),
        ("Überanpassung", "Zusammenfassung"),
        ("Lernrate", "Kontakt"),
        ("Rétropropagation", "Remerciements"),
        ("Tasa de aprendizaje", "Ejercicios"),
        ("反向传播", "参考文献"),
    ],
)
def test_what_can_be_learned_is_likelier_than_a_part_of_the_notes(name: str, none: str) -> None:
    """In the same place, by its words."""
    named = chance(name, COURSE.format(name, f"{name} is explained here."))
    assert named >= 0.6
    assert named > 0.2 + chance(none, COURSE.format(none, "Some words stand here."))


def test_what_stands_behind_a_heading_counts() -> None:
    """A section that speaks of its heading is rather about it."""
    told = chance("Pruning", COURSE.format("Pruning", "Pruning removes weights."))
    assert told > chance("Pruning", COURSE.format("Pruning", "")) - 0.05


@pytest.mark.parametrize(
    ("heading", "label"),
    [
        ("3.2 Dropout [12:30]", "Dropout"),
        ("PCA - Principal Components Analysis", "Principal Components Analysis"),
        ("1D and 3D convolutions", "1D and 3D convolutions"),
        ("Recurrent Neural Network | RNN", "Recurrent Neural Network"),
    ],
)
def test_of_several_names_the_likeliest_is_taken(heading: str, label: str) -> None:
    """Without number and stamp, and where there is one, the name in full."""
    parsed = parse_note(COURSE.format(heading, f"{label} helps."), "a.md")
    notes = [NoteParts("a.md", parsed, cut(parsed, "a.md"))]
    names = termhood_of(notes, load_encoder().encode).names(heading, 0.3)
    assert names is not None and names.label == label


def test_nothing_is_named_by_what_was_not_read() -> None:
    """Nor by texts without words."""
    termhood = termhood_of([], load_encoder().encode)
    assert termhood.names("Dropout", 0.0) is None


def test_places_are_titles_headings_marks_and_links() -> None:
    """With what stands behind them, and whether they are explained."""
    text = "# Training\n\nWords.\n\n## Warm-up\n\nIt is **slow**: why? See `fit` in [[a/Adam#x]].\n"
    parsed = parse_note(text, "n.md")
    found = list(places_of(parsed, cut(parsed, "n.md"), ["n"]))
    assert [(p.text, p.kind, p.first, p.explained) for p in found] == [
        ("n", "heading", True, False),
        ("Training", "heading", True, False),
        ("Warm-up", "heading", False, False),
        ("slow", "emphasis", False, True),
        ("fit", "code", False, False),
        ("Adam", "wikilink", False, False),
    ]
    assert found[2].around == ("Training",) and found[2].following.startswith("It is slow")


@given(st.lists(st.text(max_size=30), max_size=4))
def test_any_text_is_seen(texts: list[str]) -> None:
    """Each name has as many figures as there are columns."""
    table = read_table([Place(text, "heading") for text in texts], [], 1)
    assert table.form.shape == (len(table.entries), len(FORM))
    assert table.standing.shape == (len(table.entries), len(STANDING))


def test_rounding_does_not_decide(encoder: Encoder) -> None:
    """Some of an encoder's numbers are nothing but rounding, which differs between machines."""
    words, _ = learned()
    assert np.abs(words.weights).max() < 10
    names = ["Momentum", "Common traps", "Dropout"]
    form = np.zeros((len(names), len(FORM)))
    drawn = np.random.default_rng(0)

    def rounded(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        vectors = encoder.encode(texts)
        return vectors + drawn.normal(size=vectors.shape, scale=1e-4).astype(np.float32)

    exact = words.odds(names, form, encoder.encode)
    np.testing.assert_allclose(words.odds(names, form, rounded), exact, atol=0.02)
