"""The task, the network and the switches that a question's words decide."""

from __future__ import annotations

import re
from functools import cache

from executors.networks.networks import NETWORKS
from executors.tasks import IMAGE_TASKS

__all__ = [
    "TASKS",
    "TEXT_TASKS",
    "arch_of",
    "learner_of",
    "networks",
    "switches",
    "target_of",
    "task_of",
    "y_range_of",
]

TEXT_TASKS = ("text-classification", "language-model")
# Specific words first: a U-Net restores pictures too, and ratings come as CSV.
TASKS = tuple(
    (task, re.compile(rf"\b(?:{words})\b", re.I))
    for task, words in (
        (
            "restoration",
            r"super-? ?res\w*|restor(?:e|es|ing|ation)|de-?nois\w+|colou?ri[sz]\w+|crappif\w+|in-?paint\w*|de-?blur\w*|"
            r"feature loss(?:es)?|perceptual loss(?:es)?",
        ),
        ("gan", r"(?:w|dc)?gans?|generative adversarial|generator|critic"),
        ("segmentation", r"u-?nets?|segment(?:ation|ing|er|s|ed)?|masks?|camvid|pixel-?wise"),
        (
            "image-regression",
            r"key-? ?points?|heat-? ?maps?|landmarks?|head pose|poses?|coordinates|image regression",
        ),
        (
            "multi-label",
            r"multi-? ?labels?|several labels(?! (?:are|seem|look|may|might|must|were|could|that|which|in|of)\b)",
        ),
        (
            "text-classification",
            r"sentiments?|text classif\w+|classif\w+ (?:of )?(?:texts?|reviews?|e?mails?|tweets)|spam|imdb",
        ),
        ("language-model", r"language model(?:s|ling)?|ulmfit|awd[-_]? ?lstm|next[ -]word"),
        (
            "collaborative-filtering",
            r"collab(?:orative)?(?: filtering)?|recommender|recommendation (?:system|engine|model)s?|ratings|movielens|"
            r"matrix factori[sz]ation|user-item|dot product model",
        ),
        (
            "tabular",
            r"tabular|csvs?|data-? ?frames?|spread-?sheets?|(?:table|structured) data|excel|pandas",
        ),
        (
            "image-classification",
            r"(?:image|picture|photo) classif\w+|classif\w+ (?:of )?(?:images|pictures|photos)",
        ),
    )
)
_PICTURES = r"(?:photos?|photographs?|pictures?|pics?|images?|x-?rays?|scans?|tiles)"
_SEVERAL = r"(?:several|multiple|many|various|any number of|more than one|two or more|a handful of)(?: \w+)?"
_TEXTS = (
    r"messages|comments|posts|documents|transcripts|sentences|paragraphs|contracts|abstracts|letters|complaints|"
    r"headlines|articles|descriptions"
)
# Things that a task is done with, which say less than its name: asked only when no name is said,
# these in order.
_THINGS = tuple(
    (task, re.compile(words, re.I))
    for task, words in (
        ("segmentation", r"\b(?:every|each|per|all)[ -]pixels?\b"),
        (
            "multi-label",
            rf"\b{_SEVERAL} (?:tags?|findings?|keywords?)\b"
            rf"|\b{_SEVERAL} (?:labels?|classes|categories|diagnoses|objects)"
            rf"\s(?:each|apiece|at once|per {_PICTURES})\b"
            rf"|\b(?:labels|tags|keywords|findings|classes|categories) per {_PICTURES}\b",
        ),
        ("text-classification", r"\b(?:labell?ed|annotated) corpus\b"),
        ("language-model", r"\blms?\b|\bcorp(?:us|ora)\b|\btext generat(?:ion|or)\b"),
        (
            "text-classification",
            r"\b(?:tickets|reviews|tweets|e-?mails|texts|(?:chat|text) messages)\b|\btext (?:model|columns?|data)\b"
            r"|\b(?:my|our|these|those|\d+k?|thousands? of|labell?ed|annotated|classif\w+|categori[sz]\w+)"
            rf"(?: (?!error|warning)\w+){{0,2}} (?<!error )(?<!warning )(?:{_TEXTS})\b",
        ),
        (
            "tabular",
            r"\b(?:my|our)(?: [\w-]+){0,3} tables?\b|\b(?:on|for|of|from) (?:the|this|an?)(?: [\w-]+){1,3} table\b"
            r"|\b(?:million|thousand|\dk?|suspicious|wrong|mislabell?ed|my|our) rows\b|\btarget column\b",
        ),
        (
            "image-classification",
            rf"\b(?:breeds?|species|classif\w+|class folders?|mislabell?ed|labell?ed)\b.*\b{_PICTURES}\b"
            rf"|\b{_PICTURES}\b.*\b(?:breeds?|species|classif\w+|classes|class folders?)\b",
        ),
    )
)
_SAYS_LM = re.compile(r"\blanguage model|\bulmfit\b|\bnext[ -]word\b", re.I)
_AWD = re.compile(r"\bawd[-_]? ?lstm\b", re.I)
_A_PICTURE = re.compile(rf"\b(?<!docker )(?<!disk ){_PICTURES}\b", re.I)
_A_TABLE = re.compile(r"\btabular\b|\b(?:table|structured) data\b", re.I)
# of torchvision beside those that fastai can use here: a run tells why not, which beats another
# network unasked
_MORE_NETWORKS: tuple[str, ...] = tuple(
    re.findall(
        r"\w+",
        "alexnet convnext_base convnext_large densenet161 efficientnet_b4 efficientnet_b5 efficientnet_b6 "
        "efficientnet_b7 efficientnet_v2_m efficientnet_v2_l googlenet inception_v3 maxvit_t mnasnet0_5 mnasnet1_0 "
        "mobilenet_v2 regnet_x_800mf regnet_x_1_6gf regnet_x_3_2gf regnet_x_8gf regnet_y_1_6gf regnet_y_3_2gf "
        "regnet_y_8gf resnext101_32x8d resnext101_64x4d shufflenet_v2_x0_5 shufflenet_v2_x1_0 swin_t swin_s swin_b "
        "swin_v2_t swin_v2_s swin_v2_b vgg11 vgg13 vgg16 vgg19 vit_b_16 vit_b_32 vit_l_16 vit_l_32 vit_h_14 "
        "wide_resnet101_2",
    )
)
_KNOWN = (*NETWORKS, *_MORE_NETWORKS)
# "AWD-LSTM" in prose is the kind of network, which the recipe's own choice is too; the identifier
# is the full one.
_AWD_LSTM = re.compile(r"\bawd[_ ]?lstm\b", re.I)
_ROW = r"\[?\(?(\d{1,5}(?:(?:\s?[,/x×]\s?|,?\s(?:and|then)\s)\d{1,5})+)\)?\]?"
_LAYERS = re.compile(
    rf"\b(?:layers?|widths?|hidden|arch)(?:\s(?:sizes?|widths?))?\s?(?:of|with|=|:|are)?\s?{_ROW}(?![\d.])"
    rf"|(?<![\d.,]){_ROW}\s(?:wide\s)?(?:tabular|layers?|net(?:work)?|mlp|hidden)\b",
    re.I,
)
_ONE_LAYER = re.compile(r"\b(?:one|a single) (?:hidden )?layer of (\d{1,5})\b", re.I)
_FACTORS = re.compile(
    r"\b(\d{1,6})[ -](?:latent[ -])?factors?\b|\bn?_?factors?\s?(?:=|:|of)\s?(\d{1,6})\b", re.I
)
_RANDOM = re.compile(
    r"\brandom(?:ly)?(?: initiali[sz]ed)? weights?\b|\b(?:not|non|un|isn't|no)[ -]?pre-?train(?:ed|ing)\b|\buntrained\b"
    r"|\bwithout (?:any |the )?(?:pre-?train(?:ed|ing)|imagenet)\b|\b(?:train\w*|start\w*)\b.{0,40}\bfrom scratch\b"
    r"|\bpretrained\s?=\s?false\b",
    re.I,
)
_TRAINED = re.compile(r"\bpre-?trained\b|\bimagenet weights\b", re.I)
_WHICH = re.compile(r"\b(?:or|vs\.?|versus|against|with and without|compared? (?:to|with))\b", re.I)
_NOT = r"\b(?:no need (?:for|of)|no|without|skip(?:ping)?|leave out|don'?t|do not)\s+(?:(?:the|an?|any|to|need)\s+)*"
_SWITCHED_OFF = {
    "race": re.compile(
        rf"{_NOT}(?:races?|racing|short trainings?)\b|\b(?:only|just) (?:want )?the (?:plain )?curve\b",
        re.I,
    ),
    "compare": re.compile(rf"{_NOT}(?:baselines?|compar\w+)\b", re.I),
}
_FETCH = re.compile(
    r"(?<!not )(?<!n't )\bdownload(?:ing)? (?:the |its )?(?:pre-?trained |imagenet )?weights\b",
    re.I,
)
_QUOTED = r"[\"'`“‘]([^\"'`”’]{1,60})[\"'`”’]"
_COLUMN = r"(?:is\s|=\s?|:\s?|called\s|named\s)?\s?(?:" + _QUOTED + r"|([^\W\d][\w-]*\w|[^\W\d]))"
_TARGETS = (
    re.compile(rf"\b(?:target|label|y)[ _]column\s?{_COLUMN}|\btarget\s?[=:]\s?{_COLUMN}", re.I),
    re.compile(
        rf"(?<!texts in )(?<!text in )(?:^|[,;:(.]\s?|\b(?:the|in|for|on|with|from|of|by|is|my|a|its|and|or|csv|table"
        rf"|learn|predict\w*)\s)column\s{_COLUMN}",
        re.I,
    ),
    re.compile(r"\bpredict\w*\s(?:the\s|my\s)?([^\W\d][\w-]*)\scolumn\b", re.I),
)
_NO_COLUMN = frozenset(
    re.findall(
        r"\w+",
        "a an and are as be but by called can contains density each empty for from full has have headers "
        "holds i if in is it its looks may mean missing name named names not of on or order says should so "
        "than that the there this to type types values was we what where which who width with you",
    )
)
_LEARNER = re.compile(r"(?<![\w/.~\\-])((?:~?[\w.\\/-]*[\w-])\.py:[^\W\d]\w*)", re.I)
_REAL = r"(-?\d+(?:\.\d+)?)"
_Y_RANGE = re.compile(
    rf"\by[_ -]range\s?(?:of|=|:|from)?\s?[(\[]?\s?{_REAL}\s?(?:,|to|and|-|–)\s?{_REAL}"
    rf"|\bpredict(?:ions?|ed)\b[^.;?!]{{0,25}}\b(?:within|between|from)\s{_REAL}\s?(?:,|to|and|-|–)\s?{_REAL}",
    re.I,
)


