"""Notes that something has mangled: each is taken apart or named, soon, and spans still slice.

`GRADUS_MUTANTS=10000` tries more of them than the thousand of each day.
"""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ingest.notes.files import read_note
from ingest.notes.kinds import parse_note
from ingest.notes.parsed import Block, Heading, Marked, ParsedNote, dump, load
from ingest.passages.cut import cut
from ingest.passages.encode import ToEncode
from kg.errors import UnreadableNote

MUTANTS = int(os.environ.get("GRADUS_MUTANTS", "1000"))
PARTS = 20  # tests that share them
HANGS_S = 10  # far beyond what any takes, also on a machine that is busy

NOTE = """\
---
title: Dropout
aliases: [drop-out, "zeroing"]
prerequisites:
  - "[[Activation]]"
---
# Dropout | DO

**Dropout** sets *random* activations to `zero`, see [the paper](https://example.org/a_(b)). It is
used in training only, e.g. for $p = 0.5$: half are gone! ~~Never~~ rarely at test time.

Needs: [[Activation]], [[Loss#Cross entropy|loss]]

## Why it helps

- it averages networks
  1. each one thinner
  2. none alone
- > quoted in an item

| rate | effect |
|------|--------|
| 0.1  | **small** |
| 0.5  | large |

$$
y = \\frac{m \\odot x}{1 - p}
$$

```python
layer = nn.Dropout(0.5)
```

![mask](mask.png) <img src="a.png" alt="a mask"> <!-- a comment -->

[ref]: https://example.org "title"

> [!note] Soon
> It ends here.[^1]

[^1]: A footnote.
"""
NOTEBOOK: dict[str, Any] = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"kernelspec": {"language": "python"}},
    "cells": [
        {"cell_type": "markdown", "source": NOTE},
        {
            "cell_type": "code",
            "source": ["x = 1\n", "x"],
            "execution_count": 1,
            "outputs": [
                {"output_type": "stream", "text": "so far\r50%\rdone\n"},
                {"output_type": "error", "ename": "E", "evalue": "no \x1b[31mway\x1b[0m"},
                {"output_type": "execute_result", "data": {"text/plain": ["[<a.B at 0x1>]"]}},
            ],
        },
        {"cell_type": "raw", "source": "raw"},
        {"cell_type": "markdown", "source": ["## More\n", "\n", "Words *here*.\n"]},
    ],
}
ODD_TEXT = (
    "\0", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\ufeff", "\u202e\u05d0\u05d1",
    "\u0301" * 50, "😀", "\r", "\r\n", "\t", "---\n", "+++\n", "```\n", "$$", "<!--", "<script>",
    "[[", "](", "![", "|", "> ", "- ", "1. ", "# ", "**", "__", "`", "\\",
    "{{x}}", "<% y %>", "&#xD800;", "&#0;", "\\begin{a}",
)  # fmt: skip
ODD_JSON: tuple[Any, ...] = (
    None, True, -1, 10**300, 1.5, "", "x", "\ud800", [], [None], [[1]], {}, {"source": 1},
    "markdown",
)  # fmt: skip


def mangled(text: str, chance: random.Random) -> str:
    """Some pieces of a text cut out, doubled, repeated, nested, made long or odd."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        a, b = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        b = min(b, a + chance.choice((3, 40, 400)))
        piece = text[a:b]
        new = chance.choice(
            (
                "",
                piece * 2,
                piece * (2000 // max(1, len(piece))),
                piece.replace("\n", " " * chance.choice((1, 4, 2000))),
                "".join(f"{'  ' * depth}- {depth}\n" for depth in range(chance.choice((5, 70)))),
                ">" * chance.choice((3, 100)) + piece,
                chance.choice(ODD_TEXT) * chance.choice((1, 2, 500)),
                "".join(chance.sample(ODD_TEXT, 8)),
                piece[::-1],
            )
        )
        text = text[:a] + new + text[b:]
    return text


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


def notebook(chance: random.Random) -> str:
    """A notebook with mangled cells and odd values in its JSON, of an odd version now and then."""
    value = json.loads(json.dumps(NOTEBOOK))
    for _ in range(chance.choice((0, 1, 3))):
        holder, key = chance.choice(list(places(value)))
        odd = json.loads(json.dumps(chance.choice(ODD_JSON)))
        holder[key] = mangled(NOTE, chance) if chance.random() < 0.5 else odd
    if chance.random() < 0.2:
        value["nbformat"] = chance.choice((1, 2, 3, 5))
        value["worksheets"] = chance.choice(([], [{"cells": value.get("cells")}], {}, 7))
    text = json.dumps(value)
    return mangled(text, chance) if chance.random() < 0.2 else text


def mutant(seed: int) -> tuple[str, bytes]:
    """A file's name and content."""
    chance = random.Random(seed)
    as_notebook = seed % 3 == 0
    text = notebook(chance) if as_notebook else mangled(NOTE, chance)
    content = text.encode("utf-8", "surrogatepass")
    if chance.random() < 0.05:
        at = chance.randrange(len(content) + 1)
        content = content[:at] + chance.choice((b"\xff", b"\xc3", b"\0")) + content[at:]
    return ("a.ipynb" if as_notebook else "a.md"), content


@contextmanager
def ends_soon(what: str) -> Iterator[None]:
    def hangs(*_: object) -> None:
        raise AssertionError(f"{what} is not done after {HANGS_S} s")

    before = signal.signal(signal.SIGALRM, hangs)
    left = signal.alarm(HANGS_S)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.alarm(left)


def check(parsed: ParsedNote, name: str) -> None:
    """All spans lie in their texts, passages are slices, and what is stored is what is read."""
    parts: list[Heading | Block | Marked] = [*parsed.headings, *parsed.blocks, *parsed.marked]
    for part in parts:
        assert 0 <= part.start <= part.end <= len(parsed.text_of(part.cell))
    for block in parsed.blocks:
        assert parsed.text_of(block.cell)[block.start : block.end].strip("\r\n")
    dump(parsed).encode()
    assert load(dump(parsed)) == parsed
    for passage in cut(parsed, name):
        assert parsed.text_of(passage.cell)[passage.start : passage.end] == passage.text
        for said in passage.statements:
            assert 0 <= said.start < said.end <= len(passage.text)
        assert ToEncode.of(passage).texts


@pytest.mark.parametrize("part", range(PARTS))
def test_mangled_notes_are_taken_apart_or_named(tmp_path: Path, part: int) -> None:
    """Each by itself, so that a failure names its seed."""
    read = 0
    for seed in range(part, MUTANTS, PARTS):
        name, content = mutant(seed)
        (tmp_path / name).write_bytes(content)
        with ends_soon(f"mutant {seed}"):
            try:
                parsed = parse_note(read_note(tmp_path / name), name)
            except UnreadableNote as error:
                assert str(error) and error.line >= 1, seed
                continue
            try:
                check(parsed, name)
            except Exception as error:
                raise AssertionError(f"mutant {seed}: {error!r}") from error
        read += 1
    assert read > MUTANTS // PARTS // 2
