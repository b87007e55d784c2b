"""Which recipes fit an answer, how surely, and with parameters preset from the question's words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from app.answering.offers.presets import presets, without_presets, without_values
from app.answering.offers.subjects import ABOUT, Subject, subject_of, vetoed, wish
from executors.recipe import Recipe, recipes
from kg.linking import STOP_WORDS, fold
from kg.types import RecipeOffer

__all__ = ["LEARNED_FROM", "OFFERED_FROM", "as_asked", "offers"]

OFFERED_FROM = 0.5
LEARNED_FROM = 0.6  # of a wish that is judged by the wording alone
_RULED_OUT = 0.15  # below, the wording says that what names a recipe does not wish for it
_JOINED = re.compile(
    r"[\s,&]*(?:and|or|plus|,)\s+(?:(?:the|an?|my|what|which|best|right|good)\s+)*"
)
# Words that belong to the asking or to a parameter, so that "what lr for my csv?" is about nothing
# but the rate.
_FORM = frozenset(
    re.findall(
        r"[\w-]+",
        "after anything before best better biggest calculate card check choose compute computer csv data dataset "
        "define definition describe determine dont during epoch epochs estimate exactly find fine fine-tune "
        "fine-tuning finetune fit freezing frozen gb good gpu highest ideal image images laptop largest launch "
        "learner look machine max maximum mb meaning measure model models net network number one optimal photo "
        "photos pick picture pictures pixel pixels please precisely proper px recommend recommended right run "
        "select set smallest start suggest suitable tell test train training try tune unfreeze unfreezing unfrozen "
        "value when while whole",
    )
)
# Words whose slips of the keyboard are mended before anything is read; a vault's own words are
# mended elsewhere.
_KNOWN = frozenset(
    re.findall(
        r"[\w-]+",
        "biggest classifier collaborative dropout initialisation initialization kaiming keypoints largest learning "
        "mislabelled overfitting precision progressive regularisation regularization resizing resolution "
        "segmentation tabular unfreezing unfrozen",
    )
)
_SPARED = frozenset(
    {"leaning", "initialisations", "initializations", "classified", "overfitting", "classifiers"}
)
_EMPTY = (
    _FORM
    | STOP_WORDS
    | {"sensible", "safe", "reasonable", "decent", "correct", "lowest", "maximal", "ok"}
)
_NETWORK = re.compile(r"(?:res|dense|mobile|efficient|squeeze|conv|reg|xres)(?:ne|nex)t\w*|vgg\w*")


def as_asked(question: str) -> str:
    """The question as it is matched: in lower case, without slips in the words that recipes are
    known by.
    """
    return _tidied(question).lower()


def offers(
    question: str, concepts: Sequence[str], judged: Mapping[str, float] | None = None
) -> tuple[RecipeOffer, ...]:
    """Recipes that a question wishes for, surest first; none when it is not sure enough that it
    does.

    Rules read how the question speaks of what a recipe is about. Where its wording is judged as
    well, that rules an offer out, and finds wishes that no rule foresaw.

    Parameters
    ----------
    concepts : sequence of str
        Labels and aliases of the concepts the answer is mainly about.
    judged : mapping of str to float, optional
        The probability of each recipe that the wording wishes for it, see
        `app.answering.offers.wishes`.
    """
    said = _tidied(question)
    ruled = _ruled(said, concepts)
    if judged is None:
        return ruled
    if ruled and judged.get(ruled[0].name, 1.0) >= _RULED_OUT:
        return ruled
    return _worded(said, judged)


def _worded(said: str, judged: Mapping[str, float]) -> tuple[RecipeOffer, ...]:
    """The recipe that the wording wishes for, if that is sure enough."""
    name, sure = max(judged.items(), key=lambda one: one[1], default=("", 0.0))
    recipe = next((recipe for recipe in recipes() if recipe.name == name), None)
    if sure < LEARNED_FROM or recipe is None:
        return ()
    params = presets(recipe, said)
    if params is None:
        return ()
    return (RecipeOffer(name, params, "the question reads as a wish for it", round(sure, 2)),)


def _ruled(said: str, concepts: Sequence[str]) -> tuple[RecipeOffer, ...]:
    """What the rules offer."""
    asked = said.lower()
    if vetoed(asked):
        return ()
    plain = " ".join(without_values(asked).split())
    read = [(recipe, *_sure(asked, plain, subject_of(recipe), concepts)) for recipe in recipes()]
    read.sort(key=lambda r: (-r[1], _span(plain, r[0])))
    if not read or read[0][1] < OFFERED_FROM:
        return ()
    first, surest, _ = read[0]
    found = []
    for recipe, sure, why in read:
        if recipe is not first and not _joined(plain, _span(plain, first), _span(plain, recipe)):
            continue
        params = presets(recipe, said)
        if params is not None:
            found.append(
                RecipeOffer(
                    recipe.name,
                    params,
                    why or "the question asks for both",
                    round(sure or surest, 2),
                )
            )
    return tuple(found)


def _sure(asked: str, plain: str, subject: Subject, concepts: Sequence[str]) -> tuple[float, str]:
    """How surely a question wishes for a subject, and the reason in a few words; `plain` is without
    given values.
    """
    named = subject.named.search(plain)
    rest = _rest(without_presets(subject.named.sub(" ", plain)))
    sure = wish(plain, subject, rest)
    if sure:
        return (
            sure,
            f"the question is about {named.group().strip()}"
            if named
            else "the question describes it",
        )
    about = next((name for name in concepts if subject.named.fullmatch(name.lower())), "")
    if about and not rest and not subject.named.search(asked):
        return ABOUT * subject.weight, f"the answer is about {about.lower()}"
    return 0.0, ""


def _rest(text: str) -> frozenset[str]:
    """Words of a text that say something beside the form of asking."""
    spoken = re.findall(r"[a-z][a-z'_-]*", text)
    return frozenset(w for w in spoken if not {w, fold(w)} & _EMPTY and not _NETWORK.fullmatch(w))


def _span(asked: str, recipe: Recipe) -> tuple[int, int]:
    """Where a question names a recipe's subject; behind its end when it does not."""
    named = subject_of(recipe).named.search(asked)
    return named.span() if named else (len(asked) + 1, len(asked) + 1)


