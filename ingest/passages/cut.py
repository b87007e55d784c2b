"""Cut a parsed note into passages: contiguous slices of one section that read well alone.

Within a section the cuts are chosen together, by dynamic programming: passages well filled up to
`TARGET`, cut where a reader would pause. Blocks that alone are longer than `SPLIT_OVER` are broken
up first (see `ingest.passages.split`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.notes.dialect_lines import blanked
from ingest.notes.lines import line_of, line_spans
from ingest.notes.parsed import Block, Heading, ParsedNote
from ingest.passages.split import pieces
from ingest.passages.statements import statements_in
from kg.types import Passage, PassageKind

__all__ = ["SPLIT_OVER", "TARGET", "cut"]

# Characters: about 256 word pieces, all that the default encoder (MiniLM) reads of a passage.
TARGET = 1200
SPLIT_OVER = 2 * TARGET  # a code block, table, formula or item up to here stays whole
# A shorter heading and opening sentence stay with one block that is too long by itself.
_LEAD_IN = TARGET // 4

# Costs of a cut before a unit, in the measure of an empty passage: ((TARGET - 0) / TARGET)² = 1
_CUT_INTRODUCED = 3.0  # from the sentence that announces it
_CUT_AFTER_TEXT = (
    1.0  # code, table, formula or picture from the text before it, output from its code
)
_CUT_IN_LIST = 0.3  # between items of one list; between paragraphs nothing
_NOTHING = frozenset({"", "-", "*", "+"})  # a line of a section with nothing to read
_INDENTED = 4  # columns; CommonMark would read code
_KINDS: dict[str, PassageKind] = {
    "code": "code",
    "item": "list",
    "table": "table",
    "output": "output",
}


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is never cut: a block, or a piece of one that is too long."""

    start: int
    end: int
    block: Block
    cost: float  # of a cut before it


@dataclass(frozen=True, slots=True)
class _Section:
    """The blocks below one heading in one cell; `start` is where the first passage begins."""

    path: tuple[str, ...]
    cell: int | None
    start: int
    end: int
    blocks: tuple[Block, ...]


def cut(parsed: ParsedNote, note: str, first_id: int = 0) -> tuple[Passage, ...]:
    """Cut a note into passages, in reading order.

    Parameters
    ----------
    parsed : ParsedNote
        The note, taken apart.
    note : str
        Its name, which every passage carries.
    first_id : int
        Id of the first passage; the others count up from it.

    Returns
    -------
    tuple of Passage
        Every block lies in exactly one passage, except a block that had to be split. The first
        passage of a section begins at its heading; a heading without body and without deeper
        headings is a passage by itself. A code cell with its output is `code`. At most `TARGET`
        characters, unless a single block, or a short lead-in with it, is longer.
    """
    passages: list[Passage] = []
    lines: dict[int | None, list[tuple[int, int]]] = {}
    for section in _sections(parsed):
        text = parsed.text_of(section.cell)
        if section.cell not in lines:
            lines[section.cell] = line_spans(text)
        spans = lines[section.cell]
        for start, end, kind in _slices(section, text):
            passages.append(
                Passage(
                    id=first_id + len(passages),
                    note=note,
                    cell=section.cell,
                    start=start,
                    end=end,
                    line_start=line_of(spans, start),
                    line_end=line_of(spans, end - 1),
                    heading_path=section.path,
                    text=text[start:end],
                    kind=kind,
                    statements=statements_in(text[start:end], section.cell, kind),
                )
            )
    return tuple(passages)


def _sections(parsed: ParsedNote) -> Iterator[_Section]:
    """Sections in reading order.

    A heading whose body starts in a later cell, or that only has deeper ones, is none.
    """
    marks: list[Heading | Block] = sorted(
        [*parsed.headings, *parsed.blocks], key=lambda mark: (mark.cell or 0, mark.start)
    )
    at = 0
    while at < len(marks):
        mark = marks[at]
        heading = mark if isinstance(mark, Heading) else None
        at += 1 if heading else 0
        blocks = []
        while at < len(marks) and isinstance(block := marks[at], Block) and block.cell == mark.cell:
            blocks.append(block)
            at += 1
        if heading and not blocks:
            following = marks[at] if at < len(marks) else None
            if isinstance(following, Block) or (
                following is not None and following.level > heading.level
            ):
                continue
        path = heading.path if heading else blocks[0].heading_path
        end = blocks[-1].end if blocks else mark.end
        yield _Section(path, mark.cell, mark.start, end, tuple(blocks))


