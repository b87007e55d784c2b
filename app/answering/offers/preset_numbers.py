"""Numbers that a question gives to parameters, found by the parameters' names and their everyday
synonyms.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import cache

from executors.parameters import Parameter, check_value

__all__ = ["epochs_of", "numbers", "without_patience"]

_TO_TEN = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMERALS = {word: n for n, word in enumerate(_TO_TEN, 1)} | {
    "twelve": 12,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
}
_NUMERALS |= {"forty": 40, "fifty": 50, "hundred": 100}
_COUNT = rf"(\d{{1,7}}|{'|'.join(_NUMERALS)})"
_FIGURE = (
    r"((?:\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?)(?!\.?\d|[^\W_])\s?(%|percent\b|min(?:utes?)?\b)?"
)
_LINK = r"(?:[\s:=(~]|\b(?:is|of|to|at|set|value|rate|probability|strength|alpha|ps?|eps)\b){1,9}"
# "wd 0.1 or 0.01?" asks which, and "lr 0.1 is too high" gives none.
_UNDECIDED = r"(?!\s*(?:or|vs\.?|versus|to|->|→|/)\s*\.?\d|\s*,\s*(?:\d*\.\d|\d+e-)|\s*(?:(?:is|was|seems)\s+)?(?:far )?too\b)"  # noqa: E501
_NO_FIGURE = r"(?!\s*[=:]|\s+\.?\d)"
_NAMED = {
    "weight_decay": r"weight[ _-]?decay|wd",
    "dropout": r"drop-?out",
    "label_smoothing": r"label[ _-]?smoothing",
    "mixup": r"mix[ -]?up",
    "repeats": r"repeats|repetitions",
    "patience": r"patience",
    "seed": r"seed",
    "seeds": r"seeds",
    "num_it": r"num[ _]?it|iterations",
    "start_lr": r"start[ _-]?lr|(?:lowest|smallest|start(?:ing)?) (?:learning )?rate",
    "end_lr": r"end[ _-]?lr|(?:highest|largest|end) (?:learning )?rate",
    "lr": r"(?<!start )(?<!end )(?<!start_)(?<!end_)(?:lr|learning[ -]rate)",
    "effective_batch": r"effective[ -]batch(?:[ -]?size)?",
    "worst": r"worst",
    "margin": r"margin",
    "trial_timeout": r"(?:trial[ _])?time-?out",
}
_BATCHES = r"(?:mini-?)?batches"
_COUNTED = {
    "repeats": rf"\b{_COUNT} (?:repeats|repetitions|runs of each|times each)\b"
    rf"|\brepeat(?:ed)?(?: \w+)? {_COUNT} times\b",
    "seeds": rf"\b{_COUNT} (?:\w+ )?(?:seeds|sweeps)\b",
    "num_it": rf"\b{_COUNT} (?:iterations|iters)\b|\b(?:over|of|for|during) {_COUNT} {_BATCHES}\b",
    "patience": (
        r"(?:n't|\b(?:not|no|stops?|stopped|without|ceases?)) (?:\w+ ){0,3}?(?:improv\w+|better|progress\w*)"
        rf"(?: \w+)? (?:for|in|over|within|during)(?: the)?(?: last)? {_COUNT} epochs?\b"
        rf"|\b(?:stalls?|stalled|stagnates?|plateaus?|flat) (?:for|over) {_COUNT} epochs?\b"
        rf"|\b{_COUNT}[ -]epochs?(?: of)? patience\b"
        rf"|\b{_COUNT} epochs? (?:without|with no|of no) (?:\w+ ){{0,2}}(?:improv\w+|better|progress|gain)"
    ),
    "worst": (
        rf"\b(?:top|worst)[ -]{_COUNT}\b(?![ -](?:acc|err|score|epoch))"
        rf"|\b{_COUNT} (?:\w+ )?(?:"
        r"worst|(?:most )?(?:suspicious|suspect|doubtful)|(?:with (?:the )?)?highest loss(?:es)?|top loss(?:es)?)\b"
    ),
    "steps": rf"\b{_COUNT} (?:\w+ )?(?:steps|{_BATCHES})\b",
    "train_batches": rf"\b(?:after|train(?:ed|ing)?(?: it)?(?: for)?|first)(?: on)? {_COUNT} "
    rf"(?:\w+ )?(?:steps|{_BATCHES})\b",
    "max_batch": rf"\b(?:max_batch|max batch)\s?[=:]\s?{_COUNT}\b"
    rf"|\btry no (?:larger|bigger|more) than {_COUNT}\b(?!\s?[gm%p])",
    "effective_batch": rf"\baccumulat\w+ (?:\w+ )?(?:up )?to {_COUNT}\b(?! steps)",
}
_SHARE_FREE = re.compile(
    r"\b(?:leave|leaving|keep|keeping) (\d+(?:\.\d+)?)\s?(?:%|percent) (?:[\w ]{0,20} )?free\b",
    re.I,
)
_ALPHA = re.compile(rf"\bmix[ -]?up\b.*\balpha{_LINK}{_FIGURE}{_UNDECIDED}", re.I)
_RANGE = re.compile(
    r"\b(?:sweep\w*|search\w*|scan\w*|try|range|finder|lr_find|curve|rates?|lr)\b[^.;?!]*?\b(?:from|between)\s"
    r"(\d[\d.]*(?:e-?\d+)?)\s?(?:to|and|up to|-|–|->|→)\s?(\d[\d.]*(?:e-?\d+)?)(?![\w%])(?!\s?(?:px|pix|epoch|gb|mb))",
    re.I,
)
_HEAD = r"(?:frozen|freez(?:e|ing)|(?:of |on |with |for )?(?:the |just the |only the )?(?:new )?head(?: (?:only|alone))?)"  # noqa: E501
_WHOLE = (
    r"(?:unfrozen|unfreez(?:e|ing)|"
    r"(?:of |on |with |for )?(?:all(?: the)? layers|the (?:whole|entire|full) (?:network|net|model)))"
)
_PHASED = (
    r"\b{count}(?: (?:more|further|other))?(?:[ -]epochs?)?(?:,)? {phase}\b"
    r"|\b{phase}(?: for)? {count}(?: more)? epochs?\b"
)
_FROZEN_EPOCHS = re.compile(_PHASED.format(count=_COUNT, phase=_HEAD), re.I)
_WHOLE_EPOCHS = re.compile(_PHASED.format(count=_COUNT, phase=_WHOLE), re.I)
# What is told of epochs that went by, or of one of many, gives no length: "overfits after 3
# epochs", "every 5 epochs".
_EPOCHS = re.compile(
    rf"(?<!every )(?<!each )(?<!first )(?<!last )(?<!past )(?<!previous )(?<!than )(?<![.\d])\b{_COUNT}[ -]epochs?\b"
    r"(?!\s(?:ago|takes?|took|lasts?|already|later))"
    r"|(?<!per )\bn?_?epochs?\s?(?:=|:|of)\s?(\d{1,5})\b|\bepochs (\d{1,5})\b"
    r"|\b(?:fit_one_cycle|fine_tune|fit)\((\d{1,5})\b",
    re.I,
)
_WENT_BY = re.compile(
    rf"\b{_COUNT}\s?(?:to|or|-|–|vs\.?)\s?{_COUNT}[ -]epochs?\b|"
    rf"(?<!stop )\bafter(?: just| only| about| the first)? {_COUNT}[ -]epochs?\b",
    re.I,
)


def numbers(parameters: Iterable[Parameter], question: str) -> dict[str, int | float]:
    """Numbers given by name to the numeric ones of a recipe's parameters; none out of bounds, none
    of two for one.

    Sizes in px, the batch size and epochs are read elsewhere, for their names are not said with
    them.
    """
    said: dict[str, int | float] = {}
    known = {
        parameter.name: parameter for parameter in parameters if parameter.type in ("int", "float")
    }
    taken = {match.start(1) for name in known for match in _named(name).finditer(question)}
    for name, parameter in known.items():
        if name in ("batch_size", "size", "epochs", "epochs_frozen"):
            continue
        values = {value for value in _found(parameter, question, taken) if _fits(parameter, value)}
        if len(values) == 1:
            value = values.pop()
            said[name] = int(value) if parameter.type == "int" else value
    swept = _RANGE.search(question)
    if swept and {"start_lr", "end_lr"} <= known.keys():
        low, high = _real(swept[1]), _real(swept[2])
        if (
            low < high
            and low < 0.1
            and _fits(known["start_lr"], low)
            and _fits(known["end_lr"], high)
        ):
            said |= {"start_lr": low, "end_lr": high}
    return said


def epochs_of(question: str, split: bool) -> dict[str, int]:
    """How long is to be trained: `epochs`, and where the recipe has two phases (`split`)
    `epochs_frozen`, if said.

    >>> epochs_of("2 epochs frozen, then 10 unfrozen", split=True)
    {'epochs_frozen': 2, 'epochs': 10}
    """
    text = without_patience(question)
    said: dict[str, int] = {}
    frozen, whole = _counts(_FROZEN_EPOCHS, text), _counts(_WHOLE_EPOCHS, text)
    if split:
        text = _FROZEN_EPOCHS.sub(" ", text)
        if len(frozen) == 1:
            said["epochs_frozen"] = frozen.pop()
    found = whole or _counts(_EPOCHS, _WENT_BY.sub(" ", text))
    if len(found) == 1:
        said["epochs"] = found.pop()
    return said


def without_patience(question: str) -> str:
    """A question without the epochs after which to stop: these are not for how long to train."""
    return _counted("patience").sub(" ", question)


def _found(parameter: Parameter, question: str, taken: Collection[int]) -> set[float]:
    """Numbers that a question gives to a parameter; those at `taken` stand after another's name."""
    name = parameter.name
    found = set()
    after = list(_named(name).finditer(question))
    before = (match for match in _before(name).finditer(question) if match.start(1) not in taken)
    for match in after or (before if parameter.type == "float" else ()):
        value = _real(match[1])
        if match[2] and match[2][0] in "%p" and not match[2].startswith("px"):
            value /= 100
        elif match[2]:
            if parameter.unit != "s":
                continue
            value *= 60
        found.add(value)
    if name in _COUNTED:
        found |= {float(value) for value in _counts(_counted(name), question)}
    if name == "mixup":
        found |= {_real(match[1]) for match in _ALPHA.finditer(question)}
    if name == "margin":
        found |= {_real(match[1]) / 100 for match in _SHARE_FREE.finditer(question)}
    return found


