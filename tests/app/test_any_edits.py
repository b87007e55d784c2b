"""Whatever was done to a folder, and however often it was ingested: the store is a fresh one's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from app.answering.answer import answer
from ingest import build
from kg.encoder import Encoder
from kg.store import open_store

Everything = Callable[[Path], dict[str, object]]

# With GRADUS_SOAK=1 many and long sequences, else a few short ones.
SOAK = bool(os.environ.get("GRADUS_SOAK"))
SEQUENCES, STEPS = (120, 20) if SOAK else (10, 9)
NAMES = ("a.md", "01-tensor.md", "unet.md", "B.md", "b.md", "sub/a.md", "sub/deep/x.md", "é.md")
SECTIONS = (
    "# Tensor\n\nA tensor is a block of numbers with a shape.\n",
    "# Gradient | Slope\n\nThe gradient of a tensor tells how it changes.\n",
    "## Momentum\n\nMomentum keeps a running mean of the gradient. It needs a **step length**.\n",
    "## Dropout\n\nNeeds: [[Tensor]], [[Gradient]].\n\nDropout zeroes parts of a tensor.\n",
    "## U-Net\n\nThe U-Net skips, see [[Dropout]].\n\n```python\nlearn.fit(3)\n```\n",
    "- a list of Momentum\n- and of Dropout\n",
    "## Overfitting\n\n" + "A model that learns its examples by heart does badly on others. " * 9,
    "## Kettenregel\n\nDie Kettenregel leitet verkettete Funktionen ab, anders als der Gradient.\n",
)
FRONTS = (
    "", "---\naliases: [Block]\nprerequisites: [Gradient]\n---\n", "---\nbad: [1\n---\n", "\ufeff",
)  # fmt: skip
DECISIONS = (
    'ignore = ["Momentum"]\n', 'merge = [["Tensor", "Gradient"]]\n',
    'add = [["Dropout", "U-Net"]]\nremove = [["Tensor", "Gradient"]]\n', "not toml", "",
)  # fmt: skip
QUESTIONS = (
    "what is a tensor?", "what do I need before the U-Net?", "how do dropout and momentum differ?",
    "which learning rate is best?", "Wie leite ich eine verkettete Funktion ab?",
)  # fmt: skip
names = st.sampled_from(NAMES)
texts = st.builds(
    lambda front, parts: (front + "\n".join(parts)).encode(),
    st.sampled_from(FRONTS),
    st.lists(st.sampled_from(SECTIONS), max_size=4, unique=True),
)
broken = st.sampled_from((b"", b"\xff\xfe\x00", b"# Caf\xe9\n"))


class Edits(RuleBasedStateMachine):
    """A folder that a person works on, and a store that follows it."""

    def __init__(self, work: Path, encoder: Encoder, everything: Everything) -> None:
        super().__init__()
        shutil.rmtree(work, ignore_errors=True)
        self.notes, self.store, self.fresh = work / "notes", work / "store", work / "fresh"
        self.encoder, self.everything = encoder, everything

    @initialize(first=texts, second=texts)
    def begin(self, first: bytes, second: bytes) -> None:
        self.write("01-tensor.md", first)
        self.write("sub/a.md", second)
        build.ingest([self.notes], self.store)

    @rule(name=names, text=texts | broken)
    def write(self, name: str, text: bytes) -> None:
        (self.notes / name).parent.mkdir(parents=True, exist_ok=True)
        (self.notes / name).write_bytes(text)

    @rule(name=names, section=st.sampled_from(SECTIONS))
    def add_to(self, name: str, section: str) -> None:
        if (self.notes / name).exists():
            with (self.notes / name).open("a", encoding="utf-8") as file:
                file.write(f"\n{section}")

    @rule(name=names)
    def delete(self, name: str) -> None:
        (self.notes / name).unlink(missing_ok=True)

    @rule(old=names, new=names, copied=st.booleans())
    def move(self, old: str, new: str, copied: bool) -> None:
        if (self.notes / old).exists() and old != new:
            self.write(new, (self.notes / old).read_bytes())
            if not copied:
                self.delete(old)

    @rule(one=names, other=names)
    def swap(self, one: str, other: str) -> None:
        if (self.notes / one).exists() and (self.notes / other).exists():
            first, second = ((self.notes / name).read_bytes() for name in (one, other))
            self.write(one, second)
            self.write(other, first)

    @rule(old=st.sampled_from(("sub", "later")))
    def move_folder(self, old: str) -> None:
        new = self.notes / ("later" if old == "sub" else "sub")
        if (self.notes / old).is_dir() and not new.exists():
            (self.notes / old).rename(new)

    @rule(text=st.sampled_from(DECISIONS))
    def decide(self, text: str) -> None:
        (self.notes / "gradus.toml").write_text(text, encoding="utf-8")

    @rule()
    def ingest(self) -> None:
        build.ingest([self.notes], self.store)

    def teardown(self) -> None:
        if not self.store.exists():
            return
        self.write("last.md", b"")  # a folder without any note is refused by a first ingest
        self.ingest()
        shutil.rmtree(self.fresh, ignore_errors=True)
        build.ingest([self.notes], self.fresh)
        followed, anew = self.everything(self.store), self.everything(self.fresh)
        for part, found in followed.items():
            assert found == anew[part], part
        assert self.answers(self.store) == self.answers(self.fresh)

    def answers(self, folder: Path) -> list[object]:
        store = open_store(folder)
        try:
            return [answer(question, store, self.encoder) for question in QUESTIONS]
        finally:
            store.close()


def test_a_store_that_followed_any_edits_is_a_fresh_one(
    one_encoder: Encoder, everything: Everything, tmp_path: Path
) -> None:
    """Passages, concepts, relations with scores and evidence, vectors to the bit, and answers."""
    run_state_machine_as_test(
        lambda: Edits(tmp_path, one_encoder, everything),  # type: ignore[arg-type]
        settings=settings(max_examples=SEQUENCES, stateful_step_count=STEPS),
    )


def test_an_edit_that_is_not_ingested_is_seen(
    one_encoder: Encoder, everything: Everything, tmp_path: Path
) -> None:
    """The comparison can fail: a store that missed one edit is not the fresh one."""
    machine = Edits(tmp_path, one_encoder, everything)
    machine.begin(SECTIONS[0].encode(), SECTIONS[1].encode())
    machine.write("a.md", SECTIONS[3].encode())
    build.ingest([machine.notes], machine.fresh)
    assert everything(machine.store) != everything(machine.fresh)
