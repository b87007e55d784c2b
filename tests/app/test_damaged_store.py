"""A store that something has damaged: whatever is read of it, one line names its file."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.answering.answer import answer
from app.open_store import Shelf
from ingest import build
from kg.encoder import Encoder
from kg.errors import GradusError, NoStore, StoreVersion
from kg.marks import read_marks
from kg.schema import DATABASE
from kg.store import open_store

ODD = (None, "", "x", "{}", "[", "[1, [2]]", '{"a": 1}', -7, 10**15, 1.5, b"", b"\xff\xfe", b"abc")
QUESTIONS = ("what is a tensor?", "what do I need before the U-Net?", "tensor or momentum?")
TIMES = 30


def change_cell(file: Path, chance: random.Random) -> str:
    """Put something odd into one cell of one table; says where."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        tables = ("meta", "notes", "passages", "statements", "vectors", "words", "concepts",
                  "aliases", "mentions", "relations")  # fmt: skip
        table = chance.choice(tables)
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        column, value = chance.choice(columns), chance.choice(ODD)
        try:
            if table == "meta":
                keys = [row[0] for row in connection.execute("SELECT key FROM meta")]
                sql = f"UPDATE meta SET {column} = ? WHERE key = ?"
                connection.execute(sql, (value, chance.choice(keys)))
            else:
                connection.execute(f'UPDATE {table} SET "{column}" = ?', (value,))
        except sqlite3.IntegrityError:
            connection.execute(f"DELETE FROM {table}")
        return f"{table}.{column} = {value!r}"


def change_bytes(file: Path, chance: random.Random) -> str:
    """Overwrite some bytes, or cut the file."""
    content = bytearray(file.read_bytes())
    if chance.random() < 0.3:
        at = chance.randrange(len(content))
        file.write_bytes(content[:at])
        return f"cut at {at}"
    for _ in range(chance.choice((1, 20, 400))):
        content[chance.randrange(len(content))] = chance.randrange(256)
    file.write_bytes(content)
    return "bytes"


def read_all(folder: Path, encoder: Encoder) -> None:
    """What `gradus ask` and the pages read, a bit of each."""
    store = open_store(folder)
    try:
        store.warm(words=True)
        store.candidates()
        store.vocabulary()
        read_marks(store)
        for name in store.note_names:
            store.note_text(name)
        for question in QUESTIONS:
            answer(question, store, encoder)
    finally:
        store.close()


@pytest.mark.parametrize("seed", range(TIMES))
def test_whatever_is_damaged_is_said_in_one_line(
    store_folder: Path, tmp_path: Path, encoder: Encoder, seed: int
) -> None:
    """By reading, by the pages, and by the next ingest."""
    chance = random.Random(seed)
    folder = tmp_path / "store"
    shutil.copytree(store_folder, folder)
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    what = (change_cell if seed % 3 else change_bytes)(folder / DATABASE, chance)
    (tmp_path / "more").mkdir()
    (tmp_path / "more/added.md").write_text("# Added\n\nWhat is added is new.\n")

    def again() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(build, "load_encoder", lambda name: encoder)
            build.ingest([tmp_path / "more"], folder)

    for read in (
        lambda: read_all(folder, encoder),
        again,
        lambda: Shelf(folder, encoder).current(),
    ):
        try:
            read()
        except (StoreVersion, NoStore, GradusError) as error:
            assert "\n" not in str(error) and str(folder) in str(error), what
