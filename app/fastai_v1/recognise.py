"""Recognise fastai v1 in the code of old notes, and say what stands for it in fastai v2.

Code is read token by token, so that half a line, a notebook's magic or what v1 and v2 never could
parse together is read all the same, and nothing inside a string or a comment counts. The names are
in `app.fastai_v1.names`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from app.fastai_v1.names import (
    ARGUMENTS,
    FAMILIAR,
    GONE,
    IMPORTS,
    METHODS,
    NAMES,
    OF_LEARNER,
    TRANSFORM_ARGUMENTS,
)
from kg.types import Answer, Replacement

__all__ = ["annotated", "mentioned", "modernise", "updates"]

_TOKEN = re.compile(
    r"(?P<skip>\"{3}.*?(?:\"{3}|\Z)|'{3}.*?(?:'{3}|\Z)"
    r"|\"(?:\\.|[^\"\\\n])*\"?|'(?:\\.|[^'\\\n])*'?|\#[^\n]*|[ \t\\]+)"
    r"|(?P<line>\n)|(?P<name>[^\W\d]\w*)|(?P<number>\d[\w.]*)|(?P<op>==|[^\s\w])",
    re.S,
)
_MAGIC = re.compile(r"^[ \t]*[!%?][^\n]*", re.M)
_FENCE = re.compile(
    r"^(?P<indent>[ \t>]*)(?P<ticks>`{3,}|~{3,})[ \t]*(?P<language>[\w+-]*)[^\n]*\n(?P<code>.*?)"
    r"(?:^[ \t>]*(?P=ticks)[`~]*[ \t]*$|\Z)",
    re.M | re.S,
)
_PYTHON = frozenset({"", "python", "py", "python3", "ipython", "ipython3", "pycon"})
_MARK = re.compile(r"\s*(?:\[\d+\]\s*)+")
_LEARNERS = re.compile(r"learn(?:er)?(?:_\w+)?")
_ADDRESS = re.compile(r"https?://[^\s)>\]]+|(?<=\]\()[^)\s]*")
_PROSE = re.compile(
    r"(?<![\w.])(?:(?P<dot>\.)(?P<method>"
    + "|".join(METHODS)
    + r")|(?P<name>"
    + "|".join(NAMES)
    + r"))(?!\w)"
)


@dataclass(frozen=True, slots=True)
class _Token:
    """A name, number or operator of a piece of code, with what stands around it."""

    text: str
    line: int
    is_name: bool
    inside: str  # the dotted name of the call whose argument it is, "" outside
    before: str = ""
    after: str = ""
    owner: str = ""  # of an attribute, what stands before its dot


def modernise(code: str) -> list[Replacement]:
    """What in a piece of Python is fastai v1's, in its order.

    >>> code = "cnn_learner(dls, arch)\\nlearn.fit_one_cycle(3, max_lr=1)"
    >>> [(r.line, r.old, r.new) for r in modernise(code)]
    [(1, 'cnn_learner', 'vision_learner'), (2, 'max_lr=', 'lr_max=')]
    >>> modernise("learn = vision_learner(dls, resnet18)\\nlearn.fit_one_cycle(3, lr_max=1e-3)")
    []
    """
    tokens = _tokens(code)
    defined = _defined_names(tokens)
    old = [*_certain(tokens, defined)]
    if old or _is_catalogue(tokens):
        old += _likely(tokens, defined)
    if not any(replacement.old == "get_transforms" for replacement in old):
        old += _transforms(tokens, defined)
    return sorted(dict.fromkeys(old), key=lambda replacement: replacement.line)


def mentioned(prose: str) -> list[Replacement]:
    """Names of fastai v1 in running text, each once, unless its line names the successor."""
    each: dict[str, Replacement] = {}
    for number, line in enumerate(_ADDRESS.sub("", prose).split("\n"), 1):
        for match in _PROSE.finditer(line):
            old = match["method"] or match["name"]
            new, why = METHODS[old] if match["method"] else NAMES[old]
            successor = re.match(r"\.?(\w+)", new)
            if not (successor and successor[1] in line and successor[1] not in old):
                written = f".{old}" if match["method"] else old
                each.setdefault(old, Replacement(number, written, new, why))
    return list(each.values())


def updates(markdown: str) -> tuple[Replacement, ...]:
    """What is fastai v1's in an answer: in its Python code, and named in its text."""
    replacements: list[Replacement] = []
    prose_from = 0
    for fence in _FENCE.finditer(markdown):
        replacements += _mentioned_in(markdown, prose_from, fence.start())
        if fence["language"].lower() in _PYTHON:
            lines_before = markdown.count("\n", 0, fence.start("code"))
            replacements += _shifted(modernise(fence["code"]), lines_before)
        prose_from = fence.end()
    return tuple(replacements + _mentioned_in(markdown, prose_from, len(markdown)))


