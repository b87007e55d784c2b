"""The code of the starter notes: every block runs, in the order in which a learner meets it."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from markdown_it import MarkdownIt

import ingest

NOTES = sorted((Path(ingest.__file__).parent / "starter").glob("*.md"))
MOST_SKIPPED = 5  # blocks that need a reader's own folder or card


def code_blocks(note: Path) -> list[tuple[str, int, str]]:
    """Info string, 0-based line of the fence and source of every fenced block, in reading order."""
    tokens = MarkdownIt().parse(note.read_text(encoding="utf-8"))
    fences = (token for token in tokens if token.type == "fence")
    return [
        (token.info.strip(), token.map[0] if token.map else 0, token.content) for token in fences
    ]


@pytest.fixture
def quiet_machine() -> Iterator[None]:
    """Fixed seeds, and one thread, as threads of nets so small would only wait."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    plt.close("all")


@pytest.mark.usefixtures("quiet_machine")
@pytest.mark.parametrize("note", NOTES, ids=lambda note: note.stem)
def test_every_block_of_a_note_runs_in_order(
    note: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blocks of one note share their names, as in a notebook, and none raises.

    Their asserts hold too.
    """
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    page = ModuleType(f"starter_{note.stem.replace('-', '_')}")
    # What a block defines can then be pickled.
    monkeypatch.setitem(sys.modules, page.__name__, page)
    ran = 0
    for info, line, source in code_blocks(note):
        if info == "python":
            # the empty lines in front make a traceback name the note's own line
            exec(compile("\n" * (line + 1) + source, str(note), "exec"), page.__dict__)
            ran += 1
    assert ran > 0, f"{note.name} has no block of Python that runs"


def test_few_blocks_are_not_run() -> None:
    """A fence is Python that runs, plain text, or one that a test machine cannot run."""
    infos = [(note.name, line + 1, info) for note in NOTES for info, line, _ in code_blocks(note)]
    strange = [found for found in infos if found[2] not in {"python", "python no-run", "text"}]
    assert not strange
    assert sum(info == "python no-run" for _, _, info in infos) <= MOST_SKIPPED
