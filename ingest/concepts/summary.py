"""The words of a passage as a reader would quote them: its first sentence, formulas kept."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from ingest.names.labels import MAX_WORDS, merge_key, namings
from ingest.notes.announced import opens_with_needs
from ingest.notes.dialect import FENCED
from ingest.notes.dialect_lines import readable
from ingest.notes.plain_text import plain
from ingest.notes.sentences import sentences
from ingest.notes.word_lists import PART, links_only
from kg.linking import key
from kg.types import Passage

__all__ = ["first_sentence", "naming_sentence", "summary_of", "tells"]

SUMMARY_CHARS = 280

_HEADING_LINE = re.compile(r"^\s{0,3}#{1,6}\s.*$|^(?![ \t]*[-*+>][ \t]).+\n(?:=+|-+)\s*$", re.M)
# A short formula that a sentence ends with is part of what it says.
_ENDS_IN_FORMULA = re.compile(
    r":[ \t]*\n\s*\$\$\s*(?P<tex>[^$\n]{1,120}?)\s*\$\$[.,]?[ \t]*(?=\n|\Z)"
)
_SET_APART = re.compile(rf"{FENCED}|\$\$.*?\$\$", re.M | re.S)  # code and formulas
_FORMULA = re.compile(
    r"(?<![\\$])\$(?P<tex>[^\s$](?:[^$\n]*[^\s$\\])?)\$(?![\d$])"
    r"|<img\b[^>]*\bcodecogs\b[^>]*?\btitle=\"(?P<drawn>[^\">]+)\"[^>]*>"
)
_PIECE = re.compile(r"\n\s*\n|\n(?=\s{0,12}(?:[-*+]|\d+[.)])\s)|\n(?=\|)")
_ARTICLE = re.compile(r"^(?:an?|the)\s+", re.I)
_OPENING = 3  # sentences among which the one that defines is looked for
# What opens a sentence on what comes first, or a task.
_TASK = re.compile(rf"^(?:\[[ xX]\]|after (?:{PART}) \d+)(?!\w)", re.I)

# Private characters that hold a formula's place while Markdown is taken off; a note's own ones go.
_OPEN, _CLOSE = "\ue000", "\ue001"
_NO_MARKS = str.maketrans({_OPEN: None, _CLOSE: None})


def summary_of(passages: Sequence[Passage], names: Sequence[str]) -> str:
    """The sentence of a concept's passages, the defining ones first, that says what it is, or "".

    The first under the concept's own heading, else the first that names it.
    """
    keys = {merge_key(name) for name in names}
    for passage in passages:
        if passage.kind in ("code", "output"):
            continue
        heads = namings(passage.heading_path[-1]) if passage.heading_path else ()
        own = not heads or any(merge_key(n) in keys for h in heads for n in (h.label, *h.aliases))
        found = (first_sentence if own else naming_sentence)(passage.text, keys)
        if found:
            return found
    return ""


def first_sentence(text: str, names: Collection[str] = ()) -> str:
    """The sentence that opens a passage's own words, plain.

    "" when it holds none but links, pictures or code.

    Of the first few, one that begins with a name (given as merge keys) is preferred: it defines,
    where the first may only lead up to it.

    >>> first_sentence("With one table you get far. A **join** combines rows.", {"join"})
    'A join combines rows.'
    >>> first_sentence("- [ ] do\\n\\n> [!note] Law\\n> The mean is linear:\\n\\n$$E[aX] = aE[X]$$")
    'Law: The mean is linear: $E[aX] = aE[X]$'
    """
    for piece in _pieces(text):
        said = (s for s in sentences(piece) if not _FORMULA.fullmatch(s.rstrip(" .,;:")))
        opening = [s for s in said if not (_TASK.match(s) or opens_with_needs(s))][:_OPENING]
        first = opening[0] if opening else ""
        sentence = next((s for s in opening if _begins_with(s, names)), first)
        if _says_something(sentence, names) and not sentence.endswith("?"):
            return _short(sentence)
    return ""


def tells(text: str) -> bool:
    """Whether a text has words of its own beside links, pictures, code and headings.

    Questions count.

    >>> tells("## Goals\\n\\n- What is a norm?"), tells("- [Notebook 3](https://example.org/3.ipynb)")
    (True, False)
    """
    return any(len(key(piece)) >= 3 for piece in _pieces(text))


def naming_sentence(text: str, names: Collection[str]) -> str:
    """The sentence that begins with one of these names, else that holds one, else "".

    Names are given as merge keys.

    >>> naming_sentence("All use a prior:\\n\\n- Prior: what you believe first", {"prior"})
    'Prior: what you believe first'
    """
    all_sentences = (s for piece in _pieces(text) for s in sentences(piece))
    naming = [
        s
        for s in all_sentences
        if any(name in merge_key(s) for name in names) and _says_something(s, names)
    ]
    return _short(next((s for s in naming if _begins_with(s, names)), naming[0] if naming else ""))


def _pieces(text: str) -> Iterator[str]:
    """Paragraphs and list items, plain, but for tables and what only links."""
    shown = _ENDS_IN_FORMULA.sub(lambda m: f": ${m['tex']}$", readable(text, titles=False))
    body = _HEADING_LINE.sub("", _SET_APART.sub("\n\n", shown))
    for piece in _PIECE.split(body):
        words = piece.strip()
        if words and not words.startswith("|") and not links_only(words):
            yield re.sub(r"^(?:[-*+]|\d+[.)])\s+", "", _plain_with_formulas(words).strip())


def _says_something(sentence: str, names: Collection[str]) -> bool:
    """Whether it is three words or more, and not a name alone, be it said twice."""
    said = key(sentence)
    beyond = sum(not any(merge_key(word) in name for name in names) for word in said)
    return len(said) >= 3 and beyond >= 2


def _begins_with(sentence: str, names: Collection[str]) -> bool:
    """Whether a sentence opens with one of these names, an article before it aside."""
    opening = list(key(_ARTICLE.sub("", sentence)))[:MAX_WORDS]
    return any(merge_key(" ".join(opening[:n])) in names for n in range(1, len(opening) + 1))


def _short(sentence: str) -> str:
    return (
        sentence
        if len(sentence) <= SUMMARY_CHARS
        else sentence[: SUMMARY_CHARS - 1].rsplit(" ", 1)[0] + "…"
    )


def _plain_with_formulas(text: str) -> str:
    """Plain words of a text, its inline formulas kept as formulas, those drawn as pictures too."""
    formulas: list[str] = []
    text = text.translate(_NO_MARKS)

    def aside(match: re.Match[str]) -> str:
        formulas.append(f"${match['tex'] or match['drawn']}$")
        return f"{_OPEN}{len(formulas) - 1}{_CLOSE}"

    return re.sub(
        f"{_OPEN}(\\d+){_CLOSE}", lambda m: formulas[int(m[1])], plain(_FORMULA.sub(aside, text))
    )