def _slices(section: _Section, text: str) -> Iterator[tuple[int, int, PassageKind]]:
    """Start, end and kind of the section's passages."""
    said = blanked(text[section.start : section.end])
    if all(line.strip() in _NOTHING for line in said.splitlines()):
        return
    if not section.blocks:
        if section.end > section.start:
            yield section.start, section.end, "prose"
        return
    units = _units(section, text)
    firsts = _best_cuts(units, section.start)
    for first, after in zip(firsts, [*firsts[1:], len(units)], strict=True):
        start, end = section.start if first == 0 else units[first].start, units[after - 1].end
        yield (
            _with_indent(text, start, end),
            end,
            _kind([unit.block for unit in units[first:after]]),
        )


def _with_indent(text: str, start: int, end: int) -> int:
    """The start with the indent before it, where all of the slice stands in a box or an item.

    So what is cut from within one is known for it.
    """
    margin = start
    while margin > 0 and text[margin - 1] in " \t":
        margin -= 1
    lead = text[margin:start]
    if len(lead.expandtabs(4)) < _INDENTED or (margin > 0 and text[margin - 1] not in "\r\n"):
        return start
    lines = [line for line in text[start:end].splitlines()[1:] if line.strip()]
    return margin if all(line.startswith(lead) for line in lines) else start


def _kind(blocks: Sequence[Block]) -> PassageKind:
    kinds = {block.kind for block in blocks}
    if kinds == {"code", "output"}:
        return "code"
    return _KINDS.get(kinds.pop(), "prose") if len(kinds) == 1 else "prose"


def _units(section: _Section, text: str) -> list[_Unit]:
    """What may be cut apart in the section, with the cost of doing so."""
    units: list[_Unit] = []
    before: Block | None = None
    for block in section.blocks:
        cost = _cut_cost(before, block, text) if before else 0.0
        if block.end - block.start <= SPLIT_OVER:
            units.append(_Unit(block.start, block.end, block, cost))
        else:
            split = pieces(block, text)
            units += [
                _Unit(start, end, block, own if at else cost)
                for at, (start, end, own) in enumerate(split)
            ]
        before = block
    return units


def _cut_cost(before: Block, block: Block, text: str) -> float:
    """How much a reader would mind a cut between two blocks that follow each other."""
    announced = text[before.start : before.end].rstrip().endswith((":", "：", "-->"))
    if announced and before.kind in ("paragraph", "item"):
        return _CUT_INTRODUCED
    if before.kind == "item" and block.kind == "item":
        return _CUT_IN_LIST if before.group == block.group else 0.0
    if block.kind == "output":
        return _CUT_AFTER_TEXT
    picture = block.kind == "paragraph" and text.startswith(("![", "<img"), block.start)
    illustrates = picture or block.kind not in ("paragraph", "item")
    return _CUT_AFTER_TEXT if illustrates and before.kind in ("paragraph", "item") else 0.0


def _best_cuts(units: Sequence[_Unit], start: int) -> list[int]:
    """Index of each passage's first unit, for the cheapest division.

    On a tie, the longer earlier passages.

    Cost of a passage: ((TARGET - its characters) / TARGET)², plus that of the cut before it.
    """
    best = [0.0] + [float("inf")] * len(units)  # cost of dividing the first so many units
    first = [0] * (len(units) + 1)
    for after in range(1, len(units) + 1):
        for candidate in range(after - 1, -1, -1):
            begin = start if candidate == 0 else units[candidate].start
            length = units[after - 1].end - begin
            if (
                candidate < after - 1
                and length > TARGET
                and not _lead_in(units, candidate, after, begin)
            ):
                if units[after - 1].start - begin > TARGET:
                    break
                continue
            cost = best[candidate] + units[candidate].cost + (max(0, TARGET - length) / TARGET) ** 2
            if cost < best[after]:
                best[after], first[after] = cost, candidate
    cuts = []
    after = len(units)
    while after:
        after = first[after]
        cuts.append(after)
    return cuts[::-1]


def _lead_in(units: Sequence[_Unit], candidate: int, after: int, begin: int) -> bool:
    """Whether these units are a short opening and one long block that it announces."""
    last = units[after - 1]
    long = last.end - last.start > TARGET - _LEAD_IN
    return long and last.cost >= _CUT_AFTER_TEXT and units[after - 2].end - begin <= _LEAD_IN
