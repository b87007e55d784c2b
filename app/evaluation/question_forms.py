"""One sentence of the notes turned round into a question that it answers, if grammar allows.

Closed lists of verbs and openings keep the questions grammatical; most sentences give none, which
is as it should be.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from zlib import crc32

from app.evaluation.question_words import AUXILIARIES, FUNCTION_WORDS, INSTRUCTS, VERBS

__all__ = ["asked_of", "by_chance", "casual", "mine"]

SHORTEST, LONGEST = 3, 12  # words that the asked part of a sentence may have
MOST_WORDS = 40  # a longer sentence is taken apart badly

_ASIDE = re.compile(r"\s*[(\[][^()\[\]]*[)\]]|[“”\"*]|\s+(?:e\.g\.|i\.e\.)[^,;.]*")
_LABEL = re.compile(r"^(?:[A-Z][\w -]{1,28}: +(?=[A-Za-z]))+")  # "Rule of thumb: …"
_UNSAYABLE = re.compile(r"[=<>{}\\$|@#^~_`/]|https?:|\d+\.\d+\.|->|→|\.\.\.|…")
# What leans on a sentence before it cannot be asked alone.
_LEANS = re.compile(
    r"^(?:this|that|these|those|it|its|they|their|he|she|his|her|here|there|such|so|but|and|or"
    r"|then|thus|however|"
    r"therefore|otherwise|instead|also|again|hence|another|both|now|next|finally|first|second"
    r"|third|note|notice|see|"
    r"let|remember|recall|sometimes|as)\b",
    re.I,
)
_POINTS = re.compile(
    r"\b(?:this|that|these|those|it|its|they|them|their|he|she|him|his|her|here|above|below"
    r"|following|previous|"
    r"earlier|later|section|chapter|figure|table|such|ours?|us|let's|lets|doing so|do so|just"
    r"|same|one|ones|first|"
    r"second|third|next|former|latter|other|another|were|said|as follows)\b|\bis (?:where|when"
    r"|what|how|why)\b",
    re.I,
)
_BREAK = re.compile(
    r"[,;:–—]| - |\s(?:so that|because|since|while|whereas|which|until|unless|although|though"
    r"|rather than|instead of|"
    r"as well as|where|and then|but|as if|so)\s",
    re.I,
)
# A case that says who reads, not what happens.
_READER = re.compile(
    r"^you(?:['’]re|['’]ll| (?:are|will|need|have|can|know|want|prefer|like|work|would|go|think"
    r"|wonder|look|see|"
    r"remember))\b",
    re.I,
)
_YOURS = (
    (r"\byou are\b|\byou['’]re\b", "I am"),
    (r"\byou['’]ve\b", "I have"),
    (r"\byou['’]ll\b", "I will"),
    (r"\b(?:y)?our\b", "my"),
    (r"\byourself\b", "myself"),
    (r"\byou\b", "I"),
)
_WANTING = re.compile(
    r"^(?:if|when|whenever) (?:you|we|one) (?:want|need|wish|would like|have) to"
    r" (?P<deed>[a-z].*?),",
    re.I,
)
_IN_ORDER = re.compile(r"^(?:in order )?to (?P<deed>[a-z].*?), (?!and\b|or\b)", re.I)
_CASE = re.compile(
    r"^(?P<word>if|when|whenever) (?P<case>[a-z].*?), (?:then )?(?P<main>\S.*)$", re.I
)
_USE = re.compile(
    r"^(?:always |only )?use (?P<what>(?:\S+ ){0,4}\S+?) (?P<word>to|for|when|if) (?P<case>.+)$",
    re.I,
)
_REASON = re.compile(r"^(?P<claim>.+?),? (?:because(?! of)|since we|since you|so that) .+$", re.I)
_CALLED = re.compile(
    r"^(?P<what>.+?) (?P<be>is|are) (?:often |usually |also )?(?:called|known as|named) \S.*$", re.I
)
_SHOULD_BE = re.compile(
    r"^(?P<what>.+?) (?P<be>should|must) be (?!\w+ed\b|told|set|made|done|kept|put)\S", re.I
)
_NEVER = re.compile(
    r"^(?:never|don['’]t|do not|always|avoid to|there is no need to) (?P<deed>(?!\w+ing )[a-z]+"
    r" .+)$",
    re.I,
)
_NUMBER = re.compile(
    r"^(?P<what>(?:\S+ ){1,5}?)(?P<verb>[a-z]+s) (?:about |around |roughly |at least |at most "
    r"|up to |only )?"
    r"(?:\d[\d,]*|two|three|four|five|six|seven|eight|nine|ten|twelve|hundred|thousand) "
    r"(?P<things>[a-z-]{3,}s)\b(?! (?:across|by|wide|high|deep|down))",
    re.I,
)
_IS_ONE = re.compile(
    r"^(?:the |an? )?(?P<name>.+?) is (?:the|an?|one) (?P<sort>[a-z]+(?: [a-z]+){0,2}) (?:that"
    r"|which) "
    r"(?P<does>[a-z]+s .+)$",
    re.I,
)
_NOT_A_SUBJECT = re.compile(
    r",|\b(?:that|which|who|to|if|when|is|are|was|were|can|will|we|you|I|and then)\b|^\S+ly\b", re.I
)
_DETERMINERS = ("the", "a", "an", "every", "each", "all", "most")
_ADVICE = ("you should", "we should", "you need", "you must")
# A purpose that only leads up to what is said, and a case without anybody or anything in it.
_NO_DEED = re.compile(
    r"^(?:be|have|do|conclude|summari[sz]e|recap|answer|illustrate|put|understand|take|"
    r"give|explain|clarify|begin|say|continue)\b",
    re.I,
)
_NO_CASE = re.compile(
    r"^(?:\w+ing|in|inside|on|at|for|with|not|no|possible|necessary|needed|so|I|done)\b", re.I
)
_NO_OBJECT = re.compile(r"(?:and|or|of|in|with|don['’]t|\w+n['’]t)\b")
_HEDGES = re.compile(
    r"\b(?:also|ever|often|usually|simply|actually|basically|really|very|quite|typically"
    r"|generally) ",
    re.I,
)


def asked_of(sentence: str, subject: str) -> list[tuple[str, str]]:
    """Questions that a sentence answers, as (kind, question); empty when it cannot be turned round.

    Parameters
    ----------
    sentence : str
        One plain sentence.
    subject : str
        The name with which it opens, as it is spelled there, an article before it aside; "" when it
        opens with none.

    >>> asked_of("If you want to free memory, delete the learner.", "")
    [('how', 'How do I free memory?')]
    >>> [q for _, q in asked_of("Salt slows every yeast a little, because it dries it.", "Salt")]
    ['Why does salt slow every yeast a little?', 'What slows every yeast a little?']
    """
    said = " ".join(_HEDGES.sub("", _ASIDE.sub("", sentence)).split()).rstrip(" .!;:")
    said = _LABEL.sub("", said)
    sayable = not _UNSAYABLE.search(said) and not said.endswith("?")
    if not sayable or _LEANS.match(said) or not SHORTEST < len(said.split()) <= MOST_WORDS:
        return []
    tries = (_how, _case, _use, _why, _called, _how_many, _whether, _what_does, _which)
    made = (question for make in tries for question in make(said, subject))
    return [(kind, " ".join(question.split())) for kind, question in made]


def by_chance(text: str, n: int) -> int:
    """A number below n that depends on the text alone: the same on every run and machine."""
    return crc32(text.encode("utf-8", "replace")) % n


def mine(text: str) -> str:
    """What is said to a reader, as the reader would say it."""
    for yours, my in _YOURS:
        text = re.sub(yours, my, text, flags=re.I)
    return text


def casual(words: Sequence[str], proper: Collection[str]) -> str:
    """Words of a heading inside a sentence: lower case, but for proper names and initials."""
    return " ".join(w.lower() if w[1:].islower() and w not in proper else w for w in words)


def _how(said: str, subject: str) -> list[tuple[str, str]]:
    match = _WANTING.match(said) or _IN_ORDER.match(said)
    if match is None or _NO_DEED.match(match["deed"]) or not _fits(match["deed"], 2):
        return []
    return [("how", f"How do I {mine(match['deed'])}?")]


def _case(said: str, subject: str) -> list[tuple[str, str]]:
    match = _CASE.match(said)
    if not match or _WANTING.match(said) or not _fits(match["case"]):
        return []
    if _NO_CASE.match(match["case"]) or _READER.match(match["case"]):
        return []
    main = match["main"].split()
    case = f"{match['word'].lower().removesuffix('ever')} {mine(match['case'])}"
    if main[0].lower() in INSTRUCTS or " ".join(main[:2]).lower() in _ADVICE:
        return [("how", f"What should I do {case}?")]
    return [("fact", f"What happens {case}?")]


def _use(said: str, subject: str) -> list[tuple[str, str]]:
    match = _USE.match(said)
    if not match:
        return []
    case = _BREAK.split(match["case"])[0].strip()
    if match["word"].lower() in ("when", "if") and _fits(match["what"], 1):
        return [("fact", f"When should I use {mine(match['what'])}?")]
    if not _fits(case, 2):
        return []
    return [("fact", f"What should I use {match['word'].lower()} {mine(case)}?")]


def _why(said: str, subject: str) -> list[tuple[str, str]]:
    match = _REASON.match(said)
    claim = _asked(match["claim"], subject) if match and _fits(match["claim"]) else ""
    return [("fact", f"Why {claim}?")] if claim else []


def _called(said: str, subject: str) -> list[tuple[str, str]]:
    match = _CALLED.match(said)
    if match and _is_subject(match["what"], subject) and len(match["what"].split()) >= SHORTEST:
        return [("fact", f"What {match['be'].lower()} {_inside(match['what'])} called?")]
    match = _SHOULD_BE.match(said)
    if match and _is_subject(match["what"], subject):
        return [("fact", f"What should {_inside(match['what'])} be?")]
    return []


def _how_many(said: str, subject: str) -> list[tuple[str, str]]:
    match = _NUMBER.match(said)
    if not match or not _is_subject(match["what"], subject):
        return []
    if match["verb"] not in VERBS and match["verb"] != "has":
        return []
    verb = "have" if match["verb"] == "has" else _base(match["verb"])
    return [("fact", f"How many {match['things']} does {_inside(match['what'])} {verb}?")]


def _whether(said: str, subject: str) -> list[tuple[str, str]]:
    """Yes or no: "Never drop the last batch" is "Should I drop the last batch?"."""
    match = _NEVER.match(said)
    deed = _BREAK.split(match["deed"])[0].strip() if match else ""
    if deed.partition(" ")[0] in INSTRUCTS and _fits(deed):
        return [("fact", f"Should I {mine(deed)}?")]
    verb, _, tail = _after(said, subject).partition(" ")
    rest = _BREAK.split(tail)[0].strip()
    if verb in ("can", "should") and not rest.startswith(("not ", "be ")) and _fits(rest):
        named = _inside(said[: said.index(f" {verb} ")])
        return [("fact", f"{verb.capitalize()} {named} {mine(rest)}?")]
    return []


def _what_does(said: str, subject: str) -> list[tuple[str, str]]:
    rest = _after(said, subject)
    verb, _, tail = rest.partition(" ")
    does = _BREAK.split(tail)[0].strip()
    if verb not in VERBS or not _fits(does) or _NO_OBJECT.match(does):
        return []
    if does.split()[0] in AUXILIARIES:
        return []
    return [("fact", f"What {verb} {does}?")]


def _which(said: str, subject: str) -> list[tuple[str, str]]:
    match = _IS_ONE.match(said)
    if not match or not subject or _letters(match["name"]) != _letters(subject):
        return []
    does = _BREAK.split(match["does"])[0].strip()
    if not _fits(does):
        return []
    return [("fact", f"Which {match['sort']} {does}?")]


def _asked(claim: str, subject: str) -> str:
    """A statement in a question's order: "the loss is high" is "is the loss high"; else ""."""
    words = claim.split()
    first = words[0].lower()
    if first in ("we", "you", "i") and len(words) > 2:
        return _asked_of_person("we" if first == "we" else "I", words[1:])
    rest = _after(claim, subject)
    if rest:
        return _asked_of_thing(_inside(claim[: len(claim) - len(rest)].strip()), rest)
    at = next((i for i, w in enumerate(words[1:6], 1) if w in AUXILIARIES), 0)
    noun_phrase = " ".join(words[:at])
    if first not in _DETERMINERS or not at or _NOT_A_SUBJECT.search(noun_phrase):
        return ""
    return f"{words[at]} {_inside(noun_phrase)} {mine(' '.join(words[at + 1 :]))}"