def task_of(question: str) -> str:
    """The task that a question names, or whose things it speaks of; "" for none.

    >>> task_of("lr for my csv"), task_of("which of the reviews in my csv"), task_of("photos with several tags each")
    ('tabular', 'text-classification', 'multi-label')
    """
    named = next((task for task, words in TASKS if words.search(question)), "")
    if named == "language-model" and not _SAYS_LM.search(question):
        named = ""  # the network alone, which classifies texts too
    if named and named != "tabular":
        return named
    thing = next((task for task, words in _THINGS if words.search(question)), "")
    if not thing:
        thing = (
            "language-model" if _AWD.search(question) else "tabular" if target_of(question) else ""
        )
    if not named and thing != "tabular":
        return thing
    if _A_TABLE.search(question):
        return "tabular"
    if (
        thing in TEXT_TASKS or thing in IMAGE_TASKS
    ):  # texts and labels of pictures stand in CSV files too
        return thing
    return "" if _A_PICTURE.search(question) else "tabular"


@cache
def networks() -> re.Pattern[str]:
    """Names of networks for images, however they are spelled: "ResNet-34", "mobilenet v3 small"."""
    spelled = [
        r"[\s_.-]*".join(re.findall(r"[a-z]+|\d+", name))
        for name in sorted(_KNOWN, key=len, reverse=True)
    ]
    return re.compile(r"(?<![a-z0-9])(?:" + "|".join(spelled) + r")(?![a-z0-9])", re.I)


