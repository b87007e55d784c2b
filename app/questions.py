"""What kind of question is asked, and what a follow-up means in its conversation."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kg.linking import Lexicon, key, words
from kg.types import Answer, AnswerKind, Concept

__all__ = ["Turn", "kind_of", "resolve", "spelled_out"]

Turn = tuple[str, Answer]  # a question as it was asked, and its answer

_PATH = re.compile(
    r"\b(?:prerequisites?|prereqs?|study order|learning (?:path|order)|study plan|road ?map)\b"
    r"|\b(?:need|have|should|must|ought|want)\b.*\b(?:know|learn|read|study|understand|see)\b.*\b(?:before|first|for|prior)\b"
    r"|\bwhat (?:do|should|must) i (?:need|know|learn|study|read|understand) (?:\w+ )?(?:before|first|for)\b"
    r"|\b(?:in )?(?:what|which) order\b.*\b(?:learn|read|study)\b|\bbefore (?:i )?(?:learn|read|study)ing?\b",
    re.I,
)
_COMPARISON = re.compile(
    r"\bdifferen(?:ce|t|ces)\b|\bversus\b|\bvs\.?(?=\s)|\bcompar(?:e|ed|ison|ing)\b|\bdistinguish\b|\bdiffer\b", re.I
)
_WHERE = re.compile(
    r"^\s*where\b(?! (?:vs\b|versus\b|and\b|or\b|clause))"
    r"|\b(?:videos?|notebooks?|links?|papers?|urls?|lectures?|blog posts?|source)\b.*"
    r"\b(?:about|on|for|of|explain\w*)\b"
    r"|\b(?:notebook|video|link|paper)s?\s*\??$|\bread more\b|\bfurther reading\b",
    re.I,
)
_LIST = re.compile(
    r"^\s*(?:list|name|enumerate)\b"
    r"|\ball (?:the )?(?:\w+ )?(?:tricks|tips|rules|statements|ways|techniques|kinds|types)\b"
    r"|\b(?:tips|tricks|rules of thumb)\b",
    re.I,
)
_HOW = re.compile(
    r"^\s*(?:and\s+)?how\b|\bhow (?:to|do|can|should|would)\b|\bsteps?\b|\brecipe for\b"
    r"|^\s*(?:choose|find|pick|train|set|tune)\b",
    re.I,
)
_RECIPE = re.compile(
    r"^\s*(?:please )?(?:run|launch|start|execute)\b|\b(?:for|on) my (?:own )?(?:data|gpu|card|machine|model)\b", re.I
)
_DEFINITION = re.compile(
    r"^\s*(?:and\s+)?"
    r"(?:what(?:'s|\s+is|\s+are|\s+does)|define|definition|meaning of|explain|describe|tell me about|who is)\b",
    re.I,
)
_PRONOUN = re.compile(r"\b(?:it|its|they|them|their|that one|this one|these|those)\b", re.I)
_OPENER = re.compile(
    r"^\s*(?:and|or|but|also|then|ok(?:ay)?|so|what about|how about|what if)\b[\s,]*"
    r"(?:what about|how about|if|for)?\s*",
    re.I,
)
# A condition at the end of a question, which a follow-up replaces: "… when frozen?" — "and after unfreezing?"
_CONDITION = re.compile(r"[\s,]+(?:when|before|after|if|while|with|without|during|once)\b.*$", re.I)
_CONDITION_START = re.compile(r"^(?:when|before|after|if|while|with|without|during|once|for|in|on)\b", re.I)
_SHARED_WORD = re.compile(
    r"([\w'-]+)(\s+(?:and|or|vs\.?|versus|from|to|with)\s+(?:an?\s+|the\s+)?)([\w'-]+)\s+([\w'-]+)"
)
FOLLOW_UP_WORDS = 7


def kind_of(question: str, linked: int) -> AnswerKind:
    """The kind of a question; `linked` is the number of concepts it names.

    >>> kind_of("What do I need to know before U-Net?", 1), kind_of("difference between GAN and WGAN", 2)
    ('path', 'comparison')
    >>> kind_of("what is dropout", 1), kind_of("how do I free memory?", 0), kind_of("video about hooks", 1)
    ('definition', 'how', 'where')
    """
    if not re.search(r"\w", question):
        return "empty"
    if _PATH.search(question) and linked:
        return "path"
    if _COMPARISON.search(question) and linked >= 2:
        return "comparison"
    tests: tuple[tuple[AnswerKind, re.Pattern[str]], ...] = (
        ("recipe", _RECIPE), ("where", _WHERE), ("list", _LIST), ("how", _HOW), ("definition", _DEFINITION)
    )  # fmt: skip
    for kind, pattern in tests:
        if pattern.search(question):
            return kind
    return "definition" if linked and len(words(question)) <= 3 else "fact"


def spelled_out(question: str, lexicon: Lexicon) -> str:
    """The question with a shared last word said twice: "inner and left join" is "inner join and left join".

    Only where both are names of concepts.
    """

    def both(match: re.Match[str]) -> str:
        first, between, second, shared = match.groups()
        names = (key(f"{first} {shared}"), key(f"{second} {shared}"))
        known = all(n in lexicon.names for n in names) and key(first) not in lexicon.names
        return f"{first} {shared}{between}{second} {shared}" if known else match.group()

    return _SHARED_WORD.sub(both, question)


def resolve(question: str, history: Sequence[Turn], concepts: Sequence[Concept], lexicon: Lexicon) -> str:
    """The question as it would be asked alone; unchanged when it is no follow-up.

    A pronoun takes the previous answer's main concept; "and X?" or "what about X?" asks the previous question of X;
    "and after …?" keeps the previous question and replaces its condition.
    """
    if not history:
        return question
    before, answered = _standing(history, concepts, lexicon)
    rest = _OPENER.sub("", question).strip(" ?.!")
    opened = bool(_OPENER.match(question)) and bool(rest)
    short = len(words(question)) <= FOLLOW_UP_WORDS
    named = lexicon.find(rest, strict_case=False)
    main = answered.concepts[0] if answered.concepts else ""
    if opened and short and _CONDITION_START.match(rest):
        return f"{_CONDITION.sub('', before.strip(' ?.!'))} {rest}"
    if opened and short and named and named[0].start == 0 and len(words(rest)) <= 4:
        return _about(before, rest, lexicon)
    if _PRONOUN.search(question) and main and not named:
        return _PRONOUN.sub(lambda m: f"{main}'s" if m.group().lower() in ("its", "their") else main, question)
    if opened and short and not named:
        return f"{before.strip(' ?.!')} {rest}"
    if (
        short
        and not named
        and main
        and re.match(r"^\s*(?:why|how|when|where|which|show|example|give)\b", question, re.I)
        and len(words(question)) <= 3
    ):
        return f"{question.strip(' ?.!')} {main}"
    return question


def _standing(history: Sequence[Turn], concepts: Sequence[Concept], lexicon: Lexicon) -> Turn:
    """The last question as it stood alone, resolved through the conversation before it, and its answer."""
    asked, answered = history[-1]
    return resolve(asked, history[:-1], concepts, lexicon), answered


def _about(before: str, name: str, lexicon: Lexicon) -> str:
    """The previous question, asked of another concept."""
    found = lexicon.find(before, strict_case=False)
    if not found:
        return f"{before.strip(' ?.!')} {name}"
    first = found[0]
    return before[: first.start] + name + before[first.end :]
