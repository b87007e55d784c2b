"""Parameters of a recipe that a question's words decide: the task, the network, sizes, memory, device and so on."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from executors.parameters import check_value
from executors.recipe import Recipe
from executors.tasks import IMAGE_TASKS
from executors.tasks.networks import NETWORKS

__all__ = ["Preset", "presets", "without_presets", "without_values"]

Preset = str | int | float | bool
# Specific words first: a U-Net restores pictures too, and ratings come as CSV.
_TASKS = tuple(
    (task, re.compile(rf"\b(?:{words})\b", re.I))
    for task, words in (
        (
            "restoration",
            r"super-? ?res\w*|restor(?:e|es|ing|ation)|de-?nois\w+|colou?ri[sz]\w+|crappif\w+|in-?paint\w*|de-?blur\w*|"
            r"feature loss(?:es)?|perceptual loss(?:es)?",
        ),
        ("gan", r"(?:w|dc)?gans?|generative adversarial|generator|critic"),
        ("segmentation", r"u-?nets?|segment(?:ation|ing|er)|masks?|camvid|pixel-?wise"),
        ("image-regression", r"key-? ?points?|heat-? ?maps?|landmarks?|head pose|poses?|coordinates|image regression"),
        ("multi-label", r"multi-? ?labels?|several labels"),
        (
            "text-classification",
            r"sentiments?|text classif\w+|classif\w+ (?:of )?(?:texts?|reviews?|e?mails?|tweets)|spam|imdb",
        ),
        ("language-model", r"language model(?:s|ling)?|ulmfit|awd-? ?lstm|next[ -]word"),
        (
            "collaborative-filtering",
            r"collab(?:orative)?(?: filtering)?|recommender|recommendation (?:system|engine|model)s?|ratings|movielens|"
            r"matrix factori[sz]ation|user-item|dot product model",
        ),
        ("tabular", r"tabular|csvs?|data-? ?frames?|spread-?sheets?|(?:table|structured) data|excel|pandas"),
        ("image-classification", r"(?:image|picture|photo) classif\w+|classif\w+ (?:of )?(?:images|pictures|photos)"),
    )
)
_UNFROZEN = re.compile(
    r"\bunf(?:reez\w*|rozen)\b|\bdiscriminative\b|\b(?:whole|entire|full) (?:model|network|net)\b"
    r"|\ball (?:the )?layers\b",
    re.I,
)
_FROZEN = re.compile(
    r"\b(?:freez\w*|frozen)\b|\bbefore unf|\b(?:new |only the |just the |the )head\b|\blast layers?\b", re.I
)
_BOTH = re.compile(
    r"\bfrozen\b.*\b(?:and|then)\b.*\bunfrozen\b|\bunfrozen\b.*\band\b.*\bfrozen\b|\bboth phases\b"
    r"|\bbefore and after unf",
    re.I,
)
_PRECISIONS = (
    ("bfloat16", re.compile(r"\bb(?:f|float) ?-?16\b|\bto_bf16\b", re.I)),
    ("float16", re.compile(r"\b(?:fp|float) ?-?16\b|\bto_fp16\b|\bhalf[ -]?precision\b|\bin half\b", re.I)),
    ("float32", re.compile(r"\b(?:fp|float) ?-?32\b|\bfull precision\b|\bsingle precision\b", re.I)),
)
_MIXED = re.compile(r"\bmixed[ -]?precision\b|\b16[ -]?bits?\b|\bamp\b", re.I)
_PX = r"(?:px|pixels?)"
_JOIN = r"(?:\s*,\s*(?:and |then )?|\s*(?:/|→|->|–|-)\s*|\s+(?:and then|and|then|to|up to|or|before)\s+)"
_LISTED = re.compile(rf"\b(\d{{2,4}}(?:\s?{_PX})?(?:{_JOIN}\d{{2,4}}(?:\s?{_PX})?)*)\s?{_PX}(?![a-z])", re.I)
_PLAIN_LIST = re.compile(rf"\b(\d{{2,4}}(?:{_JOIN}\d{{2,4}})+)\b(?!\s?(?:epochs?|gb|mb|%|samples|images))", re.I)
_SQUARE = re.compile(r"\b(\d{2,4})\s?[x×*]\s?\d{2,4}\b")
_SIZE_IS = re.compile(
    r"(?<!batch )(?<!batch-)\b(?:(?:image|input|picture) sizes?|resolution|sz)\s?(?:of|=|is|:)?\s?(\d{2,4})\b", re.I
)
_RESIZING = re.compile(r"\bresiz|\bsizes\b|\bpx\b|\bpixels?\b|\bresolutions?\b", re.I)
_BATCH = re.compile(
    r"\b(?:bs|batch[ -]?sizes?|batch(?:es)?)\s*(?:of|=|:|is|to)?\s*(\d{1,5})\b(?!\s?(?:px|pixel|gb|mb|x\s?\d|epoch))",
    re.I,
)
_RATE = re.compile(r"\b(?:lr|learning[ -]?rate|weight[ -]?decay|wd)s?\s*(?:of|=|:|is)?\s*\d[\d.]*(?:e-?\d+)?\b", re.I)
_AMOUNT = re.compile(
    r"\b(\d{1,4}(?:\.\d+)?)\s?(g|m)(?:i?b|igs?|igabytes?|egabytes?)\b"
    r"(?!\s+(?:of )?(?:data|images|pictures|text|files?|csv|dataset))",
    re.I,
)
_CARD = re.compile(r"\bcuda:(\d{1,2})\b|\b(?:gpu|card)[ #](?:no\.? ?)?(\d)\b(?!\s?(?:gb|g\b|mb))", re.I)
_CPU = re.compile(r"\bcpus?\b|\bwithout (?:an? )?(?:gpu|card)\b|\bno gpu\b", re.I)
_MPS = re.compile(r"\bmps\b|\bapple silicon\b|\bm[1-5] (?:mac|pro|max|chip|macbook)|\bmacbook", re.I)
_TO_TEN = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMERALS = {w: n for n, w in enumerate(_TO_TEN, 1)} | {"twenty": 20}
_EPOCHS = re.compile(rf"\b(\d{{1,4}}|{'|'.join(_NUMERALS)})[ -]epochs?\b", re.I)


_SPOKEN = (
    _BATCH, _RATE, _LISTED, _SQUARE, _SIZE_IS, _PLAIN_LIST, _AMOUNT, _CARD, _CPU, _MPS, _EPOCHS, _MIXED, _BOTH,
    _UNFROZEN, _FROZEN,
)  # fmt: skip


def presets(recipe: Recipe, question: str) -> dict[str, Preset] | None:
    """Parameters that a question's words decide, only ones that the recipe has; None when it is for other tasks.

    >>> from executors.recipe import find_recipe
    >>> presets(find_recipe("lr-find"), "what lr after unfreezing, with bs 32 at 128 px?")
    {'phase': 'unfrozen', 'batch_size': 32, 'size': 128}
    """
    known = {parameter.name: parameter for parameter in recipe.parameters}
    task, arch, said = _task(question), _arch(question), dict[str, Preset]()
    if arch and task and task not in IMAGE_TASKS:
        task = ""  # a network for images, whose labels may well stand in a CSV file
    if task and "task" in known:
        if task not in known["task"].choices:
            return None
        said["task"] = task
    for name, read in _READERS.items():
        value = read(question)
        if name == "precision" and value is None and recipe.name != "mixed-precision" and _MIXED.search(question):
            value = "float16"
        if value is not None:
            said[name] = value
    if arch:
        said["arch"] = arch
    sizes = _sizes(_networks().sub(" ", question))  # the number in "densenet 169, 299 px" is no size
    if sizes:
        said |= {"sizes": ",".join(map(str, sizes)), "size": sizes[0]}
    about = str(said.get("task") or (known["task"].default if "task" in known else ""))
    out: dict[str, Preset] = {}
    for name, value in said.items():
        parameter = known.get(name)
        if parameter is None or (parameter.tasks and about not in parameter.tasks):
            continue
        try:
            check_value(parameter, value)
        except ValueError:
            continue
        out[name] = value
    return out


def without_values(question: str) -> str:
    """A question without what is given in it: "which lr with bs 64?" asks for no batch size.

    >>> without_values("which lr with bs 64?"), without_values("epochs for a learning rate of 1e-3")
    ('which lr with  ?', 'epochs for a  ')
    """
    return _RATE.sub(" ", _BATCH.sub(" ", question))


def without_presets(question: str) -> str:
    """A question without the words that decide parameters.

    >>> without_presets("batch size for a unet (resnet 34) at 256 px").split()
    ['batch', 'size', 'for', 'a', '(', ')', 'at']
    """
    for words in (_networks(), *_SPOKEN, *(words for _, words in (*_TASKS, *_PRECISIONS))):
        question = words.sub(" ", question)
    return question


def _task(question: str) -> str:
    return next((task for task, words in _TASKS if words.search(question)), "")


@cache
def _networks() -> re.Pattern[str]:
    """Names of networks for images, however they are spelled: "ResNet-34", "mobilenet v3 small"."""
    spelled = {
        r"[\s_.-]*".join(re.findall(r"[a-z]+|\d+", name)): name for name in sorted(NETWORKS, key=len, reverse=True)
    }
    return re.compile(r"(?<![a-z0-9])(?:" + "|".join(f"({pattern})" for pattern in spelled) + r")(?![a-z0-9])", re.I)


def _arch(question: str) -> str:
    """The network that a question names, as torchvision spells it."""
    found = _networks().search(question)
    if found is None:
        return ""
    said = re.sub(r"[^a-z0-9]", "", found.group().lower())
    return next(name for name in NETWORKS if name.replace("_", "") == said)


def _phase(question: str) -> str | None:
    if _BOTH.search(question):
        return "both"
    # "before unfreezing" speaks of unfreezing too.
    if _UNFROZEN.search(question) and not re.search(r"\bbefore (?:i )?unf", question, re.I):
        return "unfrozen"
    return "frozen" if _FROZEN.search(question) else None


def _precision(question: str) -> str | None:
    found = [name for name, words in _PRECISIONS if words.search(question)]
    return found[0] if len(found) == 1 else None  # "float16 or bfloat16?" decides nothing


def _batch(question: str) -> int | None:
    found = _BATCH.search(question)
    return int(found[1]) if found else None


def _memory(question: str) -> str | None:
    found = _AMOUNT.search(question)
    return f"{found[1]}{found[2].upper()}B" if found else None


def _device(question: str) -> str | None:
    card = _CARD.search(question)
    if card:
        return f"cuda:{card[1] or card[2]}"
    return "cpu" if _CPU.search(question) else "mps" if _MPS.search(question) else None


def _epochs(question: str) -> int | None:
    found = _EPOCHS.search(question)
    return (_NUMERALS.get(found[1].lower()) or int(found[1])) if found else None


def _sizes(question: str) -> list[int]:
    """Image sizes in px, smallest first."""
    text = _BATCH.sub(" ", question)
    pieces = [*_LISTED.findall(text), *_SQUARE.findall(text), *_SIZE_IS.findall(text)]
    if _RESIZING.search(text):
        pieces += _PLAIN_LIST.findall(text)
    return sorted({int(n) for piece in pieces for n in re.findall(r"\d+", piece) if 32 <= int(n) <= 2048})


_READERS: dict[str, Callable[[str], Preset | None]] = {
    "phase": _phase,
    "precision": _precision,
    "batch_size": _batch,
    "memory_limit": _memory,
    "device": _device,
    "epochs": _epochs,
}
