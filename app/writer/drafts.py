"""Take a written text apart into sentences with what they cite, and put the kept together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from app.wording import code_block
from ingest.notes.sentences import sentence_spans

__all__ = ["Sentence", "assembled", "readable", "sentences", "without_marks"]

_THOUGHT = re.compile(r"<(think|thinking|thought|reasoning)>.*?(?:</\1>|\Z)", re.S | re.I)
# Of a thought that was opened in the prompt's template.
_THOUGHT_END = re.compile(r"\A.*</(?:think|thinking|thought|reasoning)>", re.S | re.I)
_OPENING_TAG = re.compile(r"<[/a-z]{0,10}\Z", re.I)  # of a tag that is still being written
# C0 and C1 controls, marks of direction, zero-width and private-use characters, half surrogate
# pairs.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffd"
    "\ue000-\uf8ff\ud800-\udfff]"
)
_MARK = re.compile(
    r"\s*[\[【(]\s*(?:(?:passages?|notes?|sources?|refs?\.?)\s*|\^)?"
    r"(?P<ns>\d{1,2}(?:\s*(?:,|;|and|&|–|-)\s*\^?\d{1,2})*)"
    r"\s*(?:†[^\]】]*)?[\]】)]",
    re.I,
)
# "It falls. [1]" is "It falls [1]."
_LATE_MARK = re.compile(r"([.!?:])((?:\s*[\[【][^\[\]【】]{1,24}[\]】])+)")
_FENCE = re.compile(r"^\s*(```+|~~~+)\s*([\w+#-]*)")
_ITEM = re.compile(r"^\s*(?:[-*+•–]|(?P<number>\d{1,3})[.)])\s+")
# Also a heading that is echoed with those above it, "Training › Dropout".
_HEADING = re.compile(
    r"^\s*#{1,6}\s|^\s*\*\*[^*]+\*\*:?\s*$|^\s*(?:=+|-{3,}|\*{3,})\s*$|^[^.!?]*\s›\s[^.!?]*$"
)
_TABLE_RULE = re.compile(r"^\s*\|?[\s:|-]+\|?\s*$")
_IMAGE = re.compile(r"!\[[^\[\]]*\]\([^()]*\)")
_LINK = re.compile(r"\[([^\[\]]*)\]\([^()]*\)")
_TAG = re.compile(r"</?[a-z][^<>\n]*>|<!--.*?-->", re.I | re.S)
_MASKED = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$|`[^`\n]+`", re.S)
Kind = Literal["prose", "item", "code"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a written text, or a whole code block."""

    text: str  # without citation marks; code without its fence
    cited: tuple[int, ...]  # the numbers it cites, as written
    kind: Kind
    block: int  # sentences of one paragraph or list item share a number
    number: str = ""  # of a numbered list item
    language: str = ""

    @property
    def leads_in(self) -> bool:
        """Whether it only announces what follows."""
        return self.kind != "code" and not self.cited and self.text.rstrip("*_ ").endswith(":")


def readable(written: str) -> str:
    """What a reader may see of a text while it is written: no thinking, no markup of others."""
    text = _UNSEEN.sub("", written.replace("\r\n", "\n"))
    text = _THOUGHT.sub("", text)
    text = _THOUGHT_END.sub("", text)
    text = _OPENING_TAG.sub("", text)
    text = re.sub(r"\\\((.+?)\\\)", r"$\1$", text)
    text = re.sub(r"\\\[(.+?)\\\]", r"$$\1$$", text, flags=re.S)
    return text.strip()


def without_marks(text: str) -> str:
    """A text that is being written, without the numbers of passages its reader does not see."""
    return re.sub(r"\s*[\[【][\d\s,;†–-]*(?:[\]】]|\Z)", "", text)


def sentences(written: str, sources: int) -> list[Sentence]:
    """The sentences of a text, in order.

    Headings are left out, and so is any markup but emphasis, lists, formulas and code; a table row
    becomes a list item.

    Parameters
    ----------
    sources : int
        How many numbered passages there were; a mark with another number is no citation but text.

    >>> [(s.text, s.cited) for s in sentences("It falls. [1] Then it rises [2, 3].", 3)]
    [('It falls.', (1,)), ('Then it rises.', (2, 3))]
    """
    out: list[Sentence] = []
    for number, block in enumerate(_blocks(readable(written))):
        if block.kind == "code":
            out.append(Sentence(block.text, (), "code", number, language=block.language))
            continue
        text = _LATE_MARK.sub(
            lambda m: f"{m[2].rstrip()}{m[1]}" if _cited(m[2], sources)[1] else m[0], block.text
        )
        for start, end in sentence_spans(text):
            words, cited = _cited(text[start:end], sources)
            if re.search(r"\w", words) and not _HEADING.match(words):
                out.append(Sentence(words, cited, block.kind, number, block.number))
            elif cited and out and out[-1].block == number:
                out[-1] = replace(out[-1], cited=(*out[-1].cited, *cited))
    return out


