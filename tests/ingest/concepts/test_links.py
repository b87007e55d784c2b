"""Wikilinks by file name in small vaults: where they lead, and what they leave alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from made import write_notes
from undecided import find_concepts

from ingest.build import ingest
from ingest.concepts.candidates import NoteParts
from ingest.concepts.links import mentions_of
from ingest.notes.kinds import parse_note
from ingest.passages.cut import cut
from ingest.relations.stated_prerequisites import stated_prerequisites
from kg.store import open_store

LASSO = "# Lasso\n\nShrinks weights to zero.\n"
RIDGE = "# Ridge\n\nShrinks weights.\n"


def parts(texts: Mapping[str, str]) -> list[NoteParts]:
    """Notes by name, with passages numbered over all of them."""
    notes: list[NoteParts] = []
    for name, text in texts.items():
        parsed = parse_note(text, name)
        notes.append(
            NoteParts(name, parsed, cut(parsed, name, sum(len(n.passages) for n in notes)))
        )
    return notes


def labels(texts: Mapping[str, str]) -> set[str]:
    """The concepts' labels."""
    return {c.label for c in find_concepts(parts(texts))}


def mentioned(texts: Mapping[str, str], note: str) -> list[tuple[str, str]]:
    """The mentions in one note, left to right: the concept, and the words that count."""
    notes = parts(texts)
    concepts = find_concepts(notes)
    passages = {p.id: p for n in notes for p in n.passages}
    found = mentions_of(concepts, notes)
    for a, b in pairwise(found):
        assert (a.passage, a.start) <= (b.passage, b.start)
    for m in found:
        assert m.alias in (concepts[m.concept].label, *concepts[m.concept].aliases)
    told = [(m, passages[m.passage]) for m in found if passages[m.passage].note == note]
    below = [(m, p) for m, p in told if not p.text[: m.start].rpartition("\n")[2].startswith("#")]
    return [(concepts[m.concept].label, p.text[m.start : m.end]) for m, p in below]


def stated(texts: Mapping[str, str]) -> set[tuple[str, str]]:
    """Stated prerequisites by label: what comes first, what needs it."""
    notes = parts(texts)
    concepts = find_concepts(notes)
    found = stated_prerequisites(concepts, mentions_of(concepts, notes), notes)
    return {(concepts[p].label, concepts[c].label) for p, c in found}


LINKS = [
    "[[03-lasso]]", "[[notes/03-lasso|the lasso]]", "[[03-lasso#Why]]", "[[03-lasso#^a1b2]]",
    "[[03-lasso^a1b2]]",
    "[[03-Lasso.md|it]]", "[[notes/03-lasso#Why|it]]", "![[03-lasso]]",
]  # fmt: skip


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize(
    "about",
    [
        LASSO,
        "---\ntitle: Lasso\n---\nShrinks.\n",
        "---\ntitle: Lasso\n---\n# Overview\n\nShrinks.\n",
        "---\naliases: [L1 penalty]\n---\n# The Lasso\n\nShrinks.\n",
        "Shrinks weights.\n",
    ],
)
@pytest.mark.parametrize("folder", ["", "notes/", "course/notes/"])
def test_a_link_by_file_name_leads_to_what_the_note_is_about(
    link: str, about: str, folder: str
) -> None:
    """By its heading, its front matter or its file's name without the number.

    The file's name is no concept.
    """
    needs = f"# Ridge\n\n## Prerequisites\n\n- {link}\n"
    texts = {f"{folder}03-lasso.md": about, f"{folder}04-ridge.md": needs}
    assert {label.casefold() for label in labels(texts)} == {"lasso", "ridge"}
    assert {(p.casefold(), c) for p, c in stated(texts)} == {("lasso", "Ridge")}
    assert [label.casefold() for label, _ in mentioned(texts, f"{folder}04-ridge.md")] == ["lasso"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It needs [[03-on-dents]].", ["03-on-dents"]),
        (
            "It needs [[maths/03-on-dents|convexity]] and convexity.",
            ["maths/03-on-dents", "convexity"],
        ),
        ("See [[03-on-dents#Why|dents]] twice: [[03-on-dents]].", ["03-on-dents", "03-on-dents"]),
        ("| a | b |\n| - | - |\n| [[03-on-dents\\|it]] | x |\n", ["03-on-dents"]),
    ],
)
def test_a_link_is_one_mention_at_its_path(text: str, words: list[str]) -> None:
    """Also where no word of it names the concept; words outside of it count as ever."""
    texts = {"03-on-dents.md": "# Convexity\n\nNo dents.\n", "lasso.md": f"# Lasso\n\n{text}\n"}
    assert mentioned(texts, "lasso.md") == [("Convexity", w) for w in words]


def test_a_path_is_no_text() -> None:
    """A concept that only the path spells is not meant; one in the words shown is named by them."""
    texts = {
        "ridge/03-ridge-and-more.md": LASSO,
        "ridge.md": RIDGE,
        "a.md": "# Weights\n\nSee [[ridge/03-ridge-and-more|more than ridge]].\n",
    }
    assert mentioned(texts, "a.md") == [("Lasso", "ridge/03-ridge-and-more"), ("Ridge", "ridge")]


@pytest.mark.parametrize("line", ["prerequisites: ['[[01-basics]]']", "prerequisites: [01-basics]"])
def test_of_equal_file_names_the_one_beside_the_note_is_meant(line: str) -> None:
    """In front matter, in the text, and for mentions."""
    texts = {
        "stats/01-basics.md": "# Variance\n\nSpread.\n",
        "ml/01-basics.md": "# Tensor\n\nNumbers.\n",
        "ml/02-lasso.md": f"---\n{line}\n---\n# Lasso\n\nAs in [[01-basics]].\n",
        "stats/02-anova.md": "# ANOVA\n\nNeeds: [[01-basics]]\n",
    }
    assert labels(texts) == {"Variance", "Tensor", "Lasso", "ANOVA"}
    assert stated(texts) == {("Tensor", "Lasso"), ("Variance", "ANOVA")}
    assert mentioned(texts, "ml/02-lasso.md") == [("Tensor", "01-basics")]