def arch_of(question: str, task: str) -> str:
    """The network that a question names, as the task takes it; "" for none, or for several.

    Parameters
    ----------
    task : str
        What is asked about; "" when nothing says so.
    """
    if task == "tabular":
        rows = {re.sub(r"\D+", ",", found[1] or found[2]) for found in _LAYERS.finditer(question)}
        rows |= {found[1] for found in _ONE_LAYER.finditer(question)}
        return _only(rows)
    if task == "collaborative-filtering":
        return _only({found[1] or found[2] for found in _FACTORS.finditer(question)})
    if task in TEXT_TASKS:
        return "AWD_LSTM" if _AWD_LSTM.search(question) else ""
    found = networks().search(question)
    if found is None:
        return ""
    said = re.sub(r"[^a-z0-9]", "", found.group().lower())
    return next(name for name in _KNOWN if name.replace("_", "") == said)


def switches(question: str) -> dict[str, bool]:
    """Parameters that are on or off, where the words say which."""
    said = {name: False for name, words in _SWITCHED_OFF.items() if words.search(question)}
    off, on = _RANDOM.search(question), _TRAINED.search(_RANDOM.sub(" ", question))
    if (off or on) and not (_WHICH.search(question) and off and on):
        said["pretrained"] = not off
    if _FETCH.search(question):
        said["download"] = True
    return said


def target_of(question: str) -> str | None:
    """The column that a question names as the one to learn, with its letters as they are written.

    >>> target_of("my contracts, target column Kind_2"), target_of("the column of prices")
    ('Kind_2', None)
    """
    for words in _TARGETS:
        found = {
            next(name for name in match.groups() if name) for match in words.finditer(question)
        }
        found = {name for name in found if name.lower() not in _NO_COLUMN}
        if found:
            return _only(found) or None
    return None


def learner_of(question: str) -> str | None:
    """The user's own learner, "path/to/file.py:function"."""
    return _only({found[1] for found in _LEARNER.finditer(question)}) or None


def y_range_of(question: str) -> str | None:
    """The lowest and highest prediction, "0.5,5.5"."""
    found = _Y_RANGE.search(question)
    if found is None:
        return None
    low, high = (number for number in found.groups() if number)
    return f"{low},{high}" if float(low) < float(high) else None


def _only(found: set[str]) -> str:
    return found.pop() if len(found) == 1 else ""
