"""Texts that would act or fetch if a page took them for its own; and notes and runs full of them.

In each, `HIT` stands for a script that says which it was, and `FAR` for an address elsewhere.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from made import write_notes

__all__ = ["LEG", "PAYLOADS", "RAW", "few", "hostile_notes", "hostile_runs"]

T = TypeVar("T")
HTML = (
    "<img src=x onerror=HIT>",
    "<img src=x oNeRrOr=HIT//",
    "<img/src='x'/onerror='HIT'>",
    '<img src="FAR.png" srcset="FAR-2.png 2x">',
    "<image src=x onerror=HIT>",
    "<script>HIT</script>",
    "<ScRiPt src=FAR.js></sCrIpT>",
    "<scr<script>ipt>HIT</script>",
    "<!-- --!><script>HIT</script> -->",
    "<iframe srcdoc='<script>parent.HIT</script>'></iframe>",
    "<iframe src='javascript:parent.HIT'></iframe>",
    "<iframe src='FAR.html'></iframe>",
    "<object data='FAR.swf'></object>",
    "<object data='javascript:HIT'></object>",
    "<embed src='FAR.swf'>",
    "<embed src='javascript:HIT'>",
    "<video src=FAR.mp4 poster=FAR.jpg onerror=HIT></video>",
    "<video><source onerror=HIT src=FAR.mp4></video>",
    "<audio src=FAR.mp3 autoplay onerror=HIT></audio>",
    "<details open ontoggle=HIT>z</details>",
    "<body onload=HIT>",
    "<input autofocus onfocus=HIT>",
    "<select autofocus onfocus=HIT></select>",
    "<textarea autofocus onfocus=HIT></textarea>",
    "<b tabindex=1 autofocus onfocus=HIT>x</b>",
    "<p style='animation:spin 1s' onanimationstart=HIT>x</p>",
    "<p onpointerover=HIT onmousemove=HIT onscroll=HIT>x</p>",
    "<marquee onstart=HIT>x</marquee>",
    "<form action='FAR'><button formaction='javascript:HIT'>go</button></form>",
    "<button popovertarget=q>x</button><b popover id=q onbeforetoggle=HIT>x</b>",
    "<dialog open>x</dialog>",
    "<base href='FAR'>",
    "<meta http-equiv=refresh content='0;url=FAR'>",
    "<link rel=stylesheet href='FAR.css'>",
    "<link rel=preload as=image href='FAR.png'>",
    "<link rel=prefetch href='FAR.html'>",
    "<style>@import url(FAR.css);</style>",
    "<style>body{background:url(FAR.png)!important}</style>",
    "<p style='background:url(FAR.png)'>x</p>",
    "<p style='position:fixed;inset:0;z-index:9999'>over all</p>",
    "<table background='FAR.png'><tr><td>x</td></tr></table>",
    "<template><script>HIT</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=HIT>'></noscript>",
    "<title><img src=x onerror=HIT></title>",
    "<textarea></textarea><img src=x onerror=HIT>",
    "</div></aside></main><img src=x onerror=HIT>",
    "</span></summary></details><script>HIT</script>",
    '"><img src=x onerror=HIT>',
    "'><img src=x onerror=HIT>",
    '" autofocus onfocus=HIT x="',
    "' autofocus onfocus=HIT x='",
    "&lt;img src=x onerror=HIT&gt;",
    "&#60;script&#62;HIT&#60;/script&#62;",
    "<plaintext>",
    "<xmp><img src=x onerror=HIT></xmp>",
    "<custom-element onfocus=HIT autofocus tabindex=1>x</custom-element>",
)
VECTOR = (
    "<svg onload=HIT>",
    "<svg><script>HIT</script></svg>",
    "<svg><script href=FAR.js /></svg>",
    "<svg><image href=FAR.png onerror=HIT /></svg>",
    "<svg><use href='FAR.svg#a' /></svg>",
    "<svg><animate onbegin=HIT attributeName=x dur=1s>",
    "<svg><a xlink:href='javascript:HIT'><text y=20>x</text></a></svg>",
    "<svg><a><animate attributeName=href values='javascript:HIT' /><text y=20>x</text></a></svg>",
    "<svg><foreignObject><img src=x onerror=HIT></foreignObject></svg>",
    "<svg><style><img src=x onerror=HIT></style></svg>",
    "<svg><feImage href=FAR.png /></svg>",
    "<svg></p><style><a id='</style><img src=x onerror=HIT>'></svg>",
    "<math><mtext><img src=x onerror=HIT></mtext></math>",
    "<math href='javascript:HIT'>x</math>",
    "<math><mi//xlink:href='javascript:HIT'>x",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror=HIT>'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src=x onerror=HIT>",
)
LINKS = (
    "javascript:HIT",
    "JaVaScRiPt:HIT",
    "java\tscript:HIT",
    " javascript:HIT",
    "&#106;avascript&colon;HIT",
    "vbscript:HIT",
    "data:text/html,<script>HIT</script>",
    "data:text/html;base64,PHNjcmlwdD53aW5kb3cuaGl0PTE8L3NjcmlwdD4=",
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='HIT'/>",
    "//elsewhere.invalid/a.png",
    "\\\\other.invalid\\b.png",
    "../../../../etc/passwd.png",
    "file:///etc/passwd",
    "FAR.png",
    "FAR.svg",
    "blob:FAR",
    "https:FAR",
    "#know/Gauge 1",
    "#run/lr-find",
    "#wrong/first=Gauge 1&then=Gauge 2",
)
MARKDOWN = (
    "[x](javascript:HIT)",
    "[x](<javascript:HIT>)",
    "[x](&#x6A;avascript:HIT)",
    "[x](data:text/html,<script>HIT</script>)",
    '[x]: javascript:HIT "t"\n\n[x]',
    "![x](FAR.png)",
    '![x](FAR.png "t" onerror=HIT)',
    "![x][far]\n\n[far]: FAR.png",
    "[![x](FAR.png)](FAR.html)",
    '![x](x" onerror="HIT)',
    "![[FAR.png]]",
    '[[x" onclick="HIT]]',
    "[[x|<img src=x onerror=HIT>]]",
    "<javascript:HIT>",
    '<http://x"onmouseover=HIT>',
    "`<img src=x onerror=HIT>`<img src=x onerror=HIT>`",
    "``<script>``HIT``</script>``",
    "| a | b |\n| - | - |\n| <img src=x onerror=HIT> | ![x](FAR.png) |",
    "> <img src=x onerror=HIT>\n> <script>HIT</script>",
    "- <svg onload=HIT>\n\n      <script>HIT</script>",
    "x[^1]\n\n[^1]: <img src=x onerror=HIT>",
    "<a class='g-link' href='#run/lr-find'>x</a>",
    "[x](#forget/Gauge)",
    "\ue0000\ue001<img src=x onerror=HIT>\ue0001\ue001",
    "<img\u2028src=x\u2028onerror=HIT>",
    "<img\x0bsrc=x\x0conerror=HIT>",
    "\uff1cimg src=x onerror=HIT\uff1e",
)
FORMULAS = (
    r"\href{javascript:HIT}{q}",
    r"\url{javascript:HIT}",
    r"\href{FAR.html}{q}",
    r"\includegraphics{FAR.png}",
    r"\includegraphics[height=9em]{data:image/svg+xml,<svg onload=HIT>}",
    r"\htmlStyle{background:url(FAR.png)}{q}",
    r"\htmlData{x='onerror=HIT'}{q}",
    r"\htmlClass{g-link}{q}",
    r"\htmlId{chat}{q}",
    r"\text{<img src=x onerror=HIT>}",
    r"\unicode{<img src=x onerror=HIT>}",
    r"\color{red;background:url(FAR.png)}q",
    r"\colorbox{url(FAR.png)}{q}",
    r"\def\a{\a\a}\a",
    r"\rule{9999em}{9999em}",
    r"</script><script>HIT</script>",
    r"x<img src=x onerror=HIT>y",
    r"\begin{array}{<img src=x onerror=HIT>}1\end{array}",
)
DIAGRAMS = (
    'mermaid\ngraph LR; A["<img src=x onerror=HIT>"]-->B',
    'mermaid\ngraph LR; A-->B; click A href "javascript:HIT"',
    "mermaid\n%%{init: {'securityLevel': 'loose', 'themeCSS': '@import url(FAR.css)'}}%%\ngraph LR",
    "mermaid\ngraph LR; A[\"<img src='FAR.png'>\"]-->B",
    "Mermaid {onload=HIT}\ngraph LR; A-->B",
    "python' onload='HIT\nprint()",
    "html\n<script>HIT</script>",
    "{=html}\n<script>HIT</script>",
    '" onmouseover="HIT\nx',
)
TEMPLATES = (
    "${HIT}",
    "`${HIT}`",
    "\\`);HIT;//",
    "{{HIT}}",
    "{{constructor.constructor('HIT')()}}",
    "{{#each this}}{{HIT}}{{/each}}",
    "{@html '<img src=x onerror=HIT>'}",
    "<%= HIT %>",
    "';HIT;//",
    '"-(HIT)-"',
    "</script><script>HIT</script>",
    "<gradio-app src='FAR'></gradio-app>",
)
KINDS = {
    "html": HTML,
    "vector": VECTOR,
    "link": LINKS,
    "markdown": MARKDOWN,
    "formula": FORMULAS,
    "diagram": DIAGRAMS,
    "template": TEMPLATES,
}
WRITTEN = tuple(payload for kind in KINDS.values() for payload in kind)
EVERY = tuple(
    payload.replace("HIT", f"window.hit={n}").replace("FAR", f"http://p{n}.invalid/x")
    for n, payload in enumerate(WRITTEN)
)
# Each stands in every place of a note of its own; {line} is it in one line, {json} as text of YAML.
NOTE = """---
title: {json}
aliases: [{json}]
tags: [{json}]
author: {json}
---
# Gauge {n}