def test_a_note_beside_goes_before_a_name_that_is_explained_elsewhere() -> None:
    """As a click in Obsidian does.

    A note that has a section of its own file's name is meant for that.
    """
    texts = {
        "a/shrinking.md": LASSO,
        "a/x.md": "# Weights\n\nNeeds: [[shrinking]]\n",
        "b/other.md": "# Other\n\n## Shrinking\n\nOf wool.\n",
        "calculus.md": "# Lecture 1 of many\n\n## Calculus\n\nOf change.\n",
        "c.md": "# Slope\n\nNeeds: [[calculus]]\n",
    }
    assert stated(texts) == {("Lasso", "Weights"), ("Calculus", "Slope")}


def test_a_note_that_names_nothing_itself_is_called_as_its_file() -> None:
    """And by its aliases, which make it one with what is called so elsewhere."""
    note = "# Overview\n\nWords.\n"
    texts = {"03-lasso.md": note, "a.md": "# Weights\n\nNeeds: [[03-lasso]]\n", "b.md": RIDGE}
    assert labels(texts) == {"lasso", "Weights", "Ridge"} and stated(texts) == {
        ("lasso", "Weights")
    }
    texts["03-lasso.md"] = f"---\naliases: [Dents, Ridge]\n---\n{note}"
    assert labels(texts) == {"Ridge", "Weights"}


@pytest.mark.parametrize(
    ("link", "label"),
    [
        ("[[Momentum]]", "Momentum"), ("[[sub/Momentum#Nesterov|it]]", "Momentum"),
        ("[[05-momentum]]", "05-momentum"),
        ("[[Weight decay|03-lasso]]", "Weight decay"), ("[[papers/05-net]]", "05-net"),
        ("[[x^2]]", "x^2"),
    ],
)  # fmt: skip
def test_a_link_to_no_note_names_a_concept_by_its_words(link: str, label: str) -> None:
    """As before: without a passage, called as the target is, wherever that would stand."""
    texts = {"03-lasso.md": f"# Lasso\n\nNeeds: {link}\n", "notes/04-ridge.md": RIDGE}
    assert labels(texts) == {"Lasso", "Ridge", label}
    assert stated(texts) == {(label, "Lasso")}


def test_a_link_to_a_section_of_its_own_note_leads_to_no_other() -> None:
    """Though a note is called like the section."""
    texts = {"shrinkage.md": LASSO, "b.md": "# Ridge\n\nSee [[#shrinkage]].\n"}
    assert mentioned(texts, "b.md") == [("shrinkage", "shrinkage")]


def test_ignored_and_renamed_concepts_are_followed(tmp_path: Path) -> None:
    """A link goes where its note's concept has gone, and brings back none taken away."""
    texts = {
        "03-lasso.md": LASSO,
        "04-ridge.md": RIDGE,
        "05-net.md": "# Elastic net\n\nNeeds: [[03-lasso]], [[04-ridge]]\n",
        "gradus.toml": 'rename = [["Lasso", "L1 penalty"]]\nignore = ["Ridge"]\n',
    }
    ingest([write_notes(tmp_path / "notes", texts)], tmp_path / "store")
    with closing(open_store(tmp_path / "store")) as store:
        edges = {
            (store.concepts[p].label, store.concepts[c].label) for p, c in store.prerequisites.edges
        }
    assert {c.label for c in store.concepts} == {"L1 penalty", "Elastic net"}
    assert edges == {("L1 penalty", "Elastic net")}


VAULT = {
    "course/01-basics.md": "# Tensor\n\nA block of numbers. More in [[03-lasso|shrinking]].\n",
    "course/03-lasso.md": "---\nprerequisites: ['[[01-basics]]']\n---\n# Lasso\n\nShrinks. See "
    "[[stats/01-basics]].\n",
    "stats/01-basics.md": "# Variance\n\nThe spread of [[Sampling|samples]].\n",
    "stats/02-anova.md": "# ANOVA\n\n## Prerequisites\n\n- [[01-basics#Why]]\n- "
    "[[course/03-lasso]]\n",
}


@pytest.mark.parametrize("turn", [1, -1])
def test_the_order_of_ingest_changes_nothing(tmp_path: Path, turn: int) -> None:
    """Notes one at a time, first to last or last to first, give what all at once give."""
    ingest([write_notes(tmp_path / "notes", VAULT)], tmp_path / "whole")
    for name in list(VAULT)[::turn]:
        ingest([write_notes(tmp_path / "slowly", {name: VAULT[name]})], tmp_path / "single")
    with (
        closing(open_store(tmp_path / "whole")) as whole,
        closing(open_store(tmp_path / "single")) as single,
    ):
        assert whole.concepts == single.concepts and whole.mentions == single.mentions
        assert set(whole.prerequisites.edges) == set(single.prerequisites.edges)
    assert {c.label for c in whole.concepts} == {"Tensor", "Lasso", "Variance", "ANOVA", "Sampling"}
    edges = {
        (whole.concepts[p].label, whole.concepts[c].label) for p, c in whole.prerequisites.edges
    }
    assert {("Tensor", "Lasso"), ("Variance", "ANOVA"), ("Lasso", "ANOVA")} <= edges
    counted = Counter(whole.concepts[m.concept].label for m in whole.mentions if m.alias == "Lasso")
    assert counted["Lasso"] >= 2
