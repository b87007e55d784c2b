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
    r"(?P<skip>\"{3}.*?(?:\"{3}|\Z)|'{3}.*?(?:'{3}|\Z)|\"(?:\\.|[^\"\\\n])*\"?|'(?:\\.|[^'\\\n])*'?|\#[^\n]*|[ \t\\]+)"
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
    text: str
    line: int
    name: bool
    inside: str  # the dotted name of the call whose argument it is, "" outside


def modernise(code: str) -> list[Replacement]:
    """What in a piece of Python is fastai v1's, in its order.

    >>> [(r.line, r.old, r.new) for r in modernise("cnn_learner(dls, arch)\\nlearn.fit_one_cycle(3, max_lr=1)")]
    [(1, 'cnn_learner', 'vision_learner'), (2, 'max_lr=', 'lr_max=')]
    >>> modernise("learn = vision_learner(dls, resnet18)\\nlearn.fit_one_cycle(3, lr_max=1e-3)")
    []
    """
    tokens = _tokens(code)
    own = _own_names(tokens)
    sure = list(_certain(tokens, own))
    if sure or _is_catalogue(tokens):
        sure += list(_likely(tokens, own))
    if not any(r.old == "get_transforms" for r in sure):
        sure += list(_transforms(tokens, own))
    return sorted(dict.fromkeys(sure), key=lambda r: r.line)


def mentioned(prose: str) -> list[Replacement]:
    """Names of fastai v1 in running text, each once, unless its line names the successor."""
    found: dict[str, Replacement] = {}
    for n, line in enumerate(_ADDRESS.sub("", prose).split("\n"), 1):
        for match in _PROSE.finditer(line):
            old = match["method"] or match["name"]
            new, why = METHODS[old] if match["method"] else NAMES[old]
            successor = re.match(r"\.?(\w+)", new)
            if not (successor and successor[1] in line and successor[1] not in old):
                found.setdefault(
                    old, Replacement(n, f".{old}" if match["method"] else old, new, why)
                )
    return list(found.values())


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
    found: list[_Token] = []
    calls: list[str] = []
    line = 1
    for match in _TOKEN.finditer(_MAGIC.sub("", code.replace("\r\n", "\n"))):
        text = match.group()
        if match["name"] or match["op"] or match["number"]:
            found.append(_Token(text, line, bool(match["name"]), calls[-1] if calls else ""))
            if text in "([{":
                calls.append(_callee(found[:-1]) if text == "(" else "[" if text == "[" else "{")
            elif text in ")]}" and calls:
                calls.pop()
        line += text.count("\n")
    return found


def _callee(before: Sequence[_Token]) -> str:
    """The dotted name that ends here: "learn.fit_one_cycle"; "" for a mere bracket."""
    parts: list[str] = []
    for i in range(len(before) - 1, -1, -2):
        if not before[i].name:
            break
        parts.append(before[i].text)
        if i == 0 or before[i - 1].text != ".":
            break
    return ".".join(reversed(parts))


def _own_names(tokens: Sequence[_Token]) -> set[str]:
    """Names that the code itself defines, or imports from elsewhere than fastai."""
    own: set[str] = set()
    source, importing = "", 0
    for before, token in pairwise(tokens):
        if before.text in ("def", "class"):
            own.add(token.text)
        if before.text == "from" and token.name:
            source, importing = token.text, before.line
        elif token.line != importing and not token.inside:
            source = ""
        if source and source != "fastai" and token.name:
            own.add(token.text)
    return own


def _certain(tokens: Sequence[_Token], own: set[str]) -> Iterator[Replacement]:
    """What is fastai v1's alone."""
    yield from _imports(tokens)
    for i, token in enumerate(tokens):
        if not token.name:
            continue
        before = tokens[i - 1].text if i else ""
        after = tokens[i + 1].text if i + 1 < len(tokens) else ""
        if (
            before not in (".", "import")
            and token.text in NAMES
            and token.text not in own
            and after != "="
        ):
            yield Replacement(token.line, token.text, *NAMES[token.text])
        elif before == "." and after == "(" and token.text in METHODS:
            yield Replacement(token.line, f".{token.text}()", *METHODS[token.text])
        elif before == ".":
            yield from _of_learner(tokens, i)
        elif after == "=" and token.inside and token.text in ARGUMENTS:
            takers, told = ARGUMENTS[token.text]
            if not takers or token.inside.endswith(takers):
                yield Replacement(token.line, f"{token.text}=", *told)


