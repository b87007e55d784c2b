"""Notice two statements of different places that contradict each other, with few false alarms.

Two clauses contradict each other when they speak of the same thing under the same conditions and differ in exactly one
of these: the number that they give, whether they say yes or no ("never", "do not", "avoid", "without"), or one of a
pair of opposites ("higher" and "lower", "before" and "after"). Two such differences cancel ("a higher rate is faster",
"a lower rate is slower"), so pairs that differ twice are left alone.

What this cannot see: contradictions that need knowledge of the field or arithmetic ("64 items" and "two times 32"),
that are told in other words ("switch dropout off" and "keep dropout on" is seen, "drop units only while learning" is
not), that run over several sentences, that stand in tables, code or formulas, or within one section; and statements in
other languages than English. A condition that is told outside the sentence and its heading is not seen either, so a
false alarm is possible where a section opens with "All of this holds for text only".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.answering.leads import stem
from app.answering.quantities import Quantity, quantities
from app.answering.statements import Statement, sentence_spans, statements_of
from ingest.markdown import plain
from kg.encoder import Encoder
from kg.linking import words
from kg.types import Hit

__all__ = ["Disagreement", "disagreements", "opposed"]

CONSIDERED = 12  # statements of an answer
CLOSE = 0.5  # share of the best hit's score, from which a hit is looked through for the opposite
ALIKE = 0.6  # cosine of two statements that speak of the same; see tests/app/answering/test_contradictions.py
SHARED = 2  # content words
MOST_EXTRA = 4  # content words that only one of them has
CLAUSE_CHARS = 300
CONDITION_WORDS = 3  # content words after "when", "for", …

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[,;:()]")
_YEAR = re.compile(r"(?:19|20)\d\d")
_NUMERAL = re.compile(r"\d[\d.,e−+-]*")
_FUNCTION_WORDS = (
    "a about all also am an and any are as at be been being but by can could did do does doing each either else "
    "even ever every for from get gets give gives go goes had has have having here how i in into is it its just "
    "kind let like made make makes many may me might most much must my need needs of on one ones onto or other "
    "our out over own per quite rather really same shall she should since so some such than that the their them "
    "then there these they this those through thus to too until upon us very via want was we well were what when "
    "where whether which while who whose why will with within would yet you your always usually typically "
    "normally generally often mostly definitely simply still use uses used using take takes taken set sets choose "
    "pick try best good fine value default rule rules thumb tip trick note notes statement statements recommend "
    "recommended work works ok okay around roughly nearly almost exactly bit little lot something thing things "
    "only become becomes keep keeps switch switched turn turned stay stays last lasts lasting enough suffice "
    "suffices sufficient anything everything two three four five six seven eight nine ten eleven twelve twenty "
    "hundred thousand million percent"
)
_FUNCTION = frozenset(_FUNCTION_WORDS.split())
_NEGATORS_WORDS = (
    "not never no cannot avoid avoids avoided without seldom rarely hardly neither nor none nothing unnecessary "
    "needless useless forbidden don't doesn't didn't isn't aren't wasn't won't can't shouldn't mustn't needn't "
    "wouldn't couldn't"
)
_NEGATORS = frozenset(_NEGATORS_WORDS.split())
# Words of negation that negate nothing of what is claimed.
_NO_NEGATION = re.compile(
    r"\bnot (?:only|just|necessarily|yet|always|every|all|so much)\b|\bwhether or not\b|\bno matter\b|\bif not\b"
    r"|\bwhy not\b|\bno (?:more|less|fewer|later|sooner) than\b|\bno longer\b|\bno one\b|\bor not\b",
    re.I,
)
_AXES = (
    "higher high larger large bigger big more greater great increase increases increased increasing raise raises "
    "raised raising rise rises rising grow grows growing wider longer deeper above up maximum enlarge"
    "|lower low smaller small less fewer decrease decreases decreased decreasing reduce reduces reduced reducing fall "
    "falls falling shrink shrinks shrinking narrower shorter shallower below down minimum lowers lowered drop drops",
    "faster fast quicker quick quickly speed speeds|slower slow slowly slows",
    "before earlier early beginning|after later late afterwards",
    "better improve improves improved help helps helpful helped benefit benefits useful"
    "|worse worsen worsens hurt hurts harm harms harmful damages damage degrade degrades",
    "start starts begin begins|end ends finish finishes",
    "on enable enabled enables|off disable disabled disables",
    "easier easy simpler simple|harder hard difficult",
    "cheap cheaper|expensive costly dear dearer",
    "stronger strong|weaker weak",
    "true correct right|false incorrect wrong",
    "allow allowed allows permit permitted possible|forbid forbids prevent prevents impossible",
    "safe|unsafe dangerous risky",
    "warm hot|cold cool",
    "wet moist|dry",
    "open opened|closed shut",
    "necessary required essential mandatory|optional superfluous",
    "add adds adding|remove removes removing",
    "sensitive|robust insensitive",
)
_AFTER_ON: tuple[list[str], ...] = (
    [],
    [","],
    [";"],
    ["in"],
    ["during"],
    ["at"],
    ["for"],
    ["while"],
    ["when"],
    ["and"],
    ["but"],
)
_ARTICLES = frozenset({"a", "an", "the"})
_SIGNS = {
    word: (axis, sign)
    for axis, pair in enumerate(_AXES)
    for sign, side in zip((1, -1), pair.split("|"), strict=True)
    for word in side.split()
}
_CONDITION = re.compile(
    r"when|if|for|in|on|with|while|until|unless|during|under|using|as|at|once|whenever|where|among|inside|before|after"
)
_HEDGED = re.compile(
    r"\b(?:at least|at most|up to|more than|less than|fewer than|below|above|over|under|e\.g|for example|for instance"
    r"|such as|in this case|ex|sometimes|may|might|could|can be|try)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two statements that contradict each other, and in what."""

    one: Statement
    other: Statement
    why: str  # "number", "negation" or "opposites"