def annotated(answer: Answer) -> str:
    """An answer's text with what v2 has below each piece of v1 code, and for its prose last."""
    markdown = answer.text
    parts: list[str] = []
    in_code: list[Replacement] = []
    at = 0
    for fence in _FENCE.finditer(markdown):
        first = markdown.count("\n", 0, fence.start("code")) + 1
        last = markdown.count("\n", 0, fence.end("code")) + 1
        old = [r for r in answer.fastai_v1 if first <= r.line <= last]
        if old:
            mark = _MARK.match(markdown, fence.end())
            end = mark.end() if mark else fence.end()
            parts += [markdown[at:end].rstrip("\n"), f"\n\n{_line(old)}\n\n"]
            in_code += old
            at = end
    told = {r.old.lstrip(".") for r in in_code}
    rest = [r for r in answer.fastai_v1 if r.old.lstrip(".") not in told]
    whole = "".join([*parts, markdown[at:]]).rstrip()
    return f"{whole}\n\n{_line(rest)}" if rest else whole


def _line(old: Sequence[Replacement]) -> str:
    """What to write today, in one line."""
    each = {r.old: r for r in old}.values()
    told = [f"`{r.old}` → `{r.new}` ({r.why})" if r.new else f"`{r.old}`: {r.why}" for r in each]
    return f"*fastai v1: in v2* {'; '.join(told)}"


def _mentioned_in(markdown: str, start: int, end: int) -> list[Replacement]:
    return _shifted(mentioned(markdown[start:end]), markdown.count("\n", 0, start))


def _shifted(replacements: Sequence[Replacement], lines: int) -> list[Replacement]:
    return [replace(r, line=r.line + lines) for r in replacements]


def _tokens(code: str) -> list[_Token]:
    """Names and operators of a piece of code, with the call that they are arguments of."""
    tokens: list[_Token] = []
    calls: list[str] = []
    line = 1
    for match in _TOKEN.finditer(_MAGIC.sub("", code.replace("\r\n", "\n"))):
        text = match.group()
        if match["name"] or match["op"] or match["number"]:
            tokens.append(_Token(text, line, bool(match["name"]), calls[-1] if calls else ""))
            if text in "([{":
                calls.append(_callee(tokens[:-1]) if text == "(" else text)
            elif text in ")]}" and calls:
                calls.pop()
        line += text.count("\n")
    texts = ["", "", *(token.text for token in tokens), ""]
    return [
        replace(token, owner=texts[i], before=texts[i + 1], after=texts[i + 3])
        for i, token in enumerate(tokens)
    ]


def _callee(before: Sequence[_Token]) -> str:
    """The dotted name that ends here: "learn.fit_one_cycle"; "" for a mere bracket."""
    parts: list[str] = []
    for i in range(len(before) - 1, -1, -2):
        if not before[i].is_name:
            break
        parts.append(before[i].text)
        if i == 0 or before[i - 1].text != ".":
            break
    return ".".join(reversed(parts))


def _defined_names(tokens: Sequence[_Token]) -> set[str]:
    """Names that the code itself defines, or imports from elsewhere than fastai."""
    names: set[str] = set()
    source, importing = "", 0
    for before, token in pairwise(tokens):
        if before.text in ("def", "class"):
            names.add(token.text)
        if before.text == "from" and token.is_name:
            source, importing = token.text, before.line
        elif token.line != importing and not token.inside:
            source = ""
        if source and source != "fastai" and token.is_name:
            names.add(token.text)
    return names


def _certain(tokens: Sequence[_Token], defined: set[str]) -> Iterator[Replacement]:
    """What is fastai v1's alone."""
    yield from _imports(tokens)
    for token in tokens:
        if not token.is_name:
            continue
        if token.before == ".":
            yield from _attribute(token)
        elif _stands_alone(token, defined) and token.text in NAMES and token.after != "=":
            yield Replacement(token.line, token.text, *NAMES[token.text])
        elif token.after == "=":
            yield from _argument(token)


