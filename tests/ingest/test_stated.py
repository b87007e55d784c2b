"""Prerequisites that notes state outright, each with the very line that states it."""

from __future__ import annotations

import pytest

from ingest.candidates import NoteParts
from ingest.concepts import find_concepts, find_mentions
from ingest.parsing import parse_note
from ingest.passages import cut
from ingest.stated import stated_prerequisites
from kg.types import Evidence

CONVEXITY = "# Convexity\n\nA convex set has no dents.\n"
GRADIENT = "# Gradient\n\nThe slope.\n"


def stated(**texts: str) -> dict[tuple[str, str], Evidence]:
    """Stated pairs (what comes first, what needs it) by label; every evidence is checked to quote its line."""
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
    ],
)
def test_front_matter_lists_what_comes_first(front: str, lines: tuple[int, int]) -> None:
    """As a list, an indented list, wikilinks or words; the evidence is the line of the entry itself."""
    found = stated(lasso=f"---\n{front}\n---\n# Lasso\n\nShrinks.\n", convexity=CONVEXITY, gradient=GRADIENT)
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


@pytest.mark.parametrize(
    "line",
    [
        "Needs: [[Convexity]]", "Needs [Convexity](convexity.md).", "**Prerequisites:** convexity",
        "- Requires: convexity", "> Depends on convexity.", "*Builds on:* Convexity", "prereqs: convexity",
        "Read first: convexity",
    ],
)  # fmt: skip
def test_a_line_that_opens_with_needing_states_it(line: str) -> None:
    """In prose, a list or a quote, for the concept whose section it stands in."""
    found = stated(lasso=f"# Lasso\n\nShrinks.\n\n{line}\n\nAfter that.\n", convexity=CONVEXITY)
    assert {pair: (e.note, e.line, e.quote) for pair, e in found.items()} == {
        ("Convexity", "Lasso"): ("lasso.md", 5, line)
    }


@pytest.mark.parametrize(
    "line", ["A convexity is nice.", "It needs convexity sometimes.", "```\nNeeds: Convexity\n```", "Needed: convexity"]
)
def test_other_lines_state_nothing(line: str) -> None:
    """Words in the middle of a sentence are left to the scorer; code states nothing."""
    assert stated(lasso=f"# Lasso\n\nShrinks.\n\n{line}\n", convexity=CONVEXITY) == {}


def test_a_prerequisites_heading_states_all_below_it() -> None:
    """For the concept around it; the section after it states nothing."""
    found = stated(
        lasso="# Lasso\n\nShrinks.\n\n## Prerequisites\n\n- [[Convexity]]\n- the gradient\n\n## Uses\n\nMomentum.\n",
        convexity=CONVEXITY,
        gradient=GRADIENT,
        momentum="# Momentum\n\nRolls.\n",
    )
    assert {pair: (e.line, e.signal) for pair, e in found.items()} == {
        ("Convexity", "Lasso"): (7, "heading"),
        ("Gradient", "Lasso"): (8, "heading"),
    }


def test_a_line_speaks_for_the_section_it_stands_in() -> None:
    """Not for the whole note."""
    found = stated(a="# Training\n\nWords.\n\n## Lasso\n\nNeeds: Convexity.\n\n## Ridge\n\nX.\n", convexity=CONVEXITY)
    assert list(found) == [("Convexity", "Lasso")]


@pytest.mark.parametrize("said", ["Read this after lesson 2.", "It continues chapter 2.", "Requires part 2 of this."])
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
    found = stated(a="# Lasso\n\nNeeds: Ridge, Convexity.\n", b="# Ridge\n\nNeeds: Lasso.\n", convexity=CONVEXITY)
    assert {pair: (e.note, e.line) for pair, e in found.items()} == {
        ("Ridge", "Lasso"): ("a.md", 3),
        ("Convexity", "Lasso"): ("a.md", 3),
        ("Lasso", "Ridge"): ("b.md", 3),
    }


def test_lines_end_as_they_may() -> None:
    """CRLF, CR alone, and a byte order mark: the quoted line is the line."""
    text = "---\nprerequisites:\n  - Convexity\n---\n# Lasso\n\nShrinks.\n\nNeeds: gradient.\n"
    for newline in ("\r\n", "\r"):
        found = stated(lasso="\ufeff" + text.replace("\n", newline), convexity=CONVEXITY, gradient=GRADIENT)
        assert {pair: e.line for pair, e in found.items()} == {("Convexity", "Lasso"): 3, ("Gradient", "Lasso"): 9}