Gauge {n} is a tool that shows {line} to whoever looks at it.

{payload}

> - {line}

## Use of {line}

| {line} |
| ------ |
| {line} |

[[{line}]], [[Gauge {next}|{line}]], ![[{line}]]; [{line}]({line}), [x](<{line}>), <{line}>,
![{line}]({line}), ![x](<{line}>), <a href="{line}">x</a>, <img src="{line}" alt="{line}">,
<iframe src="{line}"></iframe>, <video src='{line}'></video>, [![x]({line})]({line}).

${line}$ and $x = {line}$

$$
{line}
$$

    {line}

```{payload}
```

~~~ python {line}
{payload}
~~~

![drawn](drawn.svg) and [ref]

[ref]: {line} "{line}"
"""

DRAWN = """<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="window.hit=999">
<script>window.hit=999</script><image href="http://drawn.invalid/x.png" width="9" height="9"/></svg>
"""
LEG = 12  # concepts that follow each other
RAW = EVERY[: len(HTML) + len(VECTOR)]  # those that a browser takes for HTML at once
# With GRADUS_SOAK=1 all, else every third: each has a note of its own, which is ingested.
PAYLOADS = EVERY if os.environ.get("GRADUS_SOAK") else EVERY[::3]
NAME_LIMIT = 80  # characters; a file's name may have 255 bytes


def hostile_notes(folder: Path) -> list[str]:
    """Notes, a notebook, files that are none, and a gradus.toml; gives the names of the notes.

    The note of payload n defines the concept "Gauge n", which gradus.toml calls by the payload.
    """
    names = [f"{n:03} {_file_name(payload)}.md" for n, payload in enumerate(PAYLOADS)]
    texts = {
        name: _note(n, payload)
        for n, (name, payload) in enumerate(zip(names, PAYLOADS, strict=True))
    }
    others = {
        "cells.ipynb": json.dumps(_notebook()),
        "drawn.svg": DRAWN,
        "gradus.toml": _decisions(),
        "slides.rst": PAYLOADS[0],
        **{f"broken {_file_name(payload)}.ipynb": payload for payload in PAYLOADS},
    }
    write_notes(folder, texts | others)
    return [*names, "cells.ipynb"]


def hostile_runs(folder: Path) -> None:
    """Runs of every sort of recipe, ended in every way, that say nothing but payloads."""
    recipes = ("training-flow", "lr-find", "batch-size", PAYLOADS[0], "training-flow", "lr-find")
    statuses = ("ok", "ok", "ok", "ok", "failed", "out_of_memory")
    for at, (recipe, status) in enumerate(zip(recipes, statuses, strict=True)):
        texts = PAYLOADS[at:] + PAYLOADS[:at]
        run = folder / f"20260101T00000{at}Z-{_file_name(recipe)}-{at:06}"
        said = {
            "spec.json": _spec(recipe, texts),
            "result.json": _result(recipe, status, texts),
            "environment.json": dict(zip(texts, texts, strict=True)),
        }
        write_notes(
            run,
            {name: json.dumps(value) for name, value in said.items()}
            | {
                "events.jsonl": "\n".join(map(json.dumps, _events(recipe, texts))) + "\n",
                "log.txt": "\n".join(texts),
                f"{_file_name(texts[0])}.csv": texts[0],
                f"{_file_name(texts[0])}.png": "no picture",
            },
        )


def few(items: Sequence[T], n: int) -> list[Sequence[T]]:
    """The items in rows of n, the last one as long as is left."""
    return [items[at : at + n] for at in range(0, len(items), n)]


def _line(text: str) -> str:
    return " ".join(text.split())


def _file_name(text: str) -> str:
    return _line(text).replace("/", "\u2215")[:NAME_LIMIT].strip()


def _note(n: int, payload: str) -> str:
    line = _line(payload)
    return NOTE.format(
        n=n, next=(n + 1) % len(PAYLOADS), payload=payload, line=line, json=json.dumps(line)
    )


def _decisions() -> str:
    """Every concept is called by its payload, and needs the one before it."""
    names = [json.dumps(_line(payload)) for payload in PAYLOADS]
    renamed = [f'["Gauge {n}", {name}]' for n, name in enumerate(names)]
    added = [f'["Gauge {n}", "Gauge {n + 1}"]' for n in range(len(names) - 1) if (n + 1) % LEG]
    unknown = [f"[{name}, {name}]" for name in names[:9]]
    return "\n".join(
        f"{kind} = [\n{','.join(pairs)}\n]\n"
        for kind, pairs in (("rename", renamed), ("add", added), ("merge", unknown))
    )


def _notebook() -> dict[str, Any]:
    """Cells of every kind, each with a few payloads as its source and as all sorts of output."""
    kinds = ("code", "markdown", "raw")
    cells = [_cell(kinds[at % 3], some) for at, some in enumerate(few(PAYLOADS, LEG))]
    spoken = {"name": PAYLOADS[0], "language": PAYLOADS[1], "display_name": PAYLOADS[2]}
    return {"cells": cells, "metadata": {"kernelspec": spoken}, "nbformat": 4, "nbformat_minor": 5}


def _cell(kind: str, some: Sequence[str]) -> dict[str, Any]:
    source = "\n\n".join(some)
    cell = {"cell_type": kind, "metadata": {"format": some[0]}, "source": source}
    if kind != "code":
        return cell
    outputs = [output for payload in PAYLOADS[:: LEG // 3] for output in _outputs(payload)]
    return {**cell, "outputs": outputs, "execution_count": 1}


def _outputs(payload: str) -> list[dict[str, Any]]:
    kinds = ("text/html", "text/markdown", "text/plain", "image/svg+xml", "image/png")
    shown = {**dict.fromkeys(kinds, payload), "text/latex": f"${payload}$"}
    shown["application/javascript"] = "window.hit=998"
    traceback = {"ename": payload, "evalue": payload, "traceback": [payload]}
    return [
        {"output_type": "stream", "name": "stdout", "text": payload},
        {"output_type": "display_data", "metadata": {}, "data": shown},
        {"output_type": "execute_result", "metadata": {}, "data": shown, "execution_count": 1},
        {"output_type": "error", **traceback},
    ]


def _spec(recipe: str, texts: tuple[str, ...]) -> dict[str, Any]:
    params = dict(zip(texts[:20], texts[20:40], strict=True))
    known = {"data": texts[40], "arch": texts[41], "phase": texts[42], "learner": texts[43]}
    spec = {"recipe": recipe, "task": texts[44], "params": params | known, "starter": {}}
    return spec | {"started": texts[45], "on": texts[46]}


def _result(recipe: str, status: str, texts: tuple[str, ...]) -> dict[str, Any]:
    columns = ("file", "label", "predicted", "proposal", "why")
    parts = zip(*[iter(texts)] * len(columns), strict=False)
    values = {
        "notes": list(texts),
        "doubts": [dict(zip(columns, part, strict=True)) for part in parts],
        "plan": [{"size": 32, "recommended": 8, "largest": 9, "bound": text} for text in texts[:9]],
        "phases": {texts[0]: {"recommended": 0.1, "suggestions": {texts[1]: 0.2}}},
        texts[2]: texts[3],
    }
    half = min(40, len(texts) // 2)
    figures = dict(zip(texts[:half], texts[half : 2 * half], strict=True))
    finding = {"words": texts[4], "figures": figures, "values": {texts[5]: texts[6]}}
    following = [{"recipe": "lr-find", "why": text, "params": {"task": text}} for text in texts[:9]]
    return {
        "status": status,
        "recipe": recipe,
        "task": texts[7],
        "device": texts[8],
        "card": texts[9],
        "node": texts[10],
        "values": values,
        "artifacts": [f"{_file_name(texts[0])}.{end}" for end in ("csv", "png")],
        "code": "\n".join(texts),
        "seconds": 1,
        "message": " ".join(texts),
        "notes": list(texts),
        "said": [finding],
        "next": following,
    }


def _events(recipe: str, texts: tuple[str, ...]) -> list[dict[str, Any]]:
    """What the run of a recipe tells, each of its words a payload."""
    kinds: list[dict[str, Any]] = [
        {"event": "started", "params": {"start_lr": 1e-7, "end_lr": 1}, "recipe": recipe},
        {"event": "device", "device": texts[0], "why": texts[1]},
        {"event": "artifact", "path": f"{_file_name(texts[0])}.csv", "title": texts[2]},
        *({"event": "log", "text": text} for text in texts),
        *({"event": "metric", "name": text, "value": 1} for text in texts),
    ]
    for n, text in enumerate(texts[::4]):  # a chart with a line for each would take long
        if recipe == "training-flow":
            score = {"stage": text, "way": text, "metrics": {text: 1.0}}
            kinds.append({"event": "epoch", "epoch": n, "train_loss": 1, "valid_loss": 1, **score})
            kinds.append({"event": "row", "table": texts[n % 5], text: text, "way": text})
            kinds.append({"event": "batch", "step": n, "loss": 1.0})
            kinds.append({"event": "layer", "way": text, "mean": 0.0, "deviation": 1.0})
        elif recipe == "batch-size":
            kinds.append({"event": "trial", "batch": n + 1, "ok": n % 2, "reason": text, "size": 9})
        else:
            kinds.append({"event": "point", "phase": text, "lr": 0.1, "loss": 1.0})
            kinds.append({"event": "race", "phase": text, "rate": 0.1, "batches": n, "loss": 1.0})
    return [{"t": 1.0, **event} for event in kinds]
