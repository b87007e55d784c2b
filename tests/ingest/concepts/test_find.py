"""Concepts and mentions of whole small notes: their names and where they are explained."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from undecided import find_concepts

from ingest.concepts.candidates import NoteParts
from ingest.concepts.find import find_mentions
from ingest.concepts.summary import first_sentence
from ingest.notes.kinds import parse_note
from ingest.passages.cut import cut
from kg.store import Store
from kg.types import Concept


def parts(**texts: str) -> list[NoteParts]:
    """Notes from their texts, by name without ".md", with passages numbered over all of them."""
    notes: list[NoteParts] = []
    first = 0
    for stem, text in texts.items():
        name = f"{stem}.md"
        parsed = parse_note(text, name)
        passages = cut(parsed, name, first)
        first += len(passages)
        notes.append(NoteParts(name, parsed, passages))
    return notes


def concepts(**texts: str) -> dict[str, Concept]:
    """The concepts of notes, by label."""
    found = find_concepts(parts(**texts))
    assert [c.id for c in found] == list(range(len(found)))
    return {c.label: c for c in found}


def test_headings_name_concepts_with_their_aliases() -> None:
    """A second name after a bar, an acronym before a dash, and the words of a link."""
    found = concepts(
        a="# Recurrent Neural Network | RNN\n\nReads words one by one.\n\n## PCA - Principal "
        "Components Analysis\n\nPrincipal components analysis turns axes.\n\n"
        "## [Weight decay](https://e.org/annealing)\n\nLowers the rate.\n"
    )
    assert {c.label: c.aliases for c in found.values()} == {
        "Recurrent Neural Network": ("RNN",),
        "Principal Components Analysis": ("PCA",),
        "Weight decay": (),
    }


def test_a_concept_knows_where_it_is_explained() -> None:
    """Its passages, its notes, the home note first, its first sentence, its resources."""
    found = concepts(
        a="# Dropout\n\nDropout sets activations to zero. It is simple.\n\n"
        "[paper](https://e.org/p) ![curve](c.png)\n\n"
        "```python\nnn.Dropout(0.5)\n```\n",
        b="# Other\n\nWords.\n\n## Dropout\n\nIt is used late.\n",
    )
    dropout = found["Dropout"]
    assert dropout.notes == ("a.md", "b.md")
    assert dropout.summary == "Dropout sets activations to zero."
    assert [(r.kind, r.text.strip("`\n "), r.target) for r in dropout.resources] == [
        ("link", "paper", "https://e.org/p"),
        ("image", "curve", "c.png"),
        ("code", "python\nnn.Dropout(0.5)", "python"),
    ]
    assert [r.line for r in dropout.resources] == [5, 5, 7]


def test_other_names_of_a_note_of_several_sections_are_the_notes_own() -> None:
    """An outline is called as its file: its first section takes none of the note's names."""
    outline = "alias:: update rule\n\n- ## Momentum\n\t- Momentum averages gradients.\n- ## Adam\n"
    found = concepts(Optimizer=outline + "\t- Adam divides the step by a moving average.\n")
    assert found["Optimizer"].aliases == ("update rule",)
    assert found["Momentum"].aliases == ()
    assert found["Momentum"].summary == "Momentum averages gradients."


def test_passages_of_a_section_without_a_name_belong_to_the_section_above() -> None:
    """What stands under "Goals" or a question belongs to the concept around it."""
    found = concepts(
        a="# Dropout\n\nZeroes.\n\n## Goals\n\nTo learn.\n\n## Why does it work?\n\nNoise.\n"
    )
    assert list(found) == ["Dropout"] and len(found["Dropout"].passages) == 3


def test_wikilinks_name_concepts_that_no_note_explains_yet() -> None:
    """With no passage of their own.

    The target counts, not the words shown, and not the part after #.
    """
    found = concepts(
        a="# Dropout\n\nSee [[Weight Decay|shrinking]], [[folder/Momentum#nesterov]], "
        "[[dropout]].\n"
    )
    assert {c.label: c.passages for c in found.values()} == {
        "Dropout": (0,),
        "Weight Decay": (),
        "Momentum": (),
    }


