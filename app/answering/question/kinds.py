"""What kind of question is asked."""

from __future__ import annotations

import re

from app.answering.question.sides import sides_of, without_courtesy
from kg.linking import Lexicon, key, words
from kg.types import AnswerKind

__all__ = ["asks_what_now", "goals_of", "kind_of", "searched", "spelled_out"]

_PATH = re.compile(
    r"\b(?:prerequisites?|prereqs?|study order|learning (?:path|order)|study plan|road ?map)\b"
    r"|\b(?:need|have|should|must|ought|want)\b.*\b(?:know|learn|read|study|understand"
    r"|see)\b.*\b(?:before|first|for|prior)\b"
    r"|\bwhat (?:do|should|must) i (?:need|know|learn|study|read|understand) (?:\w+ )?(?:before"
    r"|first|for)\b"
    r"|\b(?:need|have|should|must|ought)\b(?: i)? (?:to )?(?:know )?(?:to )?(?:understand"
    r"|follow) (?!about\b)\S"
    r"|\b(?:in )?(?:what|which) order\b.*\b(?:learn|read|study)\b|\bbefore (?:i )?(?:learn|read"
    r"|study)ing?\b",
    re.I,
)
# "What comes after X?", with no more than a name behind it: "what comes after the softmax in a
# classifier?" is another.
_NEXT = re.compile(
    r"\b(?:what|which|where|anything)\b.*\b(?:comes?|follows?|learn|study|read|next|go(?: on)?"
    r"|continue)\b.*"
    r"\b(?:after|from|beyond|(?:once|when) i (?:know|understand))\s+(?:(?!in |of |during "
    r"|for )\S+\s*){1,5}$"
    r"|\bwhat(?:'s| is)? next\b|\bwhat (?:concepts? |topics? )?(?:builds? (?:up)?on|depends? on"
    r"|needs|requires)\b"
    r"|\b(?:is|are)\b.*\b(?:needed|required|a prerequisite) for\s*\??$|\bwhat does\b.*\blead to\b",
    re.I,
)
# What can be learned with what is known already; no concept is named.
_NOW = re.compile(
    r"^(?:and |so |then )*(?:what|which (?:concepts?|topics?|subjects?)) (?:can|could|should|shall"
    r"|do|might|may) i "
    r"(?:(?:learn|study|read|do|tackle) (?:about )?(?:next|now)|(?:learn"
    r"|study) with what i (?:already )?know"
    r"|(?:learn|study) (?:next |now )?(?:from here|given what i (?:already )?know))$"
    r"|^(?:and |so |then )*what(?:'s| is) unlocked$",
    re.I,
)
_BETWEEN_GOALS = re.compile(r"[\s,&]*(?:(?:and|or|then|as well as|the|an?)\b[\s,&]*)*", re.I)
_COMPARED = re.compile(
    r"\bdifferen(?:ce|t|ces)\b|\bversus\b|\bvs\.?(?=\s)|\bcompar(?:e|ed|ison|ing)\b|\bdistinguish\b"
    r"|\bdiffers?\b",
    re.I,
)
_CHOSEN = re.compile(
    r"\bor\b|\binstead of\b|\brather than\b|\bin place of\b|\bbetter than\b|\bworse than\b"
    r"|\bprefer\b.*\b(?:to|over)\b",
    re.I,
)
_WHERE = re.compile(
    r"^\s*where\b(?! (?:vs\b|versus\b|and\b|or\b|clause))"
    r"|\b(?:videos?|films?|notebooks?|links?|papers?|urls?|lectures?|lessons?|blog posts?"
    r"|sources?)\b.*"
    r"\b(?:about|on|for|of|explain\w*)\b"
    r"|\b(?:in )?which (?:lecture|lesson|video|notebook|note|paper|chapter)\b"
    r"|\b(?:notebook|video|link|paper|lecture)s?\s*\??$|\bread more\b|\bfurther reading\b",
    re.I,
)
# "Show me the code for X": notes hold X, and seldom the word "code".
_FORM = re.compile(
    r"^\s*(?:(?:please |can you |could you )*(?:show|give)(?: me)? )?(?:the |an? |some |its )?"
    r"(?:code(?: snippet)?|snippet|example|formula|equation|lecture, video or notebook) (?:for|of"
    r"|about|on)\s+",
    re.I,
)
_GATHERED = (
    r"tricks|tips|rules|statements|ways|techniques|kinds|types|sorts|methods|options|signs|remedies"
    r"|cures|reasons|"
    r"steps|parts|variants|examples|advantages|disadvantages|drawbacks|benefits|mistakes|pitfalls"
    r"|causes|metrics|losses"
)
_LIST = re.compile(
    r"^\s*(?:list|name|enumerate)\b|^\s*(?:give|show|tell)(?: me)? (?:all|every)\b"
    rf"|\b(?:all|every|each) (?:the |my |of the )?(?:\w+ ){{0,2}}(?:{_GATHERED}|trick|tip|rule"
    r"|statement|way)\b"
    rf"|\b(?:what|which) (?:\w+ ){{0,3}}(?:are there|exist)\b|\bwhat are (?:the "
    rf"|all )*(?:\w+ )?(?:{_GATHERED})\b"
    r"|\b(?:what|which) (?:kinds?|types?|sorts?|tricks|tips) of\b|\b(?:tips|tricks"
    r"|rules of thumb)\b",
    re.I,
)
# "How do I …?" wants steps; "how many …?" and "how can I tell …?" want a fact.
_HOW = re.compile(
    r"^\s*how to\b|\bhow (?:do|can|should|could|would|must|might|did) (?:i|we|you|one"
    r"|people)\b(?! (?:even )?"
    r"(?:tell|know|see|notice|recogni[sz]e|spot|detect|find out)\b)|^\s*steps?\b|\bsteps (?:to|for"
    r"|of)\b"
    r"|\brecipe for\b|^\s*(?:choose|find|pick|train|set|tune|build|create|make|compute|write|load"
    r"|save)\b"
    r"|^\s*(?:show|give)(?: me)? (?:the |some )?code\b|^\s*(?:the )?code (?:for|of)\b",
    re.I,
)
_YES_NO = re.compile(
    r"^\s*(?:is|are|was|were|can|could|do|does|did|should|shall|must|may|will|would|has|have|need"
    r"|am|isn't|aren't|"
    r"can't|don't|doesn't|shouldn't)\b"
    r"|^(?!\s*(?:what|which|how|why|when|where|who|whose)\b)[^?]*,\s*(?:should|can|may|must|do|does"
    r"|is|are|right)\b",
    re.I,
)
_DEFINITION = re.compile(
    r"^\s*(?:what(?:'s|\s+is|\s+are|\s+does|\s+do(?!\s+(?:i|we|you)\b))|define|definition"
    r"|meaning of"
    r"|explain|describe|tell me about|who is)\b",
    re.I,
)
_WH = re.compile(r"^\s*(?:how|when|why|which|who|whose)\b", re.I)
_SHARED_WORD = re.compile(
    r"([\w'-]+)(\s+(?:and|or|vs\.?|versus|from|to|with)\s+(?:an?\s+|the\s+)?)([\w'-]+)\s+([\w'-]+)"
)


