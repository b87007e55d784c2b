"""What a follow-up means in its conversation: the question as it would be asked alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.answering.question.kinds import kind_of
from app.answering.question.sides import sides_of
from app.answering.reading.clauses import content_of
from kg.linking import Found, Lexicon, words
from kg.types import Answer, Concept

__all__ = ["Turn", "resolve", "wants_more"]

Turn = tuple[str, Answer]  # a question as it was asked, and its answer

FOLLOW_UP_WORDS = 7
REMEMBERED = 40  # turns
_OPENER = re.compile(
    r"^\s*(?:(?:and|or|but|also|then|ok(?:ay)?|so|hm+|yes|no|thanks|thank you|i see)\b[\s,.!]*)*"
    r"(?:(?:what|how) about|what if)?[\s,]*",
    re.I,
)
_MORE = re.compile(
    r"^\s*(?:(?:and|ok(?:ay)?)\W+)?(?:(?:tell|show|give) me )?(?:some )?"
    r"(?:more|more (?:details?|please|about (?:it|this|that))|"
    r"go on|continue|what else|anything else|else|further|(?:and )?then(?: what)?"
    r"|in more detail)\W*$",
    re.I,
)
# Pronouns that point back. "This" and "that" do so only alone: "this rate" and "tell that it fits"
# do not.
_AUXILIARY = (
    r"is|are|was|were|does|do|did|can|could|should|would|will|has|have|work|works|help"
    r"|helps|mean|means|happen|happens"
)
_MANNER = r"again|simpler|more simply|differently|please|in (?:simple|other|plain|more|a few)|to me"
_POINTING = re.compile(
    r"\b(?P<whose>its|their)\b(?=\s+\w)|\b(?:it|they|them)\b|\b(?:that|this) one\b"
    rf"|\b(?:this|that|these|those)\b(?=\s*(?:$|[?.!,]|(?:{_AUXILIARY}|{_MANNER})\b))",
    re.I,
)
_EMPTY_IT = re.compile(
    r"\b(?:is|was|does|would|will|can|isn't|if|when|that) it(?:'s)? (?:be )?(?:\w+ly )?"
    r"(?:normal|better|best|good|ok|okay|possible|true|worth|necessary|bad|safe|important|"
    r"enough|wise|useful|pay|matter|make sense|help|take|a problem|"
    r"a good idea|fine|right)\b.*\b(?:to|that|if|when|for)\b|\b(?:it takes|does it take)\b.*\bto\b",
    re.I,
)
# "… the body when it …": a noun, then another clause.
_OWN_NOUN = re.compile(
    r"\b(?:the|an?|my|our|your|some|all|every) \w+\b.*(?:,|\b(?:when|if|because|that|and|while"
    r"|before|after|so)\b)",
    re.I,
)
_OTHER_ONE = re.compile(r"\bthe (?:other|second|latter|last)(?: one)?\b", re.I)
_FIRST_ONE = re.compile(r"\bthe (?:first|former)(?: one)?\b", re.I)
_BOTH = re.compile(
    r"(?<=between )(?:them|these|those|the two|both)\b|(?<=compare )(?:them|these|those|the two"
    r"|both)\b",
    re.I,
)
_WHICH_ONE = re.compile(
    r"^\s*(?:and\s+)?(?:so\s+)?which(?: one| of (?:them|the two|these|those))?\s+(?=\w)", re.I
)
_SOURCE = r"(?:lecture|lesson|video|notebook|chapter|note|paper|link|source)"
_THAT = r"(?:it|that|this)"
# What a follow-up may ask of the last subject by a word or two alone.
_ASIDES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"^(?:(?:can|could) (?:you|i) )?(?:{pattern})\W*$", re.I), meaning)
    for pattern, meaning in (
        (
            r"(?:(?:an?|one|some|for|(?:give me|show me|have|see|is there) an?"
            r"|any)\s+)?examples?(?: please)?",
            "example of {}",
        ),
        (
            r"(?:(?:show|give)(?: me)? )?(?:the |some |is there |any )?(?:code|snippet)(?: please)?"
            r"|how in code"
            r"|how do i code (?:it|this|that)|(?:how (?:do|can) i )?implement (?:it|this|that)"
            r"|in (?:pytorch|fastai|code)",
            "show the code for {}",
        ),
        (
            r"(?:(?:show|give)(?: me)? |what(?:'s| is) )?(?:the |its )?(?:formula|equation)s?",
            "formula of {}",
        ),
        (
            rf"(?:(?:in )?(?:which|what) {_SOURCE}s?(?: is {_THAT}(?: in)?)?"
            rf"|(?:is there |any |show me )?(?:an? |the )?{_SOURCE}s?(?: about {_THAT})?"
            rf"|where(?: is {_THAT}(?: explained| described)?)?|where can i read (?:more"
            rf"|about {_THAT}))",
            "lecture, video or notebook about {}",
        ),
        (
            rf"(?:what(?:'s| is|s)? )?next|what comes (?:next|after(?: {_THAT})?)"
            rf"|(?:and )?after {_THAT}"
            rf"|what (?:can|should) i learn (?:next|after {_THAT})|where (?:do|can) i go from here",
            "What comes after {}",
        ),
        (
            r"(?:what )?(?:(?:do|should|must) i (?:need|know|learn) )?(?:before"
            rf"|first)(?: {_THAT})?|prerequisites",
            "What do I need before {}",
        ),
    )
)
_BARE = re.compile(
    r"^(?:why|how|when|where|who|how (?:much|many|long|often|so|come)|since when|why not"
    r"|why is that)$",
    re.I,
)
# A condition at the end of a question, which a follow-up replaces: "… when frozen?" — "and after
# unfreezing?"
_PLACES = "when|before|after|if|while|with|without|during|once|for|in|on|at|under"
_LATER = re.compile(r"[\s,]+(?:when|before|after|if|while|with|without|during|once)\b.*$", re.I)
_CONDITION_START = re.compile(rf"^(?P<word>{_PLACES})\b", re.I)
_ASKS = re.compile(
    r"^(?:when|if|(?:in|on|at|for|with) (?:which|what))\s+"
    r"(?:do|does|did|is|are|was|can|should|must|will|would)\b",
    re.I,
)
_WH = re.compile(
    r"^(?:what(?:'s| is| are| does| do)?|which|who|why(?: is| are| do| does| should)?|"
    r"how(?: (?:do|does|can|should|to))?(?: (?:i|we|you))?|when (?:do|does|should|is|are)?(?: i)?|"
    r"is|are|does|do|should i|can i|should|can|define|explain)\s+",
    re.I,
)


def wants_more(question: str) -> bool:
    """Whether a follow-up asks to go on with the last answer: "more", "go on", "what else?"."""
    return bool(_MORE.match(question))


def resolve(
    question: str, history: Sequence[Turn], concepts: Sequence[Concept], lexicon: Lexicon
) -> str:
    """The question as it would be asked alone; unchanged when it is no follow-up.

    A pronoun takes what was talked about last; "and X?" asks the last question of X; "and after …?"
    keeps the last question and replaces its condition; "why?", "an example?", "in which lecture?"
    ask this of the last subject; "the other one" is the side of a comparison that was not talked
    about last. A question that names what it is about and is whole stays as it is.
    """
    recent = history[-REMEMBERED:]
    alone: list[str] = []  # what each turn asked
    for i, (asked, _) in enumerate(recent):
        alone.append(_resolved(asked, recent[:i], alone, concepts, lexicon))
    return _resolved(question, recent, alone, concepts, lexicon)


@dataclass(frozen=True, slots=True)
class _FollowUp:
    """What is asked after other questions, with what these were about."""

    question: str
    rest: str  # without "and", "what about"
    before: str  # the last question, as it would be asked alone
    topic: str  # what was talked about last; "" where nothing was
    named: Sequence[Found]  # concepts that the rest names
    lexicon: Lexicon

    @property
    def opened(self) -> bool:
        """Whether it begins with "and", "what about" or the like."""
        return len(self.rest) < len(self.question.strip(" ?.!,"))

    @property
    def short(self) -> bool:
        """Whether it is too short to say all that it means."""
        return len(words(self.question)) <= FOLLOW_UP_WORDS


def _resolved(
    question: str,
    history: Sequence[Turn],
    alone: Sequence[str],
    concepts: Sequence[Concept],
    lexicon: Lexicon,
) -> str:
    """The question as it would be asked alone; `alone` has that for each turn of the history."""
    rest = _OPENER.sub("", question).strip(" ?.!,")
    if not history or (not rest and not wants_more(question)):
        return question
    before = alone[-1].strip(" ?.!")
    if wants_more(question):
        return before
    topic = _topic(before, history, concepts, lexicon)
    named = lexicon.find(rest, strict_case=False)
    asked = _FollowUp(question, rest, before, topic, named, lexicon)
    return (
        _of_comparison(question, rest, history, alone, concepts, lexicon)
        or _aside(asked)
        or _pointing(asked)
        or _unsaid(asked)
        or _conditioned(asked)
        or _of_another(asked)
        or question
    )


def _aside(asked: _FollowUp) -> str:
    """What a word or two ask of the last topic: "an example?", "in which lecture?", "why?"."""
    if not asked.topic:
        return ""
    for pattern, meaning in _ASIDES:
        if pattern.match(asked.rest):
            return meaning.format(asked.topic)
    return _bare(asked.rest, asked.before, asked.topic) if _BARE.match(asked.rest) else ""


def _pointing(asked: _FollowUp) -> str:
    """The question with its pronoun replaced by the last topic."""
    pronoun = _POINTING.search(asked.question)
    if pronoun is None or not asked.topic or _EMPTY_IT.search(asked.question):
        return ""
    # In "what is dropout and how does it work?" the pronoun has its noun beside it; so it has in a
    # question that is no short one and says what it is about before.
    before = asked.question[: pronoun.start()]
    if _OWN_NOUN.search(before) or (not asked.short and content_of(before)):
        return ""
    named = asked.lexicon.find(asked.question, strict_case=False)
    if named and named[0].start <= pronoun.start():
        return ""
    whose = f"{asked.topic}'s"
    return _POINTING.sub(lambda m: whose if m["whose"] else asked.topic, asked.question)


def _unsaid(asked: _FollowUp) -> str:
    """The question of the last topic, where it names nothing: "how much should I use?"."""
    if asked.topic and asked.short and not asked.named and not content_of(asked.rest):
        return f"{asked.question.strip(' ?.!')} {asked.topic}"
    return ""


def _conditioned(asked: _FollowUp) -> str:
    """The last question under another condition: "and after unfreezing?"."""
    condition = _CONDITION_START.match(asked.rest)
    if condition is None or not asked.short or _ASKS.match(asked.rest):
        return ""
    if not asked.opened and len(words(asked.rest)) > 4:
        return ""
    word = condition["word"].lower()
    return _under(asked.before, asked.rest, word, bool(asked.named), asked.lexicon)


def _of_another(asked: _FollowUp) -> str:
    """The last question of something else: "and weight decay?"."""
    if not asked.opened or not asked.short:
        return ""
    if asked.named:
        first = asked.named[0]
        only = first.start == 0 and _only_names(asked.rest, first.end)
        return _about(asked.before, asked.rest, asked.lexicon) if only else ""
    if _WH.match(asked.rest) or kind_of(asked.rest, 0) not in ("fact", "definition"):
        return ""
    if kind_of(asked.before, 1) == "definition" and len(words(asked.rest)) <= 3:
        return _about(asked.before, asked.rest, asked.lexicon)
    return f"{asked.before} {asked.rest}"


def _topic(
    before: str, history: Sequence[Turn], concepts: Sequence[Concept], lexicon: Lexicon
) -> str:
    """What was talked about last: the main concept of the last answer that has one, else of the
    last question.
    """
    named = lexicon.find(before, strict_case=False)
    for _, answered in reversed(history):
        if answered.concepts:
            return answered.concepts[0]
        if named:
            break
    return concepts[named[0].concept].label if named else ""


def _of_comparison(
    question: str,
    rest: str,
    history: Sequence[Turn],
    alone: Sequence[str],
    concepts: Sequence[Concept],
    lexicon: Lexicon,
) -> str:
    """A follow-up on one side of a comparison, or on which side is more of something; "" when it is
    none.
    """
    if _BOTH.search(question) and not lexicon.find(rest, strict_case=False):
        topics = list(dict.fromkeys(t[1].concepts[0] for t in reversed(history) if t[1].concepts))
        return _BOTH.sub(f"{topics[1]} and {topics[0]}", question) if len(topics) >= 2 else ""
    at = next(
        (i for i in reversed(range(len(history))) if history[i][1].kind == "comparison"), None
    )
    if at is None:
        return ""
    turn = history[at]
    sides = turn[1].concepts[:2] if len(turn[1].concepts) >= 2 else sides_of(alone[at])
    if sides is None:
        return ""
    if _WHICH_ONE.match(question) and not lexicon.find(rest, strict_case=False):
        return f"which {_WHICH_ONE.sub('', question).strip(' ?.!')}, {sides[0]} or {sides[1]}"
    if not (_OTHER_ONE.search(question) or _FIRST_ONE.search(question)):
        return ""
    before = alone[-1].strip(" ?.!")
    last = [concepts[f.concept].label for f in lexicon.find(before, strict_case=False)]
    # Where one side was talked about since, "the other" is not that one.
    since = sides[1] if turn is history[-1] or not last or last[0] != sides[1] else sides[0]
    side = since if re.search(r"\bthe other\b", question, re.I) else sides[1]
    side = sides[0] if _FIRST_ONE.search(question) and not _OTHER_ONE.search(question) else side
    for pattern in (_OTHER_ONE, _FIRST_ONE):
        if not pattern.sub("", rest).strip(" ?.!,"):
            return f"What is {side}" if turn is history[-1] else _about(before, side, lexicon)
    return _FIRST_ONE.sub(side, _OTHER_ONE.sub(side, question))


def _bare(rest: str, before: str, topic: str) -> str:
    """ "why?" after a definition asks it of the concept, after another question of what was
    asked.
    """
    word = re.sub(r"\s+(?:so|come|is that|not)$", "", rest.lower())
    word = "why" if rest.lower().startswith(("why", "how so", "how come")) else word
    if kind_of(before, 1) in ("definition", "path", "next", "where", "comparison", "list"):
        return f"{word} {topic}"
    return f"{word} {_WH.sub('', before)}"


def _under(before: str, rest: str, word: str, named: bool, lexicon: Lexicon) -> str:
    """The last question with another condition."""
    same = re.search(rf"[\s,]+{word}\b(?!.*[\s,]{word}\b).*$", before, re.I)
    if same:
        return f"{before[: same.start()]} {rest}"
    if word in ("for", "in", "on", "at", "with", "under"):
        name = rest.split(None, 1)[1] if " " in rest else ""
        if named and name and kind_of(before, 1) == "definition":
            return _about(before, name, lexicon)
        return f"{before} {rest}"
    return f"{_LATER.sub('', before)} {rest}"


def _only_names(rest: str, end: int) -> bool:
    """Whether a follow-up is hardly more than a name."""
    return len(words(rest[end:])) <= 1


def _about(before: str, name: str, lexicon: Lexicon) -> str:
    """The last question, asked of another concept; of a comparison, its second side."""
    named = lexicon.find(before, strict_case=False)
    if not named:
        return f"{before} {name}"
    at = named[-1] if kind_of(before, len(named)) == "comparison" else named[0]
    return before[: at.start] + name + before[at.end :]