@pytest.mark.parametrize(
    "said",
    [
        "**Gradient truncation** means that the gradient stops.",
        "A **gradient truncation** is the end of a gradient.",
        "*Gradient truncation* refers to the end of a gradient.",
        "`gradient truncation`: the end of a gradient.",
        "**Gradient truncation**: the gradient stops.",
        "**Gradient truncation:** the gradient stops.",
        "**Gradient truncation** – the gradient stops.",
        "Ending it early is called **gradient truncation**.",
        "> jargon: Gradient truncation: the gradient stops.",
    ],
)
def test_a_marked_term_that_is_explained_is_a_concept(said: str) -> None:
    """Bold, italic or code, with its explanation after it or before it, and a glossary's quote."""
    found = concepts(a=f"# Training\n\n{said}\n")
    label = next(c for c in found if c.casefold() == "gradient truncation")
    assert found[label].passages == (0,)
    assert "gradient truncation" in found[label].summary.casefold()


@pytest.mark.parametrize(
    "said",
    [
        "It matters **a lot**.", "Run `gradient truncation` now.",
        "**Note:** stop early.",
        "**Important**: stop.", "**Tip** is below.", "`x = 3` is code.", "**12** is a number.",
        "```\n**Bold** is\n```",
    ],
)  # fmt: skip
def test_a_marked_term_that_is_not_explained_is_none(said: str) -> None:
    """Stress, commands, markers, code, and numbers."""
    assert list(concepts(a=f"# Training\n\n{said}\n")) == ["Training"]


def test_a_marker_of_the_author_is_no_concept() -> None:
    """A bold word that opens remark after remark marks them; the one that stands once is a term."""
    remarks = "\n".join(
        f"## Part of the thing {c}\n\n**Note**: never do {c}.\n"
        for c in ("one", "two", "red", "blue", "dry")
    )
    found = concepts(a=f"# Training\n\n{remarks}\n**Label smoothing**: softer targets.\n")
    assert "Note" not in found and "Label smoothing" in found


def test_front_matter_names_the_note() -> None:
    """Its title where there is no first heading, its aliases in either form."""
    found = concepts(a="---\naliases: [Seg net, Mask maker]\n---\n# U-Net\n\nMasks.\n")
    assert found["U-Net"].aliases == ("Seg net", "Mask maker")
    found = concepts(a="---\ntitle: Batch Norm\nalias: BN, Normaliser\n---\nIt normalises.\n")
    assert found["Batch Norm"].aliases == ("BN", "Normaliser") and found["Batch Norm"].passages == (
        0,
    )


def test_a_note_without_headings_is_named_by_its_file() -> None:
    """With the file's name in words."""
    assert list(concepts(weight_decay="It shrinks parameters.\n")) == ["weight decay"]


def test_a_file_s_name_with_blanks_keeps_its_hyphens() -> None:
    """They join words, or part the name as they do in a heading."""
    text = "It finds centres.\n"
    names = ("k-means clustering", "Learning rate - how to choose it", "03 - Weight decay")
    found = concepts(**dict.fromkeys(names, text))
    assert list(found) == ["k-means clustering", "Learning rate", "Weight decay"]


def test_a_heading_spells_what_the_file_is_called() -> None:
    """Where the file's name is the surer one, because the heading says more."""
    said = "# Segment Anything (SAM, Meta 2023)\n\nA point or a box goes in, a mask comes out.\n"
    assert list(concepts(**{"segment-anything": said})) == ["Segment Anything"]


