"""A Jupyter notebook taken apart: texts of cells, headings, code, text outputs."""

from __future__ import annotations

import json
import logging
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import nbformat

from ingest.notes.front_matter import FrontMatter, read_front_matter
from ingest.notes.lines import line_of, line_spans
from ingest.notes.markdown import open_headings, parse_markdown
from ingest.notes.parsed import Block, Heading, LeftOut, Marked, ParsedNote, storable
from kg.errors import UnreadableNote

__all__ = ["OUTPUT_LIMIT", "NotebookCell", "parse_notebook", "read_cells"]

OUTPUT_LIMIT = 2000  # characters of one cell's outputs that are kept; what follows is mostly logs
_CUT = "\n…"
MAX_DIGITS = 100

_TERMINAL_CODE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0e-\x1f]"
)
_OVERWRITTEN = re.compile(r"^[^\n]*\r(?!\n)", re.M)
_OBJECT = re.compile(r"\[?(?:<[A-Za-z_][^<>\n]*>[,\s]*)+\]?")
_MAGIC = re.compile(r"\s*%%(bash|sh|html|javascript|js|latex|markdown|perl|ruby|sql|R)\b")


@dataclass(frozen=True, slots=True)
class NotebookCell:
    """A cell as it stands in its file; `outputs` by media type, as far as they have any."""

    kind: Literal["markdown", "code", "raw"]
    source: str
    language: str  # of its code, lower case
    outputs: tuple[Mapping[str, Any], ...]


def read_cells(text: str) -> tuple[NotebookCell, ...]:
    """The cells of a notebook, of any version nbformat reads, with what they show besides text.

    Raises
    ------
    UnreadableNote
        The text is not JSON, or JSON that is no notebook.
    """
    notebook = _load(text)
    language = _language(notebook.get("metadata", {}))
    return tuple(_as_it_stands(cell, language) for cell in notebook["cells"])


def _as_it_stands(cell: Mapping[str, Any], language: str) -> NotebookCell:
    source = _joined(cell.get("source"))
    magic = _MAGIC.match(source)
    kind = cell.get("cell_type")
    outputs = cell.get("outputs")
    left = outputs if isinstance(outputs, list) else []
    shown = [output.get("data") for output in left if isinstance(output, Mapping)]
    return NotebookCell(
        kind if kind in ("markdown", "code") else "raw",
        source,
        magic.group(1).lower() if magic else language,
        tuple(data for data in shown if isinstance(data, Mapping)),
    )


def parse_notebook(text: str) -> ParsedNote:
    """Take a notebook apart, of any version nbformat reads.

    A cell's text is its source; for a code cell with text outputs an empty line and those follow.
    Raw cells keep their place in `texts` and give no blocks. The first cell, raw or Markdown, may
    begin with front matter; its lines count within the cell.

    Raises
    ------
    UnreadableNote
        The text is not JSON, or JSON that is no notebook; carries the line. Or the front matter has
        no sane size.
    """
    notebook = _load(text)
    language = _language(notebook.get("metadata", {}))
    texts: list[str] = []
    headings: list[Heading] = []
    blocks: list[Block] = []
    marked: list[Marked] = []
    held: tuple[Heading, ...] = ()
    groups = 0  # lists so far
    front = _front_matter(notebook["cells"])
    for at, cell in enumerate(notebook["cells"]):
        source = _joined(cell.get("source"))
        outputs = ""
        if cell.get("cell_type") == "markdown":
            parsed = parse_markdown(
                source if at else _without_lines(source, front.line_count), at, held, groups
            )
            held = open_headings(parsed.headings, held)
            headings += parsed.headings
            blocks += parsed.blocks
            groups = max(groups, 1 + max((block.group for block in parsed.blocks), default=-1))
            marked += parsed.marked
        elif cell.get("cell_type") == "code":
            outputs = _outputs_text(cell.get("outputs"))
            magic = _MAGIC.match(source)
            path = held[-1].path if held else ()
            blocks += _code_blocks(
                source, outputs, at, path, magic.group(1).lower() if magic else language
            )
        texts.append(f"{source}\n\n{outputs}" if outputs else source)
    return ParsedNote(
        tuple(texts),
        tuple(headings),
        tuple(blocks),
        tuple(marked),
        front.values,
        front.lines,
        tuple(LeftOut(1, _in_first_cell(part.why, part.line)) for part in front.left_out),
    )


def _front_matter(cells: Sequence[Mapping[str, Any]]) -> FrontMatter:
    """What the first cell, raw or Markdown, says before its text."""
    if not cells or cells[0].get("cell_type") not in ("raw", "markdown"):
        return FrontMatter()
    try:
        return read_front_matter(_joined(cells[0].get("source")))
    except UnreadableNote as error:
        raise UnreadableNote(_in_first_cell(str(error), error.line)) from error


def _in_first_cell(why: str, line: int) -> str:
    return f"{why} (line {line} of the first cell)"


