"""Prerequisites that notes state outright, each with the very line that states it."""

from __future__ import annotations

import json

import pytest
from undecided import find_concepts

from ingest.concepts.candidates import NoteParts
from ingest.concepts.find import find_mentions
from ingest.notes.kinds import parse_note
from ingest.passages.cut import cut
from ingest.relations.stated_prerequisites import stated_prerequisites
from kg.types import Evidence

CONVEXITY = "# Convexity\n\nA convex set has no dents.\n"
GRADIENT = "# Gradient\n\nThe slope.\n"


def stated(**texts: str) -> dict[tuple[str, str], Evidence]:
    """Stated pairs (what comes first, what needs it) by label.

    Every evidence is checked to quote its line.
    """
    notes: list[NoteParts] = []
    first = 0
    for stem, text in texts.items():
        name = f"{stem}.md"
        parsed = parse_note(text, name)
        notes.append(NoteParts(name, parsed, cut(parsed, name, first)))
        first += len(notes[-1].passages)
    concepts = find_concepts(notes)
    mentions = list(find_mentions(concepts, [p for n in notes for p in n.passages]))
    found = stated_prerequisites(concepts, mentions, notes)
    for e in found.values():
        lines = texts[e.note.removesuffix(".md")].splitlines()
        assert lines[e.line - 1].strip() == e.quote
    return {(concepts[p].label, concepts[c].label): e for (p, c), e in found.items()}


@pytest.mark.parametrize(
    ("front", "lines"),
    [
        ("prerequisites: [Convexity, Gradient]", (2, 2)),
        ("prerequisites:\n  - Convexity\n  - Gradient", (3, 4)),
        ("title: Lasso\nprerequisites:\n- '[[Convexity]]'\n- \"gradients\"\ntags: [x]", (4, 5)),
        ("prerequisites:\n- [[Convexity]]\n- [[Gradient]]", (3, 4)),
        ("requires: Convexity, gradient", (2, 2)),
        ("needs: the Convexity of sets and Gradient, Gradient", (2, 2)),
        ('prerequisites:\n  - "[[Convexity|dents]]"\n  - "[[notes/gradient#The slope]]"', (3, 4)),
        ("prerequisites: ['[[Convexity.md]]', '[slopes](sub/gradient.md)']", (2, 2)),
        ("Prerequisites: '[[convexity]] and [[Gradient]]'", (2, 2)),
        ("Depends on:\n- [[Convexity|dents]]\n- convexity.md\n- '![[Gradient]]'", (3, 5)),
        ("aliases: [x]\nPrereqs:\n# first\n- Convexity\n\n- Gradient", (5, 7)),
    ],
)
def test_front_matter_lists_what_comes_first(front: str, lines: tuple[int, int]) -> None:
    """As a list, an indented list, wikilinks or words.

    The evidence is the line of the entry itself.
    """
    found = stated(
        lasso=f"---\n{front}\n---\n# Lasso\n\nShrinks.\n", convexity=CONVEXITY, gradient=GRADIENT
    )
    assert {pair: (e.line, e.signal) for pair, e in found.items()} == {
        ("Convexity", "Lasso"): (lines[0], "front matter"),
        ("Gradient", "Lasso"): (lines[1], "front matter"),
    }


def test_what_front_matter_names_but_no_note_explains_states_nothing() -> None:
    """Nor does the note itself, nor an empty field."""
    assert stated(a="---\nprerequisites: [Topology, Lasso]\n---\n# Lasso\n\nShrinks.\n") == {}
    assert stated(a="---\nprerequisites:\n---\n# Lasso\n\nShrinks.\n", convexity=CONVEXITY) == {}
    assert stated(a="---\nprerequisites: 3\n---\n# Lasso\n\nShrinks.\n", convexity=CONVEXITY) == {}
    assert stated(a="---\nprerequisites: {x: Convexity}\n---\n# Lasso\n\nShrinks.\n") == {}
    web = "https://example.org/convexity.md"
    assert (
        stated(
            a=f"---\nprerequisites: '[page]({web})'\n---\n# Lasso\n\nShrinks.\n",
            convexity=CONVEXITY,
        )
        == {}
    )