def test_a_day_is_no_concept() -> None:
    """A diary's page is called by its date; a post's date stands before its subject."""
    found = concepts(
        **{
            "2024-03-05": "# 2024-03-05 Tuesday\n\n- fixed the loader\n- read about dropout\n",
            "2024-03-06": "Slept late.\n",
            "2020-02-21-weight-decay": "Weight decay shrinks the weights at each step.\n",
        }
    )
    assert list(found) == ["weight decay"]


def test_files_of_a_repository_are_no_concepts() -> None:
    """What stands in them may be."""
    found = concepts(
        README="# Notes\n\nTo read.\n\n## Gradient clipping\n\nGradient clipping bounds a norm.\n",
        LICENSE="The licence, and no warranty.\n",
        CONTRIBUTING="# Contributing\n\nOpen a request.\n",
        index="- [[momentum]]\n",
        momentum="# Momentum\n\nMomentum is a mean of gradients.\n",
    )
    assert set(found) == {"Gradient clipping", "Momentum"}


def test_near_duplicates_are_one_concept_under_its_first_name() -> None:
    """Other spellings become aliases, and what both explain is kept together."""
    found = concepts(
        a="# Tokenising\n\nCuts text into words.\n\n## Mini-batch\n\nA few rows.\n",
        b="# Tokenization\n\nCuts text again.\n\n## Minibatches\n\nSome rows.\n",
    )
    assert {c.label: (c.aliases, len(c.passages)) for c in found.values()} == {
        "Tokenising": (("Tokenization",), 2),
        "Mini-batch": (("Minibatches",), 2),
    }


def test_an_acronym_joins_the_name_it_abbreviates() -> None:
    """A heading in capitals and a spelled-out one, when only one name has these initials."""
    found = concepts(
        a="# EWMA\n\nA mean.\n",
        b="# Exponentially Weighted Moving Average\n\nA mean that forgets.\n",
    )
    assert len(found) == 1 and next(iter(found.values())).passages == (0, 1)
    both = concepts(
        a="# CNN\n\nX.\n",
        b="# Convolutional Neural Network\n\nY.\n",
        c="# Condensed Nearest Neighbour\n\nZ.\n",
    )
    assert len(both) == 3


def test_words_cut_short_join_the_name_they_are_of() -> None:
    """When only one name has these beginnings."""
    found = concepts(
        a="# Batch Normalization\n\nKeeps activations near nought.\n",
        b="# Batchnorm\n\nA layer.\n",
    )
    (one,) = found.values()
    assert (one.label, one.aliases, one.passages) == ("Batch Normalization", ("Batchnorm",), (0, 1))
    both = concepts(
        a="# Convnet\n\nX.\n",
        b="# Convolutional Network\n\nY.\n",
        c="# Conversation Network\n\nZ.\n",
    )
    assert len(both) == 3


def test_an_acronym_in_brackets_is_an_alias() -> None:
    """Anywhere in the notes, when its letters are the name's initials."""
    found = concepts(
        a="# Exponentially weighted moving average\n\nForgets.\n",
        b="# Adam\n\nUses an exponentially weighted moving average (EWMA) of gradients (SGD).\n",
    )
    assert found["Exponentially weighted moving average"].aliases == ("EWMA",)
    assert found["Adam"].aliases == ()


def test_headings_that_structure_notes_are_no_concepts() -> None:
    """However few notes have them, where it is plain."""
    inner = "\n\n## Common traps\n\nHere.\n"
    notes = {n: f"# {n.title()}\n\nWords.{inner}" for n in ("momentum", "dropout", "annealing")}
    assert list(concepts(**notes)) == ["Momentum", "Dropout", "Annealing"]
    assert list(concepts(a="# Momentum\n\nWords.\n\n## Summary\n\nHere.\n")) == ["Momentum"]


def test_a_weak_name_is_an_alias_only_while_nobody_else_claims_it() -> None:
    """ "Perceptual Loss" is another word for feature loss until a note explains it."""
    feature = "# Feature Loss | Perceptual Loss\n\nCompares activations.\n"
    assert concepts(a=feature)["Feature Loss"].aliases == ("Perceptual Loss",)
    both = concepts(a=feature, b="# Perceptual Loss\n\nWhat eyes see.\n")
    assert both["Feature Loss"].aliases == () and "Perceptual Loss" in both