@dataclass(frozen=True, slots=True)
class _Clause:
    content: frozenset[str]
    context: frozenset[str]  # content words that stand in a condition
    before: Mapping[str, str]  # content word -> the content word right after it
    negated: tuple[frozenset[str], ...]  # for each negation, the content words behind it
    signs: tuple[tuple[int, int], ...]  # (axis, side) of the opposites, in order
    marks: frozenset[str]  # the words of these opposites
    values: frozenset[Quantity]
    hedged: bool


def disagreements(
    drawn_on: Sequence[Statement], hits: Sequence[Hit], wanted: Mapping[str, float], encoder: Encoder
) -> list[Disagreement]:
    """Pairs that contradict each other: one of the statements that an answer draws on, another of any close hit.

    Parameters
    ----------
    drawn_on : sequence of Statement
        Best first; pairs come in their order.
    wanted : mapping
        The question's content words; each statement, or its heading, must hold one of them.
    """
    asked = {stem(w) for w in wanted}
    close = [h.passage for h in hits if h.score >= CLOSE * hits[0].score]
    pool = [s for s in drawn_on[:CONSIDERED] if _claims(s, asked)]
    others = [s for p in close for s in statements_of(p) if _claims(s, asked)]
    found: list[Disagreement] = []
    for one in pool:
        for other in others:
            if _place(one) != _place(other):
                why = opposed(one.text, other.text, _heading(one), _heading(other))
                if why and not any({d.one, d.other} == {one, other} for d in found):
                    found.append(Disagreement(one, other, why))
    if not found:
        return []
    vectors = encoder.encode([plain(s.text) for d in found for s in (d.one, d.other)])
    return [d for i, d in enumerate(found) if float(vectors[2 * i] @ vectors[2 * i + 1]) >= ALIKE]


def opposed(one: str, other: str, heading: str = "", other_heading: str = "") -> str:
    """In what two statements contradict each other: "number", "negation", "opposites", or "" when in nothing.

    >>> opposed("The batch size should be 64.", "The batch size should be 32."), opposed("Shuffle.", "Do not stop.")
    ('number', '')
    """
    for a in _clauses(one):
        for b in _clauses(other):
            why = _opposed(a, b, _stems(heading), _stems(other_heading))
            if why:
                return why
    return ""


def _opposed(a: _Clause, b: _Clause, head_a: frozenset[str], head_b: frozenset[str]) -> str:
    if not _same_conditions(a, b, head_a, head_b):
        return ""
    shared = (a.content & b.content) | (a.marks & b.marks)
    number = _numbers_differ(a, b)
    if number is None or (number and _special_case(a, b, head_a, head_b)):
        return ""
    negation = (len(_negations(a, shared)) - len(_negations(b, shared))) % 2
    opposites = _flips(a.signs, b.signs)
    if opposites is None or number + negation + opposites != 1:
        return ""
    return "number" if number else "negation" if negation else "opposites"


def _same_conditions(a: _Clause, b: _Clause, head_a: frozenset[str], head_b: frozenset[str]) -> bool:
    """Whether two clauses speak of the same thing, as far as their words and headings tell."""
    shared = a.content & b.content
    if len(shared) + len((a.content & head_b) | (b.content & head_a)) < SHARED or not shared:
        return False
    only_a, only_b = a.content - b.content - head_b, b.content - a.content - head_a
    own_a, own_b = head_a - b.content - head_b, head_b - a.content - head_a
    if (only_a and only_b) or len(only_a | only_b) > MOST_EXTRA:
        return False
    # Headings of other subjects may be conditions; what says the very same words below both stands by itself.
    if (only_a | own_a) and (only_b | own_b) and (only_a or only_b or head_a & head_b):
        return False
    axes_a, axes_b = {axis for axis, _ in a.signs}, {axis for axis, _ in b.signs}
    for clause, only, other_axes in ((a, only_a, axes_b), (b, only_b, axes_a)):
        marks = {m for m in clause.marks if _SIGNS[m][0] not in other_axes}
        if any(clause.before.get(w) in shared for w in only | marks) or only & clause.context:
            return False
    return True