@pytest.mark.parametrize(
    "entry",
    [
        "[[03-on-dents]]",
        "[[sub/03-on-dents|dents]]",
        "[dents](03-on-dents.md)",
        "03-on-dents",
        "03-On-Dents.md",
    ],
)
def test_a_link_to_a_file_means_what_the_file_is_about(entry: str) -> None:
    """In front matter and under a heading, with or without folder, ending, other words."""
    texts = {
        "lasso": f"---\nprerequisites: ['{entry}']\n---\n# Lasso\n\nShrinks.\n",
        "03-on-dents": CONVEXITY,
    }
    assert list(stated(**texts)) == [("Convexity", "Lasso")]
    if "[" in entry:
        below = {
            "lasso": f"# Lasso\n\nShrinks.\n\n## Prerequisites\n\n- {entry}\n",
            "03-on-dents": CONVEXITY,
        }
        ((pair, place),) = stated(**below).items()
        assert (pair, place.line, place.signal) == (("Convexity", "Lasso"), 7, "heading")


@pytest.mark.parametrize(
    "link",
    [
        "[[Calculus#Chain Rule]]",
        "[[Calculus#Rules#Chain Rule|it]]",
        "[it](calculus.md#Chain%20Rule)",
    ],
)
def test_a_link_to_a_section_means_its_concept(link: str) -> None:
    """And not the note around it; a section that is no concept means the note."""
    calculus = "# Calculus\n\nOf change.\n\n## Chain Rule\n\nOf functions in functions.\n"
    front = f"---\nprerequisites: ['{link}']\n---\n# Lasso\n\nShrinks.\n"
    assert list(stated(lasso=front, calculus=calculus)) == [("Chain Rule", "Lasso")]
    assert list(stated(lasso=f"# Lasso\n\nNeeds: {link}\n", calculus=calculus)) == [
        ("Chain Rule", "Lasso")
    ]
    assert list(stated(lasso="# Lasso\n\nNeeds: [[Calculus#Exercises]]\n", calculus=calculus)) == [
        ("Calculus", "Lasso")
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Needs: [[Convexity]]", "Needs [Convexity](convexity.md).", "**Prerequisites:** convexity",
        "- Requires: convexity", "> Depends on convexity.", "*Builds on:* Convexity",
        "prereqs: convexity",
        "Read first: convexity",
        "Builds on the convexity of norms, and much else.",
        "You should already know convexity.",
        "Braucht: [[Convexity]]",
        "Hay que saber [[Convexity]].",
        "Needs [[Convexity]]. And it shrinks weights.",
        "It shrinks weights. Needs: [[Convexity]].",
        "Prérequis : [[Convexity]]",
        "- Requisitos previos: [[Convexity]]",
        "前置知识：[[Convexity]]",
    ],
)  # fmt: skip
def test_a_line_that_opens_with_needing_states_it(line: str) -> None:
    """In prose, a list or a quote, for the concept whose section it stands in."""
    found = stated(lasso=f"# Lasso\n\nShrinks.\n\n{line}\n\nAfter that.\n", convexity=CONVEXITY)
    assert {pair: (e.note, e.line, e.quote) for pair, e in found.items()} == {
        ("Convexity", "Lasso"): ("lasso.md", 5, line)
    }


@pytest.mark.parametrize(
    "line",
    [
        "A convexity is nice.",
        "It needs convexity sometimes.",
        "```\nNeeds: Convexity\n```",
        "Needed: convexity",
        "Requires two steps of convexity.",
        "Twice as many passes are\nrequired. This is called convexity.",
        "It takes what it\nneeds, convexity among it.",
    ],
)
def test_other_lines_state_nothing(line: str) -> None:
    """Words in the middle of a sentence are left to the scorer; code states nothing."""
    assert stated(lasso=f"# Lasso\n\nShrinks.\n\n{line}\n", convexity=CONVEXITY) == {}