def _imports(tokens: Sequence[_Token]) -> Iterator[Replacement]:
    """Star imports from modules that v2 does not have, or has emptied."""
    for i, token in enumerate(tokens):
        if token.text != "from" or (
            i and tokens[i - 1].line == token.line and tokens[i - 1].text != ";"
        ):
            continue
        said = [t.text for t in tokens[i + 1 : i + 12] if t.line == token.line]
        if "import" not in said:
            continue
        module, first = "".join(said[: said.index("import")]), said[said.index("import") + 1 :][:1]
        gone = next(
            (m for m in IMPORTS if module == m or (m in GONE and module.startswith(f"{m}."))), ""
        )
        # Of a module that v2 has too, names still come one by one.
        if gone and (first == ["*"] or gone in GONE):
            yield Replacement(
                token.line, f"from {module} import {'*' if first == ['*'] else '…'}", *IMPORTS[gone]
            )


def _of_learner(tokens: Sequence[_Token], i: int) -> Iterator[Replacement]:
    """Attributes of a learner, by the names that learners have in notes."""
    owner = tokens[i - 2].text if i >= 2 else ""
    called = i + 1 < len(tokens) and tokens[i + 1].text == "("
    name = f"recorder.{tokens[i].text}" if owner == "recorder" else tokens[i].text
    known = owner == "recorder" or bool(_LEARNERS.fullmatch(owner))
    if known and name in OF_LEARNER and called == (name != "data"):
        old = f"learn.{name}" if owner == "recorder" else f"{owner}.{name}"
        yield Replacement(tokens[i].line, f"{old}()" if called else old, *OF_LEARNER[name])


def _likely(tokens: Sequence[_Token], own: set[str]) -> Iterator[Replacement]:
    """What other libraries have too, in code that is fastai v1's for another reason."""
    for i, token in enumerate(tokens):
        before = tokens[i - 1].text if i else ""
        after = tokens[i + 1].text if i + 1 < len(tokens) else ""
        if (
            token.name
            and before not in (".", "import")
            and token.text in FAMILIAR
            and token.text not in own
        ):
            if after != "=":
                yield Replacement(token.line, token.text, *FAMILIAR[token.text])
        elif before == "." and after == "(" and token.text == "normalize" and _of_chain(tokens, i):
            yield Replacement(
                token.line, ".normalize()", "batch_tfms=Normalize.from_stats(*imagenet_stats)",
                "vision_learner does it by itself for pretrained weights",
            )  # fmt: skip
        elif before == "." and after == "(" and token.text == "add_test":
            yield Replacement(
                token.line, ".add_test()", "learn.dls.test_dl(items)", "when predicting"
            )


def _of_chain(tokens: Sequence[_Token], i: int) -> bool:
    """Whether a method is called on a call's value or given image statistics."""
    return tokens[i - 2].text == ")" or any(
        t.text.endswith("_stats") for t in tokens[i + 2 : i + 3]
    )


def _transforms(tokens: Sequence[_Token], own: set[str]) -> Iterator[Replacement]:
    """get_transforms() with arguments of fastai v1 alone; others have such a function too."""
    for i, token in enumerate(tokens):
        called = token.text == "get_transforms" and [t.text for t in tokens[i + 1 : i + 2]] == ["("]
        if not called or token.text in own or (i and tokens[i - 1].text in (".", "def")):
            continue
        named = {
            t.text for t, after in pairwise(tokens[i:])
            if t.inside == "get_transforms" and t.name and after.text == "="
        }  # fmt: skip
        if named and named <= TRANSFORM_ARGUMENTS:
            yield Replacement(token.line, "get_transforms", *FAMILIAR["get_transforms"])


def _is_catalogue(tokens: Sequence[_Token]) -> bool:
    """Whether a list class of a common name is filled as fastai v1 does it."""
    lists, ways = {"ImageList", "TextList"}, {"from_folder", "from_df", "from_csv"}
    spoken = zip(tokens, tokens[1:], tokens[2:], strict=False)
    return any(a.text in lists and b.text == "." and c.text in ways for a, b, c in spoken)