def _joined(asked: str, one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether a question asks for both at once: "which learning rate and weight decay?"."""
    left, right = sorted((one, other))
    return left[1] < right[0] <= len(asked) and bool(_JOINED.fullmatch(asked[left[1] : right[0]]))


def _tidied(question: str) -> str:
    """The question on one line, without slips, its capitals kept: a column's name has them."""
    return " ".join(re.sub(r"\bw/o\b", "without", _mended(question)).replace("’", "'").split())


def _mended(question: str) -> str:
    """A question without slips in the words that recipes are known by: "learnig rate",
    "percision".
    """

    def mend(match: re.Match[str]) -> str:
        said = match.group().lower()
        if said in _KNOWN or said in _SPARED:
            return match.group()
        near = {known for known in _KNOWN if _one_slip(said, known)}
        return near.pop() if len(near) == 1 else match.group()

    return re.sub(r"(?<![\w/.-])[A-Za-z]{6,}(?![\w/-])", mend, question)


def _one_slip(said: str, known: str) -> bool:
    """Whether one letter is missing, added or wrong, or two neighbours are exchanged; never the
    first.
    """
    if said[:1] != known[:1] or abs(len(said) - len(known)) > 1:
        return False
    at = next(
        (i for i, (a, b) in enumerate(zip(said, known, strict=False)) if a != b),
        min(len(said), len(known)),
    )
    one, two = said[at:], known[at:]
    return (
        one[1:] == two[1:]
        or one[1:] == two
        or one == two[1:]
        or (one[:2] == two[1::-1] and one[2:] == two[2:])
    )