def test_a_prerequisites_heading_states_all_below_it() -> None:
    """For the concept around it; the section after it states nothing."""
    found = stated(
        lasso="# Lasso\n\nShrinks.\n\n## Prerequisites\n\n- [[Convexity]]\n- the gradient\n\n## "
        "Uses\n\nMomentum.\n",
        convexity=CONVEXITY,
        gradient=GRADIENT,
        momentum="# Momentum\n\nRolls.\n",
    )
    assert {pair: (e.line, e.signal) for pair, e in found.items()} == {
        ("Convexity", "Lasso"): (7, "heading"),
        ("Gradient", "Lasso"): (8, "heading"),
    }


@pytest.mark.parametrize(
    "heading",
    [
        "Prerequisites", "Prerequisites:", "1. Prerequisites", "📚 Prerequisites",
        "What you need first",
        "Requirements", "What you need to know", "Before you start", "Prior knowledge",
        "Prerequisite Concepts",
        "Pre-requisites", "You should already know", "Voraussetzungen",
        "Prérequis",
    ],
)  # fmt: skip
def test_headings_that_announce_what_comes_first(heading: str) -> None:
    """In the ways people write them.

    They are no concepts themselves, nor are the headings below them.
    """
    texts = {
        "lasso": f"# Lasso\n\nShrinks.\n\n## {heading}\n\n### Gradient\n\n- [[Convexity]]\n\n## "
        f"Then\n\nMomentum.\n",
        "convexity": CONVEXITY,
        "gradient": GRADIENT,
        "momentum": "# Momentum\n\nRolls.\n",
    }
    assert {pair: e.line for pair, e in stated(**texts).items()} == {
        ("Gradient", "Lasso"): 7,
        ("Convexity", "Lasso"): 9,
    }


@pytest.mark.parametrize(
    "heading",
    [
        "Needless",
        "Requirements engineering",
        "Hardware requirements",
        "Background",
        "You",
        "Basics",
        "What we need is love",
        "Siehe auch",
        "Ejemplo",
        "总结",
    ],
)
def test_other_headings_announce_nothing(heading: str) -> None:
    """However near they come."""
    assert (
        stated(lasso=f"# Lasso\n\nShrinks.\n\n## {heading}\n\n- Convexity\n", convexity=CONVEXITY)
        == {}
    )


@pytest.mark.parametrize(
    "line",
    ["Prerequisites:", "**Prerequisites**", "Shrinks.\n**Requires:**", "You should know:", "Needs"],
)
def test_a_list_below_a_line_that_announces_it(line: str) -> None:
    """All of its items, and no list after it."""
    text = f"# Lasso\n\n{line}\n\n- [[Convexity]]\n- the gradient\n\nThen:\n\n- Momentum\n"
    found = stated(
        lasso=text, convexity=CONVEXITY, gradient=GRADIENT, momentum="# Momentum\n\nRolls.\n"
    )
    first = 5 + line.count("\n")
    assert {pair: (e.line, e.signal) for pair, e in found.items()} == {
        ("Convexity", "Lasso"): (first, "stated"),
        ("Gradient", "Lasso"): (first + 1, "stated"),
    }


def test_a_note_without_a_heading_of_its_own_speaks_by_its_file_name() -> None:
    """As Obsidian shows it: the file's name is the title."""
    texts = {"Lasso": "Needs: [[Convexity]]\n\n## Prerequisites\n\n- [[Gradient]]\n",
             "convexity": CONVEXITY,
             "gradient": GRADIENT, "ridge": "# Ridge\n\nUnlike [[Lasso]].\n"}  # fmt: skip
    assert {pair: e.line for pair, e in stated(**texts).items()} == {
        ("Convexity", "Lasso"): 1,
        ("Gradient", "Lasso"): 5,
    }