def _special_case(a: _Clause, b: _Clause, head_a: frozenset[str], head_b: frozenset[str]) -> bool:
    """Whether one heading tells of something else, or of a special case, for which another number is no wonder."""
    own_a, own_b = head_a - b.content - head_b, head_b - a.content - head_a
    if own_a and own_b:
        return True
    return bool((own_a and head_a & (a.content | head_b)) or (own_b and head_b & (b.content | head_a)))


def _numbers_differ(a: _Clause, b: _Clause) -> int | None:
    """1 when both give other numbers of one unit, 0 when not, None when they cannot be compared."""
    if not a.values or not b.values:
        return 0 if not (a.values or b.values) or a.negated or b.negated or a.signs or b.signs else None
    if a.hedged or b.hedged or max(len(a.values), len(b.values)) > 2:
        return None
    if {q.unit for q in a.values} != {q.unit for q in b.values}:
        return None
    (low_a, high_a), (low_b, high_b) = ((min(vs), max(vs)) for vs in ([q.value for q in c.values] for c in (a, b)))
    return int(high_a < low_b or high_b < low_a)


def _negations(clause: _Clause, shared: frozenset[str]) -> list[frozenset[str]]:
    """Negations that bear on what both clauses speak of; in "X, not Y" the negation is of Y alone."""
    return [scope for scope in clause.negated if not scope or scope & shared]


def _flips(one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...]) -> int | None:
    """How many opposites two clauses have in the same places; None when it is unclear which belong together."""
    flips = 0
    for axis in {axis for axis, _ in one} & {axis for axis, _ in other}:
        sides = [[side for x, side in signs if x == axis] for signs in (one, other)]
        if len(sides[0]) != len(sides[1]):
            return None
        flips += sum(a != b for a, b in zip(*sides, strict=True))
    return flips


@lru_cache(maxsize=4096)
def _clauses(text: str) -> tuple[_Clause, ...]:
    said = plain(text)
    parts = [said[a:b] for a, b in sentence_spans(said)]
    parts = [p for part in parts for p in re.split(r";\s+|\s--?>\s|\s→\s", part)]
    return tuple(_clause(p) for p in parts if len(p) <= CLAUSE_CHARS and not p.rstrip().endswith("?"))


def _clause(text: str) -> _Clause:
    claimed = _NO_NEGATION.sub(" ", text)
    tokens = [t.lower().replace("’", "'") for t in _WORD.findall(claimed)]
    content: list[str] = []
    context: set[str] = set()
    before: dict[str, str] = {}
    negated: list[set[str]] = []
    signs: list[tuple[int, int]] = []
    marks: set[str] = set()
    open_scope: set[str] | None = None
    condition = 0
    last = ""
    for i, token in enumerate(tokens):
        if token in ",;:()":
            open_scope, condition, last = None, 0, ""
            continue
        if token in _NEGATORS:
            open_scope = set()
            negated.append(open_scope)
            last = ""
            continue
        sign = token in _SIGNS and (token != "on" or tokens[i + 1 : i + 2] in _AFTER_ON)
        if sign or token in _FUNCTION or (_NUMERAL.fullmatch(token) and not _YEAR.fullmatch(token)):
            if sign:
                signs.append(_SIGNS[token])
                marks.add(token)
                if open_scope is not None:
                    open_scope.add(token)
            if _CONDITION.fullmatch(token) and tokens[max(0, i - 1) : i] != ["only"]:
                condition = CONDITION_WORDS
            last = token if sign else "" if token not in _ARTICLES else last
            continue
        word = token if _YEAR.fullmatch(token) else stem(token)
        content.append(word)
        if open_scope is not None:
            open_scope.add(word)
        if condition:
            context.add(word)
            condition -= 1
        if last:
            before[last] = word
        last = word
    values = frozenset(q for q in quantities(claimed) if not (q.unit == "" and 1900 <= q.value < 2100))
    return _Clause(
        content=frozenset(content),
        context=frozenset(context),
        before=before,
        negated=tuple(frozenset(scope) for scope in negated),
        signs=tuple(signs),
        marks=frozenset(marks),
        values=values,
        hedged=bool(_HEDGED.search(text)),
    )


def _claims(said: Statement, asked: set[str]) -> bool:
    """Whether a statement says something in words on what is asked."""
    short = said.kind in ("sentence", "item") and len(said.text) <= 3 * CLAUSE_CHARS
    return short and bool(asked & _all_stems(f"{_heading(said)} {said.text}"))


@lru_cache(maxsize=4096)
def _all_stems(text: str) -> frozenset[str]:
    return frozenset(stem(w) for w, _, _ in words(plain(text)))


def _place(said: Statement) -> tuple[str, tuple[str, ...]]:
    return said.passage.note, said.passage.heading_path


def _heading(said: Statement) -> str:
    return said.passage.heading_path[-1] if said.passage.heading_path else ""


@lru_cache(maxsize=4096)
def _stems(text: str) -> frozenset[str]:
    found: Iterable[str] = (t.lower() for t in _WORD.findall(plain(text)) if t[0].isalnum())
    return frozenset(stem(t) for t in found if t not in _FUNCTION and t not in _SIGNS and t not in _NEGATORS)