def test_every_name_has_one_owner(store: Store) -> None:
    """No label or alias of a real store stands for two concepts."""
    owners: dict[str, set[int]] = {}
    for c in store.concepts:
        for name in (c.label, *c.aliases):
            owners.setdefault(name.casefold(), set()).add(c.id)
    assert [n for n, ids in owners.items() if len(ids) > 1] == []


def test_mentions_are_found_in_every_passage_by_every_name() -> None:
    """Label and alias, longest match, in text and code, offsets within the passage."""
    notes = parts(
        a="# Recurrent Neural Network | RNN\n\nReads words.\n",
        b="# Text\n\nRNNs and a recurrent neural network, see https://e.org/RNN.\n\n```python\n"
        "model = RNN()\n```\n",
    )
    found = find_concepts(notes)
    passages = [p for n in notes for p in n.passages]
    named = [
        (m.passage, passages[m.passage].text[m.start : m.end], m.alias)
        for m in find_mentions(found, passages)
        if found[m.concept].label == "Recurrent Neural Network"
    ]
    assert named == [
        (0, "Recurrent Neural Network", "Recurrent Neural Network"),
        (0, "RNN", "RNN"),
        (1, "RNNs", "RNN"),
        (1, "recurrent neural network", "Recurrent Neural Network"),
        (1, "RNN", "RNN"),
    ]


def test_a_notebook_gives_concepts_with_their_cell() -> None:
    """Headings, terms and code of its cells."""
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# Mixup\n\nMixup blends pictures."},
        {
            "cell_type": "code",
            "metadata": {},
            "source": "blend(a, b)",
            "outputs": [],
            "execution_count": 1,
        },
    ]
    text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    parsed = parse_note(text, "n.ipynb")
    (mixup,) = find_concepts([NoteParts("n.ipynb", parsed, cut(parsed, "n.ipynb"))])
    assert mixup.summary == "Mixup blends pictures."
    assert [(r.kind, r.text, r.cell, r.line) for r in mixup.resources] == [
        ("code", "blend(a, b)", 1, 1)
    ]


def test_neither_a_badge_nor_code_says_what_a_notebook_is_about() -> None:
    """As Colab's first cell links to itself, and the first code loads what follows."""
    badge = (
        '<a href="https://e.org/n.ipynb"><img src="https://e.org/b.svg" alt="Open In Colab"/></a>'
    )
    cells = [
        {"cell_type": "markdown", "source": badge},
        {"cell_type": "code", "source": "from mixup import mixed, pictures", "outputs": []},
        {"cell_type": "markdown", "source": "Mixup blends two pictures and their labels."},
    ]
    parsed = parse_note(json.dumps({"nbformat": 4, "cells": cells}), "Mixup.ipynb")
    (mixup,) = find_concepts([NoteParts("Mixup.ipynb", parsed, cut(parsed, "Mixup.ipynb"))])
    assert mixup.summary == "Mixup blends two pictures and their labels."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "# A\n\nA tensor is a block of numbers. It has a shape.",
            "A tensor is a block of numbers.",
        ),
        (
            "A rate, e.g. 0.1, is **small**, i.e. safe. More.",
            "A rate, e.g. 0.1, is small, i.e. safe.",
        ),
        ("[a link](x) ![p](y)\n\nNow it says something.", "Now it says something."),
        ("http://a.org/x, http://b.org/y\n\nNow it says something.", "Now it says something."),
        ("```python\nx = 1\n```\n\nNow it says something.", "Now it says something."),
        ("| a | b |\n| - | - |\n\nNow it says something.", "Now it says something."),
        ("- The first item says it.\n- The second more.", "The first item says it."),
        ("Needs: [[Cross Entropy]].\n\nNow it says something.", "Now it says something."),
        ("After lesson 2. Now it says something.", "Now it says something."),
        ("It falls like $e^{-x}$ does.", "It falls like $e^{-x}$ does."),
        ("$h_t = f(W x_t + U h_{t-1})$. It reads with a state.", "It reads with a state."),
        ("A note may hold \ue0007\ue001 private signs.", "A note may hold 7 private signs."),
        ("Title\n=====\n\nNow it says something.", "Now it says something."),
        ("", ""),
        ("# Only a heading", ""),
    ],
)
def test_the_first_sentence_is_the_first_that_says_something(text: str, sentence: str) -> None:
    """No heading, link, picture, table, code, formula alone, or list of what comes first."""
    assert first_sentence(text) == sentence