def kind_of(question: str, linked: int) -> AnswerKind:
    """The kind of a question; `linked` is the number of concepts it names.

    >>> kind_of("What do I need to know before U-Net?", 1)
    'path'
    >>> kind_of("difference between GAN and WGAN", 2), kind_of("what is dropout", 1)
    ('comparison', 'definition')
    >>> kind_of("how do I free memory?", 0), kind_of("video about hooks", 1)
    ('how', 'where')
    >>> [kind_of(q, 1) for q in ("What comes after dropout?", "can I use it?", "how many epochs?")]
    ['next', 'yesno', 'fact']
    """
    if not re.search(r"\w", question):
        return "empty"
    asked = without_courtesy(question)
    if linked and _NEXT.search(asked.strip(" ?.!")):
        return "next"
    if _PATH.search(asked) and linked:
        return "path"
    if _COMPARED.search(asked) and (linked >= 2 or (linked and sides_of(asked))):
        return "comparison"
    if _CHOSEN.search(asked) and linked >= 2 and sides_of(asked):
        return "comparison"
    tests: tuple[tuple[AnswerKind, re.Pattern[str]], ...] = (
        ("where", _WHERE), ("list", _LIST), ("how", _HOW), ("yesno", _YES_NO),
        ("definition", _DEFINITION),
    )  # fmt: skip
    for kind, pattern in tests:
        if pattern.search(asked):
            return kind
    return "definition" if linked and len(words(asked)) <= 3 and not _WH.match(asked) else "fact"


def asks_what_now(question: str) -> bool:
    """Whether a question asks what could be learned next, with what is known already.

    >>> asks_what_now("What can I learn next?"), asks_what_now("what can I learn next after U-Net?")
    (True, False)
    """
    return bool(_NOW.match(without_courtesy(question).strip(" ?.!")))


def goals_of(question: str, lexicon: Lexicon) -> tuple[int, ...]:
    """What a question for a path wants to reach: the last concept it names, with those listed right
    before it.
    """
    named = lexicon.find(question, strict_case=False)
    goals = named[-1:]
    for one in reversed(named[:-1]):
        if not _BETWEEN_GOALS.fullmatch(question[one.end : goals[0].start]):
            break
        goals.insert(0, one)
    return tuple(dict.fromkeys(f.concept for f in goals))


def searched(question: str) -> str:
    """What to search for: the question without the words that only say in which form the answer is
    wished.

    >>> searched("show me the code for mixup"), searched("the code")
    ('mixup', 'the code')
    >>> searched("lecture, video or notebook about U-Net")
    'U-Net'
    """
    return _FORM.sub("", question) or question


def spelled_out(question: str, lexicon: Lexicon) -> str:
    """The question with a shared last word said twice: "inner and left join" is "inner join and
    left join".

    Only where both are names of concepts.
    """

    def both(match: re.Match[str]) -> str:
        first, between, second, shared = match.groups()
        names = (key(f"{first} {shared}"), key(f"{second} {shared}"))
        known = all(n in lexicon.names for n in names) and key(first) not in lexicon.names
        return f"{first} {shared}{between}{second} {shared}" if known else match.group()

    return _SHARED_WORD.sub(both, question)