def _without_lines(source: str, count: int) -> str:
    """The source with blanks in place of its first lines, so that offsets stay."""
    if not count:
        return source
    end = line_spans(source)[count - 1][1]
    return re.sub(r"[^\r\n]", " ", source[:end]) + source[end:]


def _load(text: str) -> Mapping[str, Any]:
    """The notebook as version 4, not validated: an odd key is no reason to refuse it."""
    try:
        raw = json.loads(text.removeprefix("\ufeff"), parse_int=_number)
    except json.JSONDecodeError as error:
        raise UnreadableNote(
            f"the notebook is not valid JSON: {error.msg}", error.lineno
        ) from error
    except RecursionError as error:
        raise UnreadableNote("the notebook's JSON is nested too deeply") from error
    version = raw.get("nbformat") if isinstance(raw, dict) else None
    if (
        not isinstance(version, int)
        or isinstance(version, bool)
        or version not in nbformat.versions
    ):
        given = (
            f"format version {version!r}"
            if version is not None
            else "JSON without a format version"
        )
        raise UnreadableNote(f"not a Jupyter notebook: found {given}, expected 'nbformat' 1 to 4")
    try:
        notebook = _as_version_4(raw, version)
        cells = notebook["cells"]
        if not isinstance(cells, list) or not all(isinstance(cell, Mapping) for cell in cells):
            raise UnreadableNote("not a Jupyter notebook: expected a list of cells")
    except UnreadableNote:
        raise
    except Exception as error:  # nbformat trips over old versions in any way
        raise UnreadableNote(f"not a readable Jupyter notebook: {str(error)[:200]}") from error
    return notebook


def _number(digits: str) -> float:
    """An integer; one beyond all measure, which Python refuses to read, as a float."""
    return int(digits) if len(digits) <= MAX_DIGITS else float(digits)


def _as_version_4(raw: dict[str, Any], version: int) -> Mapping[str, Any]:
    """Version 4 as it stands.

    Older ones converted by nbformat, whose complaints about them are kept quiet.
    """
    if version == 4:
        return raw
    log = logging.getLogger("traitlets")
    disabled, log.disabled = log.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            notebook = nbformat.versions[version].to_notebook_json(
                raw, minor=raw.get("nbformat_minor", 0)
            )
            converted: Mapping[str, Any] = nbformat.convert(notebook, 4)
    finally:
        log.disabled = disabled
    return converted


def _language(metadata: object) -> str:
    """Language of the code cells, lower case; Python where the notebook does not say."""
    if not isinstance(metadata, Mapping):
        return "python"
    for key, field in (("language_info", "name"), ("kernelspec", "language")):
        entry = metadata.get(key)
        if isinstance(entry, Mapping) and isinstance(entry.get(field), str) and entry[field]:
            return storable(str(entry[field])).lower()
    return "python"


def _joined(source: object) -> str:
    """Text that the format stores as one string or as a list of lines."""
    if isinstance(source, list):
        return storable("".join(line for line in source if isinstance(line, str)))
    return storable(source) if isinstance(source, str) else ""


def _code_blocks(
    source: str, outputs: str, cell: int, path: tuple[str, ...], language: str
) -> list[Block]:
    blocks = []
    if source.strip():
        # whole lines: the first line's indentation is part of the code
        start = len(source) - len(source.lstrip())
        start = max(source.rfind("\n", 0, start), source.rfind("\r", 0, start)) + 1
        end = len(source.rstrip())
        spans = line_spans(source)
        first, last = line_of(spans, start), line_of(spans, end - 1)
        blocks.append(Block("code", path, cell, start, end, first, last, language))
    if outputs:
        start = len(source) + 2
        end = start + len(outputs)
        spans = line_spans(f"{source}\n\n{outputs}")
        blocks.append(
            Block("output", path, cell, start, end, line_of(spans, start), line_of(spans, end - 1))
        )
    return blocks


def _outputs_text(outputs: object) -> str:
    """Words of a cell's outputs, without trailing blanks; "" when it has none."""
    if not isinstance(outputs, list):
        return ""
    texts = (_output_text(output) for output in outputs if isinstance(output, Mapping))
    text = "\n".join(text for text in texts if text)
    return text if len(text) <= OUTPUT_LIMIT else text[: OUTPUT_LIMIT - len(_CUT)].rstrip() + _CUT


def _output_text(output: Mapping[str, Any]) -> str:
    kind = output.get("output_type")
    if kind == "stream":
        text = _joined(output.get("text"))
    elif kind == "error":
        text = ": ".join(_joined(output.get(key)) for key in ("ename", "evalue") if output.get(key))
    else:
        shown = output.get("data")
        text = _joined(shown.get("text/plain")) if isinstance(shown, Mapping) else ""
        if _OBJECT.fullmatch(text.strip()):
            text = ""
    text = _OVERWRITTEN.sub("", _TERMINAL_CODE.sub("", text.replace("\r\n", "\n").rstrip()))
    return text.strip("\n").rstrip()