@pytest.mark.parametrize("kind", ["raw", "markdown"])
def test_the_first_cell_of_a_notebook_may_hold_front_matter(kind: str) -> None:
    """Its lines count within the cell; aliases count too."""
    front = "---\ntitle: Lasso\nAliases: [L1]\nprerequisites:\n  - '[[Convexity]]'\n---\n"
    cells = [
        {
            "cell_type": kind,
            "metadata": {},
            "source": front + ("# Lasso\n\nShrinks.\n" if kind == "markdown" else ""),
        },
        {"cell_type": "markdown", "metadata": {}, "source": "# Lasso\n\nIt shrinks."},
    ]
    parsed = parse_note(
        json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}),
        "lasso.ipynb",
    )
    notes = [NoteParts("lasso.ipynb", parsed, cut(parsed, "lasso.ipynb"))]
    other = parse_note(CONVEXITY, "convexity.md")
    notes.append(
        NoteParts("convexity.md", other, cut(other, "convexity.md", len(notes[0].passages)))
    )
    concepts = find_concepts(notes)
    assert {c.label: c.aliases for c in concepts} == {"Lasso": ("L1",), "Convexity": ()}
    mentions = list(find_mentions(concepts, [p for n in notes for p in n.passages]))
    ((_, place),) = stated_prerequisites(concepts, mentions, notes).items()
    assert place == Evidence("lasso.ipynb", 0, 5, "- '[[Convexity]]'", "front matter")
    assert all("---" not in p.text for p in notes[0].passages), "front matter is no text"


def test_a_line_speaks_for_the_section_it_stands_in() -> None:
    """Not for the whole note."""
    found = stated(
        a="# Training\n\nWords.\n\n## Lasso\n\nNeeds: Convexity.\n\n## Ridge\n\nX.\n",
        convexity=CONVEXITY,
    )
    assert list(found) == [("Convexity", "Lasso")]


@pytest.mark.parametrize(
    "said", ["Read this after lesson 2.", "It continues chapter 2.", "Requires part 2 of this."]
)
def test_a_numbered_note_is_meant_by_its_number(said: str) -> None:
    """ "After lesson 2" points from the title of the note numbered 2 to the title of this one."""
    found = stated(
        **{
            "01-tensors": "# Tensor\n\nNumbers.\n",
            "02_gradient": GRADIENT,
            "10-lasso": f"# Lasso\n\nShrinks.\n\n{said}\n",
        }
    )
    assert {pair: (e.note, e.line, e.signal) for pair, e in found.items()} == {
        ("Gradient", "Lasso"): ("10-lasso.md", 5, "link")
    }


def test_a_number_without_a_note_states_nothing() -> None:
    """Nor does a note's own number, nor a number of something else."""
    text = "# Lasso\n\nAfter lesson 7, after lesson 3 and after 2 epochs.\n"
    assert stated(**{"02-gradient": GRADIENT, "03-lasso": text}) == {}


def test_notes_may_state_both_ways_round() -> None:
    """Each with its own line; that they contradict each other is not decided here."""
    found = stated(
        a="# Lasso\n\nNeeds: Ridge, Convexity.\n",
        b="# Ridge\n\nNeeds: Lasso.\n",
        convexity=CONVEXITY,
    )
    assert {pair: (e.note, e.line) for pair, e in found.items()} == {
        ("Ridge", "Lasso"): ("a.md", 3),
        ("Convexity", "Lasso"): ("a.md", 3),
        ("Lasso", "Ridge"): ("b.md", 3),
    }


def test_lines_end_as_they_may() -> None:
    """CRLF, CR alone, and a byte order mark: the quoted line is the line."""
    text = "---\nprerequisites:\n  - Convexity\n---\n# Lasso\n\nShrinks.\n\nNeeds: gradient.\n"
    for newline in ("\r\n", "\r"):
        found = stated(
            lasso="\ufeff" + text.replace("\n", newline), convexity=CONVEXITY, gradient=GRADIENT
        )
        assert {pair: e.line for pair, e in found.items()} == {
            ("Convexity", "Lasso"): 3,
            ("Gradient", "Lasso"): 9,
        }


def test_a_goal_that_goes_on_after_a_name_states_nothing() -> None:
    """To know how a thing is defined here is what a note is for, not what comes before it."""
    lines = "- Know what convexity does to the norm\n- Know how convexity can be used\n"
    assert stated(lasso=f"# Lasso\n\nShrinks.\n\n## Goals\n\n{lines}", convexity=CONVEXITY) == {}