def _asked_of_person(person: str, words: Sequence[str]) -> str:
    verb = words[0]
    if verb in AUXILIARIES:
        return f"{verb} {person} {mine(' '.join(words[1:]))}"
    plain = verb.isalpha() and not verb.endswith(("ed", "s", "ly"))
    return f"do {person} {mine(' '.join(words))}" if plain else ""


def _asked_of_thing(name: str, rest: str) -> str:
    verb, _, tail = rest.partition(" ")
    if verb in ("is", "are") and re.match(r"(?:an?|the|one|what|\w+ing)\b", tail):
        return ""  # it says what something is, not how it comes
    if verb in AUXILIARIES - {"do", "have"}:
        return f"{verb} {name} {tail}"
    return f"does {name} {_base(verb)} {tail}" if verb in VERBS else ""


def _after(said: str, subject: str) -> str:
    """What follows the subject with which a sentence opens; "" when it does not open with it."""
    if not subject:
        return ""
    match = re.match(rf"(?:the |an? )?{re.escape(subject)} (?=[a-z])", said, re.I)
    return said[match.end() :] if match else ""


def _base(verb: str) -> str:
    """A verb in the third person without its ending: "carries" is "carry", "matches" is "match"."""
    if verb.endswith("ies"):
        return verb[:-3] + "y"
    return verb[:-2] if verb.endswith(("ches", "shes", "sses", "xes")) else verb[:-1]


def _is_subject(phrase: str, subject: str) -> bool:
    """Whether a phrase opens with a known name or an article, and holds no other clause."""
    named = bool(subject) and _letters(phrase).startswith(_letters(subject))
    opens = named or re.match(r"(?:the|an?|every|each|all|most) ", phrase, re.I)
    clause = _NOT_A_SUBJECT.search(phrase) or _POINTS.search(phrase)
    return bool(opens) and not clause and len(phrase.split()) <= LONGEST


def _fits(part: str, least: int = SHORTEST) -> bool:
    """Whether a part of a sentence can be asked alone: long enough, and pointing nowhere."""
    words = part.lower().split()
    if not least <= len(words) <= LONGEST or _POINTS.search(part):
        return False
    telling = sum(word not in FUNCTION_WORDS for word in words)
    return telling >= 2 and words[-1] not in FUNCTION_WORDS


def _inside(phrase: str) -> str:
    """A phrase that opened a sentence, inside one: its plain first word in lower case."""
    first, blank, rest = phrase.partition(" ")
    return first.lower() + blank + rest if first[1:].islower() or len(first) == 1 else phrase


def _letters(name: str) -> str:
    """A name's letters, to compare spellings."""
    return re.sub(r"\W+", " ", name).casefold().strip()