@pytest.mark.parametrize(
    ("general", "narrower"),
    [
        ("Gaussian distribution", "Bayesian parameter estimation: Gaussian distribution"),
        ("Principal component analysis", "Principal component analysis (proof)"),
    ],
)
def test_no_title_is_cut_to_what_another_note_is_called(general: str, narrower: str) -> None:
    """Whichever note comes first; each is home to a concept of its own."""
    whole = f"# {general}\n\n{general} is what this note is about.\n"
    title = f"# {narrower}\n\nThe variance is kept.\n"
    for names in (("a", "b"), ("b", "a")):
        found = find_concepts(parts(**dict(zip(names, (whole, title), strict=True))))
        homes = {c.label: c.notes[0] for c in found}
        assert homes[general] == f"{names[0]}.md"
        assert homes[narrower] == f"{names[1]}.md"


@pytest.mark.parametrize(
    "alone", ["**Output gate**", "Output gate: the output gate", "*Output gates:*"]
)
def test_a_name_alone_says_nothing_of_it(alone: str) -> None:
    """What says more stands for it; where nothing does, nothing."""
    says = "The output gate scales what leaves the cell."
    (gate,) = find_concepts(parts(a=f"# Output gate\n\n{alone}\n\n{says}\n"))
    assert gate.summary == says
    (gate,) = find_concepts(parts(a=f"# Output gate\n\n{alone}\n"))
    assert gate.summary == ""


def test_a_long_sentence_is_cut_at_a_word() -> None:
    """With an ellipsis, at most 280 characters."""
    cut_off = first_sentence("word " * 200)
    assert len(cut_off) <= 280 and cut_off.endswith("word…")


def test_hostile_lines_cost_little() -> None:
    """A line of addresses run together before a word is read in one go."""
    text = "http://a" * 60 + " then words that say it"
    assert first_sentence(text).startswith("http://ahttp://a")


@given(st.text(alphabet="#*`_[]()|$<>!-:\n .ab\ue000\ue0011", max_size=120))
def test_any_text_gives_concepts_and_slices(text: str) -> None:
    """Whatever a note holds, passages exist, and mentions slice to their name."""
    notes = parts(a=text, b="# Ab\n\nAb is a word.\n")
    found = find_concepts(notes)
    passages = {p.id: p for n in notes for p in n.passages}
    assert all(p in passages for c in found for p in c.passages)
    for m in find_mentions(found, passages.values()):
        assert passages[m.passage].text[m.start : m.end].strip()


def test_order_of_arrival_does_not_matter(
    store: Store, store_folder: Path, everything: Callable[[Path], dict[str, object]]
) -> None:
    """The same notes in the same order give the concepts that the store has."""
    assert everything(store_folder)["concepts"] == store.concepts
    notes: list[NoteParts] = []
    first = 0
    for name in store.note_names:
        parsed = parse_note(store.note_paths[name].read_bytes().decode(), name)
        passages = cut(parsed, name, first)
        first += len(passages)
        notes.append(NoteParts(name, parsed, passages))
    assert find_concepts(notes) == store.concepts
    assert tuple(find_mentions(store.concepts, store.passages)) == store.mentions