def assembled(kept: Sequence[Sentence], marks: Mapping[int, Sequence[int]]) -> str:
    """Sentences as Markdown again.

    Parameters
    ----------
    marks : mapping
        Position of a sentence in `kept` to the numbers of its citations.
    """
    blocks: list[tuple[Kind, str]] = []
    last = -1
    for i, sentence in enumerate(kept):
        if sentence.kind == "code":
            code = code_block(sentence.text, sentence.language)
            blocks.append(("code", f"{code}\n\n{_marked(marks[i])}"))
        else:
            marked = f"{sentence.text} {_marked(marks[i])}"
            if sentence.block == last:
                blocks[-1] = (sentence.kind, f"{blocks[-1][1]} {marked}")
            else:
                lead = f"{sentence.number}. " if sentence.number else "- "
                blocks.append((sentence.kind, lead + marked if sentence.kind == "item" else marked))
        last = sentence.block
    text = ""
    for n, (kind, block) in enumerate(blocks):
        text += ("" if n == 0 else "\n" if kind == "item" == blocks[n - 1][0] else "\n\n") + block
    return text


@dataclass(frozen=True, slots=True)
class _Block:
    kind: Kind
    text: str
    number: str = ""  # of a numbered list item
    language: str = ""  # of code


def _blocks(text: str) -> Iterator[_Block]:
    """Each paragraph, list item, table row and code block."""
    prose: list[str] = []
    code: list[str] | None = None
    ticks = language = ""
    for line in text.split("\n"):
        fence = _FENCE.match(line)
        if code is not None:
            if line.strip().startswith(ticks):
                yield _Block("code", "\n".join(code), language=language)
                code = None
            else:
                code.append(line)
        elif fence:
            yield from _prose_blocks(prose)
            prose, code = [], []
            ticks, language = fence.groups()
        else:
            prose.append(line)
    yield from _prose_blocks(prose)
    # An unclosed fence was cut off; half a program is not shown.


def _prose_blocks(lines: Sequence[str]) -> Iterator[_Block]:
    pending: list[str] = []
    kind: Kind = "prose"
    number = ""
    for line in [*lines, ""]:
        item, rule = _ITEM.match(line), _TABLE_RULE.match(line)
        row = line.strip().startswith("|") or rule
        goes_on = line.strip() and not _HEADING.match(line)
        if pending and (item or row or not goes_on):
            yield _Block(kind, _plain_prose("\n".join(pending)), number)
            pending, kind, number = [], "prose", ""
        if item:
            pending, kind, number = [line[item.end() :]], "item", item["number"] or ""
        elif row and not rule:
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            yield _Block("item", _plain_prose(", ".join(cells)))
        elif goes_on and not row:
            pending.append(line.strip() if kind == "item" else line)


def _plain_prose(text: str) -> str:
    """A paragraph in which nothing is fetched, linked or set as HTML; formulas and code stay."""
    parts = re.split(f"({_MASKED.pattern})", text, flags=re.S)
    return " ".join("".join(p if n % 2 else _unlinked(p) for n, p in enumerate(parts)).split())


def _unlinked(text: str) -> str:
    return _TAG.sub("", _LINK.sub(r"\1", _IMAGE.sub("", text)))


def _cited(text: str, sources: int) -> tuple[str, tuple[int, ...]]:
    """A sentence without its marks, and the numbers in them."""
    cited: list[int] = []
    hidden = [m.span() for m in _MASKED.finditer(text)]

    def take(match: re.Match[str]) -> str:
        numbers = [int(n) for n in re.findall(r"\d+", match["ns"])]
        aside = match[0].lstrip().startswith("(") and not re.search("[a-z]", match[0], re.I)
        if aside or any(a <= match.start() < b for a, b in hidden):
            return match[0]
        if not all(1 <= n <= sources for n in numbers):
            # "[0, 1]" is an interval, "[9]" cites nothing.
            return match[0] if len(numbers) > 1 else ""
        spread = re.fullmatch(r"\s*(\d+)\s*[–-]\s*(\d+)\s*", match["ns"])
        cited.extend(range(int(spread[1]), int(spread[2]) + 1) if spread else numbers)
        return ""

    return _MARK.sub(take, text).strip(), tuple(dict.fromkeys(cited))


def _marked(numbers: Sequence[int]) -> str:
    return "".join(f"[{n}]" for n in numbers)
