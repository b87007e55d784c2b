"""One Markdown text taken apart: headings, blocks, marked terms, with their spans.

markdown-it works on lines of a normalised copy; every offset here is computed on the original text
instead, from the line numbers it reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Literal

from markdown_it.token import Token

from ingest.notes.dialect import parser
from ingest.notes.dialect_lines import read_lines
from ingest.notes.front_matter import FrontMatter, read_front_matter
from ingest.notes.lines import Source, line_spans
from ingest.notes.marked_terms import marked_terms
from ingest.notes.parsed import Block, Heading, ParsedNote
from ingest.notes.plain_text import inline_text, plain
from ingest.notes.properties import page_properties

__all__ = ["open_headings", "parse_markdown", "plain"]

_Kind = Literal["paragraph", "item", "table", "code", "math", "html", "output"]
_KINDS: dict[str, _Kind] = {
    "paragraph_open": "paragraph",
    "blockquote_open": "paragraph",
    "table_open": "table",
    "fence": "code",
    "code_block": "code",
    "math_block": "math",
    "html_block": "html",
    "hr": "html",  # a rule holds no words; it counts as markup
}


def parse_markdown(
    text: str, cell: int | None = None, above: Sequence[Heading] = (), first_group: int = 0
) -> ParsedNote:
    """Take one Markdown text apart.

    Parameters
    ----------
    text : str
        The note as stored, byte order mark and any line endings included; or the source of a
        notebook's cell.
    cell : int, optional
        0-based index of the notebook's cell; front matter is read only outside notebooks.
    above : sequence of Heading
        Headings of earlier cells that still hold, outermost first, as `open_headings` gives them.
    first_group : int
        Number of the first list, so that lists of several cells stay apart.

    Raises
    ------
    UnreadableNote
        The front matter has no sane size; carries its line.
    """
    front = read_front_matter(text) if cell is None else FrontMatter()
    spans = line_spans(text)
    # blank lines in place of the front matter keep markdown-it's line numbers the note's own
    lines = [
        text[start:end].replace("\0", "\ufffd") if at >= front.line_count else ""
        for at, (start, end) in enumerate(spans)
    ]
    said, said_at = page_properties(lines, front.line_count) if cell is None else ({}, {})
    body = max(front.line_count, *said_at.values(), 0)
    read = read_lines(lines)
    source = Source(text, spans, cell, ["" if x.role == "box" else x.text for x in read])
    tokens = parser().parse("\n".join(source.read))
    headings = _headings(source, tokens, tuple(above))
    blocks = _blocks(source, tokens, body, headings, first_group)
    starts = [(heading.start, heading.path) for heading in headings]
    path = above[-1].path if above else ()
    return ParsedNote(
        texts=(text,),
        headings=headings,
        blocks=tuple(_under_headings(blocks, starts, path)),
        marked=tuple(
            sorted(marked_terms(source, tokens), key=lambda term: (term.start, -term.end))
        ),
        front_matter={**said, **front.values},
        front_matter_lines={**said_at, **front.lines},
        left_out=front.left_out,
    )


def open_headings(
    headings: Sequence[Heading], above: Sequence[Heading] = ()
) -> tuple[Heading, ...]:
    """Headings that still hold after all of these, outermost first; `above` held before them."""
    held = list(above)
    for heading in headings:
        while held and held[-1].level >= heading.level:
            held.pop()
        held.append(heading)
    return tuple(held)


def _headings(
    source: Source, tokens: Sequence[Token], above: tuple[Heading, ...]
) -> tuple[Heading, ...]:
    """Headings at the top level of the text; one in a list or a quote is part of that."""
    headings = []
    held = above
    for token, following in pairwise(tokens):
        if token.type != "heading_open" or token.level != 0 or token.map is None:
            continue
        level = int(token.tag[1:])
        children = following.children or []
        words = inline_text(children, pictures=False) or inline_text(children)
        outer = tuple(heading for heading in held if heading.level < level)
        path = outer[-1].path if outer else ()
        start, end = source.span(token.map[0], token.map[1] - 1)
        # an empty heading closes what is open but names nothing
        heading = Heading(
            level,
            words,
            (*path, words) if words else path,
            source.cell,
            start,
            end,
            token.map[0] + 1,
        )
        headings.append(heading)
        held = open_headings((heading,), held)
    return tuple(headings)


def _blocks(
    source: Source,
    tokens: Sequence[Token],
    body: int,
    headings: Sequence[Heading],
    first_group: int,
) -> list[Block]:
    """Every block from line `body` (0-based) on, in order.

    Lines that gave no token are paragraphs.
    """
    blocks = _with_loose_items(source, list(_token_blocks(source, tokens, first_group)))
    covered = [False] * len(source.lines)
    for block in blocks:
        covered[block.line_start - 1 : block.line_end] = [True] * (
            block.line_end - block.line_start + 1
        )
    for token in tokens:
        if token.type == "heading_open" and token.level == 0 and token.map is not None:
            covered[token.map[0] : token.map[1]] = [True] * (token.map[1] - token.map[0])
    left = [at for at in range(body, len(covered)) if not covered[at] and source.words(at)]
    # Link definitions, which markdown-it takes in without a token, and lines of which nothing is
    # read: markup, as the titles of boxes are.
    for unread, lines in groupby(left, source.blank):
        for first, after in _runs(list(lines)):
            blocks.append(_block(source, "html" if unread else "paragraph", first, after))
    return sorted(blocks, key=lambda block: block.start)


def _runs(lines: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Half-open ranges of lines that follow each other."""
    for _, run in groupby(enumerate(lines), lambda numbered: numbered[1] - numbered[0]):
        whole = [line for _, line in run]
        yield whole[0], whole[-1] + 1


