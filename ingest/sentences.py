"""The words of a passage as a reader would quote them: its first sentence, formulas kept."""

from __future__ import annotations

import re
from collections.abc import Collection

from ingest.labels import merge_key
from ingest.plain import plain
from kg.linking import key

__all__ = ["first_sentence", "naming_sentence"]

SUMMARY_CHARS = 280

_HEADING_LINE = re.compile(r"^\s{0,3}#{1,6}\s.*$|^.+\n(?:=+|-+)\s*$", re.M)
_SET_APART = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|\$\$.*?\$\$", re.S)  # code and formulas
_FORMULA = re.compile(
    r"(?<![\\$])\$(?P<tex>[^\s$](?:[^$\n]*[^\s$\\])?)\$(?![\d$])"
    r"|<img\b[^>]*\bcodecogs\b[^>]*?\btitle=\"(?P<drawn>[^\">]+)\"[^>]*>"
)
_LINK_ONLY = re.compile(r"^(?:[-*+]\s|\d+[.)]\s)?\s*(?:!?\[[^\]]*\]\(+[^)]*\)+|<img[^<>]*>|https?://\S++|[\s;,.|–-])*$")
_NEEDS = re.compile(r"^(?:needs|requires|prerequisites?|after (?:lesson|chapter|part|note|lecture|week) \d+)\b", re.I)
_SENTENCE_END = re.compile(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?<!etc\.)(?<!Ex\.)\s+(?=[A-Z`\"“(\[])")

# Private characters that hold a formula's place while Markdown is taken off; a note's own ones go.
_OPEN, _CLOSE = "\ue000", "\ue001"
_NO_MARKS = str.maketrans({_OPEN: None, _CLOSE: None})


def first_sentence(text: str) -> str:
    """The first sentence of a passage's own words, plain; "" when it holds none but links, pictures or code."""
    body = _HEADING_LINE.sub("", _SET_APART.sub("\n\n", text))
    for piece in re.split(r"\n\s*\n|\n(?=\s{0,3}(?:[-*+]|\d+[.)])\s)|\n(?=\|)", body):
        if not piece.strip() or _LINK_ONLY.match(" ".join(piece.split())) or piece.lstrip().startswith("|"):
            continue
        said = re.sub(r"^(?:[-*+>]|\d+[.)])\s+", "", _said(piece).strip())
        sentence = next((s.strip() for s in _SENTENCE_END.split(said) if not _NEEDS.match(s)), "")
        if len(key(sentence)) >= 3 and not sentence.endswith("?"):
            return _short(sentence)
    return ""


def naming_sentence(text: str, names: Collection[str]) -> str:
    """The first sentence that holds one of these names, given as merge keys; "" when none does."""
    body = _said(_HEADING_LINE.sub("", _SET_APART.sub("\n\n", text)))
    naming = (s for s in _SENTENCE_END.split(body) if any(name in merge_key(s) for name in names))
    return _short(next(naming, "").strip())


def _short(sentence: str) -> str:
    return sentence if len(sentence) <= SUMMARY_CHARS else sentence[: SUMMARY_CHARS - 1].rsplit(" ", 1)[0] + "…"


def _said(text: str) -> str:
    """Plain words of a text, its inline formulas kept as formulas, those drawn as pictures too."""
    formulas: list[str] = []
    text = text.translate(_NO_MARKS)

    def aside(match: re.Match[str]) -> str:
        formulas.append(f"${match['tex'] or match['drawn']}$")
        return f"{_OPEN}{len(formulas) - 1}{_CLOSE}"

    return re.sub(f"{_OPEN}(\\d+){_CLOSE}", lambda m: formulas[int(m[1])], plain(_FORMULA.sub(aside, text)))