@cache
def _named(name: str) -> re.Pattern[str]:
    words = _NAMED.get(name, name.replace("_", "[ _-]?"))
    return re.compile(rf"(?<![\w-])(?:{words}){_LINK}{_FIGURE}{_UNDECIDED}", re.I)


@cache
def _before(name: str) -> re.Pattern[str]:
    """The number first: "0.3 dropout", but not in "0.1 or 0.3 dropout"."""
    words = _NAMED.get(name, name.replace("_", "[ _-]?"))
    return re.compile(
        rf"(?<!or )(?<!vs )(?<!to )(?<![\w.-]){_FIGURE}\s?(?:of )?(?:{words})\b{_NO_FIGURE}", re.I
    )


@cache
def _counted(name: str) -> re.Pattern[str]:
    return re.compile(_COUNTED[name], re.I)


def _counts(words: re.Pattern[str], text: str) -> set[int]:
    found = (next(group for group in match.groups() if group) for match in words.finditer(text))
    return {_NUMERALS.get(said.lower()) or int(said) for said in found}


def _real(figure: str) -> float:
    try:
        return float(figure.rstrip("."))
    except ValueError:  # "1.2.3"
        return float("nan")


def _fits(parameter: Parameter, value: float) -> bool:
    try:
        check_value(parameter, value)
    except (ValueError, OverflowError):
        return False
    return True