def _stands_alone(token: _Token, defined: set[str]) -> bool:
    """Whether a name is neither an attribute, nor imported here, nor the code's own."""
    return token.is_name and token.before not in (".", "import") and token.text not in defined


def _argument(token: _Token) -> Iterator[Replacement]:
    if token.inside and token.text in ARGUMENTS:
        takers, successor = ARGUMENTS[token.text]
        if not takers or token.inside.endswith(takers):
            yield Replacement(token.line, f"{token.text}=", *successor)


def _attribute(token: _Token) -> Iterator[Replacement]:
    """Methods of data blocks, and what learners have, by the names that these have in notes."""
    called = token.after == "("
    if called and token.text in METHODS:
        yield Replacement(token.line, f".{token.text}()", *METHODS[token.text])
        return
    of_recorder = token.owner == "recorder"
    name = f"recorder.{token.text}" if of_recorder else token.text
    of_learner = of_recorder or bool(_LEARNERS.fullmatch(token.owner))
    if of_learner and name in OF_LEARNER and called == (name != "data"):
        old = f"learn.{name}" if of_recorder else f"{token.owner}.{name}"
        yield Replacement(token.line, f"{old}()" if called else old, *OF_LEARNER[name])


def _imports(tokens: Sequence[_Token]) -> Iterator[Replacement]:
    """Star imports from modules that v2 does not have, or has emptied."""
    for i, token in enumerate(tokens):
        begins_line = not i or tokens[i - 1].line != token.line or token.before == ";"
        if token.text != "from" or not begins_line:
            continue
        words = [t.text for t in tokens[i + 1 : i + 12] if t.line == token.line]
        if "import" not in words:
            continue
        at = words.index("import")
        module, star = "".join(words[:at]), words[at + 1 : at + 2] == ["*"]
        gone = next((name for name in IMPORTS if _is_of(module, name)), "")
        # Of a module that v2 has too, names still come one by one.
        if gone and (star or gone in GONE):
            old = f"from {module} import {'*' if star else '…'}"
            yield Replacement(token.line, old, *IMPORTS[gone])


def _is_of(module: str, name: str) -> bool:
    """Whether a module is the one of this name, or below it where v2 has nothing of it."""
    return module == name or (name in GONE and module.startswith(f"{name}."))


def _likely(tokens: Sequence[_Token], defined: set[str]) -> Iterator[Replacement]:
    """What other libraries have too, in code that is fastai v1's for another reason."""
    for i, token in enumerate(tokens):
        method = token.text if token.before == "." and token.after == "(" else ""
        if _stands_alone(token, defined) and token.text in FAMILIAR and token.after != "=":
            yield Replacement(token.line, token.text, *FAMILIAR[token.text])
        elif method == "normalize" and _of_chain(tokens, i):
            new = "batch_tfms=Normalize.from_stats(*imagenet_stats)"
            why = "vision_learner does it by itself for pretrained weights"
            yield Replacement(token.line, ".normalize()", new, why)
        elif method == "add_test":
            new = "learn.dls.test_dl(items)"
            yield Replacement(token.line, ".add_test()", new, "when predicting")


def _of_chain(tokens: Sequence[_Token], i: int) -> bool:
    """Whether a method is called on a call's value or given image statistics."""
    given = tokens[i + 2].text if i + 2 < len(tokens) else ""
    return tokens[i].owner == ")" or given.endswith("_stats")


def _transforms(tokens: Sequence[_Token], defined: set[str]) -> Iterator[Replacement]:
    """get_transforms() with arguments of fastai v1 alone; others have such a function too."""
    for i, token in enumerate(tokens):
        called = token.text == "get_transforms" and token.after == "("
        if not called or token.text in defined or token.before in (".", "def"):
            continue
        its_own = [t for t in tokens[i:] if t.inside == "get_transforms" and t.is_name]
        arguments = {t.text for t in its_own if t.after == "="}
        if arguments and arguments <= TRANSFORM_ARGUMENTS:
            yield Replacement(token.line, "get_transforms", *FAMILIAR["get_transforms"])


def _is_catalogue(tokens: Sequence[_Token]) -> bool:
    """Whether a list class of a common name is filled as fastai v1 does it."""
    lists, ways = {"ImageList", "TextList"}, {"from_folder", "from_df", "from_csv"}
    spoken = zip(tokens, tokens[1:], tokens[2:], strict=False)
    return any(a.text in lists and b.text == "." and c.text in ways for a, b, c in spoken)
