"""The starter notes as a text: links lead somewhere, definitions define, order exists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import networkx as nx
from markdown_it import MarkdownIt

import ingest

NOTES = sorted((Path(ingest.__file__).parent / "starter").glob("*.md"))
WIKILINK = re.compile(r"\[\[([^\]|#]+)(?:\|[^\]]*)?\]\]")
WORD = re.compile(r"[^\W_]+")
FEWEST_CONCEPTS = 60
SHORTEST, LONGEST = 70, 280  # words of text in a concept, without its code


@dataclass(frozen=True, slots=True)
class Section:
    """One `##` section: its names as the heading gives them and its text without code."""

    note: str
    names: tuple[str, ...]
    prose: str

    @property
    def label(self) -> str:
        return self.names[0]


def prose_lines(text: str) -> list[str]:
    """The lines of a note, those of its code blocks emptied."""
    lines = text.split("\n")
    for token in MarkdownIt().parse(text):
        if token.type == "fence" and token.map:
            first, end = token.map
            lines[first:end] = [""] * (end - first)
    return lines


def sections(note: Path) -> list[Section]:
    """The concepts of a note, in reading order."""
    lines = prose_lines(note.read_text(encoding="utf-8"))
    starts = [i for i, line in enumerate(lines) if line.startswith("## ")]
    found = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        names = tuple(name.strip() for name in lines[start].removeprefix("## ").split(" | "))
        found.append(Section(note.name, names, "\n".join(lines[start + 1 : end]).strip()))
    return found


SECTIONS = [section for note in NOTES for section in sections(note)]
HOME = {name.casefold(): i for i, section in enumerate(SECTIONS) for name in section.names}


def needs(section: Section) -> list[str]:
    """Link targets of the section's "Needs:" line."""
    return [
        link
        for line in section.prose.splitlines()
        if line.startswith("Needs:")
        for link in WIKILINK.findall(line)
    ]


def test_there_are_at_least_sixty_concepts() -> None:
    """The notes cover the ground that a first start is promised."""
    assert len(SECTIONS) >= FEWEST_CONCEPTS


def test_every_note_has_one_title_and_only_concepts_below_it() -> None:
    """One `#` for the theme, `##` for concepts, nothing deeper."""
    for note in NOTES:
        tags = [
            t.tag
            for t in MarkdownIt().parse(note.read_text(encoding="utf-8"))
            if t.type == "heading_open"
        ]
        assert tags[0] == "h1", note.name
        assert set(tags[1:]) == {"h2"}, note.name


def test_no_two_headings_share_a_name() -> None:
    """A label or alias names exactly one concept, whatever its case."""
    names = [name.casefold() for section in SECTIONS for name in section.names]
    assert sorted(names) == sorted(set(names))


def test_every_wikilink_leads_to_a_concept() -> None:
    """Whoever follows a link, also above the first concept, arrives at a heading."""
    text = {note.name: "\n".join(prose_lines(note.read_text(encoding="utf-8"))) for note in NOTES}
    links = [(name, link) for name, prose in text.items() for link in WIKILINK.findall(prose)]
    assert len(links) > FEWEST_CONCEPTS
    assert not [found for found in links if found[1].casefold() not in HOME]


def test_no_concept_links_to_itself() -> None:
    """A link leads away from where it stands."""
    for i, section in enumerate(SECTIONS):
        assert i not in {HOME[link.casefold()] for link in WIKILINK.findall(section.prose)}, (
            section.label
        )


def test_the_first_sentence_names_its_concept() -> None:
    """The first sentence, its summary, says a word of its label and what it is."""
    for section in SECTIONS:
        first = re.split(r"(?<=[.:])\s", section.prose, maxsplit=1)[0]
        said = {word.casefold() for word in WORD.findall(first)}
        assert said & {word.casefold() for word in WORD.findall(section.label)}, (
            section.label,
            first,
        )
        assert said & {"is", "are"}, (section.label, first)


def test_needs_have_no_cycle_and_hold_the_notes_together() -> None:
    """What must be known first can be put into an order, and most concepts rest on another."""
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(SECTIONS)))
    graph.add_edges_from(
        (HOME[link.casefold()], i) for i, section in enumerate(SECTIONS) for link in needs(section)
    )
    assert nx.is_directed_acyclic_graph(graph), nx.find_cycle(graph)
    assert not list(nx.isolates(graph)), [SECTIONS[i].label for i in nx.isolates(graph)]
    assert graph.number_of_edges() > len(SECTIONS)


def test_what_a_concept_needs_was_explained_before() -> None:
    """Read from the first line to the last, the notes never lean on what comes later."""
    early = [
        (s.label, link)
        for i, s in enumerate(SECTIONS)
        for link in needs(s)
        if HOME[link.casefold()] >= i
    ]
    assert not early


def test_concepts_are_short_enough_to_read_and_long_enough_to_help() -> None:
    """Each concept is one sitting's read."""
    sizes = {section.label: len(section.prose.split()) for section in SECTIONS}
    assert not {label: n for label, n in sizes.items() if not SHORTEST <= n <= LONGEST}


def test_formulas_are_closed() -> None:
    """Dollar signs pair up in every paragraph, so no formula swallows text."""
    for section in SECTIONS:
        for paragraph in re.split(r"\n\s*\n", section.prose):
            assert paragraph.count("$") % 2 == 0, (section.label, paragraph)