def _token_blocks(source: Source, tokens: Sequence[Token], group: int) -> Iterator[Block]:
    """Blocks of top-level tokens; of a list, its items."""
    group -= 1
    for token in tokens:
        if token.map is None:
            continue
        if token.level == 0 and token.type in ("bullet_list_open", "ordered_list_open"):
            group += 1
        elif token.level == 1 and token.type == "list_item_open":
            yield _block(source, "item", token.map[0], token.map[1], group=group)
        elif token.level == 0 and token.type in _KINDS:
            words = token.info.split() if token.type == "fence" else []
            language = words[0].strip("{}.").lower() if words else ""
            whole = token.type == "code_block"  # its indentation is what makes it code
            first, after = token.map
            yield _block(
                source, _KINDS[token.type], first, after, language=language, whole_line=whole
            )


def _block(
    source: Source,
    kind: _Kind,
    first: int,
    after: int,
    language: str = "",
    group: int = -1,
    whole_line: bool = False,
) -> Block:
    """The block of lines `first` to `after` (0-based, half-open), without blank last lines."""
    # what is not read after an item or a paragraph is no part of it
    while after > first + 1 and (
        not source.words(after - 1) or (kind != "html" and source.blank(after - 1))
    ):
        after -= 1
    start, end = source.span(first, after - 1, whole_line)
    return Block(kind, (), source.cell, start, end, first + 1, after, language, group)


def _with_loose_items(source: Source, blocks: list[Block]) -> list[Block]:
    """Join items indented below an item, but too little for CommonMark, to that item.

    Many write `1. first` and below it `  - detail`, which CommonMark reads as the start of a second
    list, and the `2. second` after it as a third.
    """
    joined: list[Block] = []
    taken = -1  # the list whose items are being joined
    same: dict[int, int] = {}  # list -> the earlier list that it continues
    for block in blocks:
        block = replace(block, group=same.get(block.group, block.group))
        before = joined[-1] if joined else None
        if (
            before is None
            or before.kind != "item"
            or block.kind != "item"
            or block.group == before.group
        ):
            joined.append(block)
            continue
        deeper = source.indent(block.line_start - 1) - source.indent(before.line_start - 1)
        adjacent = block.line_start == before.line_end + 1
        if deeper > 0 and (adjacent or block.group == taken):
            taken = block.group
            joined[-1] = replace(before, end=block.end, line_end=block.line_end)
        elif deeper == 0 and adjacent and taken > before.group and _numbered(source, before, block):
            same[block.group] = before.group
            joined.append(replace(block, group=before.group))
        else:
            joined.append(block)
    return joined


def _numbered(source: Source, *blocks: Block) -> bool:
    return all(source.text[block.start].isdecimal() for block in blocks)


def _under_headings(
    blocks: Iterable[Block], starts: Sequence[tuple[int, tuple[str, ...]]], path: tuple[str, ...]
) -> Iterator[Block]:
    """The blocks with the path of the heading each stands under."""
    at = 0
    for block in blocks:
        while at < len(starts) and starts[at][0] < block.start:
            path = starts[at][1]
            at += 1
        yield replace(block, heading_path=path)
