"""Reading a store: vectors against NumPy, words against counts, values in place."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.encoder import Encoder
from kg.errors import GradusError, IndexMismatch, NoStore, StoreBusy, StoreVersion
from kg.rows import Unlikely, insert_relations, read_relations
from kg.schema import DATABASE, VERSION, connect, create_tables, meta_to_write
from kg.store import Store, open_store
from kg.types import Evidence, Passage, Relation
from kg.vectors import PassageVectors, in_bytes, of_bytes
from kg.writing import NoteRecord, writing

EQUAL = (1.0, 1.0, 1.0)
D = 6


def alone(texts: npt.NDArray[np.float32]) -> PassageVectors:
    """A passage without words and statements."""
    kept = tuple(in_bytes(text[None]).tobytes() for text in texts)
    return PassageVectors(b"", kept, b"", np.zeros(0, dtype=np.int16), b"")


def made(folder: Path, parts: list[int], seed: int) -> npt.NDArray[np.float32]:
    """A store with as many random unit vectors for each passage as `parts` says.

    Returns all vectors as they are kept, shape (m, d).
    """
    drawn = np.random.default_rng(seed).normal(size=(sum(parts), D))
    vectors: npt.NDArray[np.float32] = (
        drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    ).astype(np.float32)
    split = np.split(vectors, np.cumsum(parts)[:-1])
    passages = [Passage(i, "n", None, i, i + 1, 1, 1, (), "x", "prose") for i in range(len(parts))]
    with writing(folder) as writer:
        writer.put_meta("encoder", "random")
        record = NoteRecord(0, "/n", "/", "n", "")
        writer.put_note(record, '{"texts": ["x"]}', passages, [alone(v) for v in split])
        writer.put_derived(["n"], [], [], [], [(i, "", "x", "") for i in range(len(parts))])
    return of_bytes(in_bytes(vectors).tobytes(), D)


@settings(max_examples=40)
@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=40), st.integers(1, 50), st.integers(0, 999)
)
def test_nearest_passages_are_exact(
    tmp_path_factory: pytest.TempPathFactory, parts: list[int], k: int, seed: int
) -> None:
    """A score is the best vector's cosine, and the k best passages are NumPy's."""
    folder = tmp_path_factory.mktemp("nearest")
    vectors = made(folder, parts, seed)
    drawn = np.random.default_rng(seed + 1).normal(size=D)
    query = (drawn / np.linalg.norm(drawn)).astype(np.float32)
    owners = np.repeat(np.arange(len(parts)), parts)
    exact = {p: float((vectors[owners == p] @ query).max()) for p in range(len(parts))}
    store = open_store(folder)
    found = store.vectors.nearest(query, k)
    own = [store.vectors.of_passages([p])[0] for p in range(len(parts))]
    store.close()
    shutil.rmtree(folder)
    assert [p for p, _ in found] == sorted(exact, key=lambda p: -exact[p])[:k]
    np.testing.assert_allclose(
        [s for _, s in found], sorted(exact.values(), reverse=True)[:k], atol=1e-6
    )
    assert [len(o) for o in own] == parts


def test_nearest_passages_refuse_another_dimension(store: Store) -> None:
    """A question encoded by another model is refused, not compared."""
    with pytest.raises(
        IndexMismatch, match=r"the question's vector has shape \(3,\), the index expects \(384,\)"
    ):
        store.vectors.nearest(np.ones(3, dtype=np.float32), 3)


def test_no_passages_are_asked_for_and_none_come(store: Store, encoder: Encoder) -> None:
    """k = 0 gives nothing."""
    assert store.vectors.nearest(encoder.encode(["x"])[0], 0) == []


def test_words_rank_passages_higher_the_more_they_say(store: Store) -> None:
    """All and only the passages with the word match; scores fall.

    The one that is about it leads.
    """
    found = store.lexical('"momentum"', 10, EQUAL)
    holding = {
        p.id for p in store.passages if "momentum" in " ".join((*p.heading_path, p.text)).casefold()
    }
    assert {p for p, _ in found} == holding
    assert "Momentum" in store.passages[found[0][0]].heading_path
    scores = [s for _, s in found]
    assert scores == sorted(scores, reverse=True) and scores[-1] > 0
    assert store.lexical('"momentum"', 1, EQUAL) == found[:1]
    assert store.lexical('"nowhere"', 10, EQUAL) == []


def test_a_rare_word_counts_more_than_a_common_one(store: Store) -> None:
    """BM25: of two words, the one that fewer passages hold decides."""
    assert store.passage_frequency("zigzags") == 1 < store.passage_frequency("parameter")
    best = store.lexical('"zigzags" OR "parameter"', 1, EQUAL)[0][0]
    assert "zigzags" in store.passages[best].text


def test_the_weights_of_the_fields_are_heading_body_names(store: Store) -> None:
    """A match in one field alone counts nothing when only another field has weight."""
    body_only = '"zigzags"'
    assert store.lexical(body_only, 1, (0, 1, 0))[0][1] > 0
    assert store.lexical(body_only, 1, (1, 0, 1))[0][1] == 0
    assert store.lexical('"regularisation"', 9, (1, 0, 0))[0][1] > 0
    named_weight = {
        p for c in store.concepts if "Weight" in (c.label, *c.aliases) for p in c.passages
    }
    assert named_weight and named_weight <= {
        p for p, s in store.lexical('"weight"', 99, (0, 0, 1)) if s > 0
    }


def test_the_frequency_of_a_term_is_stemmed_and_never_syntax(store: Store) -> None:
    """Counted as the index stems; quotes and operators are characters like others."""
    assert store.passage_frequency("gradient") == store.passage_frequency("gradients") > 1
    for odd in ('"', "*", "NEAR(", "a OR b", "heading:x", "", "^", "-", 'x" OR "gradient'):
        assert store.passage_frequency(odd) == 0


def test_every_passage_is_a_slice_of_its_note(store: Store) -> None:
    """text[start:end] of the note as stored, and of the file on disk, line numbers included."""
    assert {p.note for p in store.passages} == set(store.note_names)
    for p in store.passages:
        text = store.note_text(p.note, p.cell)
        assert text[p.start : p.end] == p.text
        assert text.count("\n", 0, p.start) + 1 == p.line_start
        assert text.count("\n", 0, p.end) + 1 == p.line_end
        if p.cell is None:
            assert store.note_paths[p.note].read_bytes().decode() == text


def test_the_store_holds_a_notebook_crlf_and_a_byte_order_mark(store: Store) -> None:
    """What the slices above are tested on."""
    assert {p.cell for p in store.passages if p.note == "more/augmentation.ipynb"} == {0, 1, 2}
    production = store.note_text("more/production.md")
    assert production.startswith("\ufeff#") and production.count("\r\n") == production.count("\n")
    assert any("\r\n" in p.text for p in store.passages if p.note == "more/production.md")


def test_ids_are_positions(store: Store) -> None:
    """Of passages and concepts; mentions and relations point to existing ones."""
    assert [p.id for p in store.passages] == list(range(len(store.passages)))
    assert [c.id for c in store.concepts] == list(range(len(store.concepts)))
    for m in store.mentions:
        assert store.passages[m.passage].text[m.start : m.end]
        assert m.alias in (store.concepts[m.concept].label, *store.concepts[m.concept].aliases)


def test_an_unknown_note_is_a_key_error(store: Store) -> None:
    """Named as it was asked for."""
    with pytest.raises(KeyError, match=r"none\.md"):
        store.note_text("none.md")


def test_a_folder_without_a_store_says_what_to_run(tmp_path: Path) -> None:
    """And looking does not make one."""
    with pytest.raises(NoStore) as caught:
        open_store(tmp_path / "none")
    where = tmp_path / "none"
    assert (
        str(caught.value)
        == f"there is no store in {where} yet (`gradus ingest PATH --store {where}` makes one)"
    )
    assert not where.exists()


def test_a_store_without_a_finished_ingest_says_what_to_run(tmp_path: Path) -> None:
    """An empty database, and one with tables only."""
    connect(tmp_path, writable=True).close()
    with pytest.raises(
        NoStore, match=rf"{tmp_path} holds no notes yet \(`gradus ingest PATH --store"
    ):
        open_store(tmp_path)
    meta_to_write(connect(tmp_path, writable=True), tmp_path)
    with pytest.raises(NoStore, match="holds no notes yet"):
        open_store(tmp_path)


@pytest.mark.parametrize(
    "content", [b"these are somebody's notes\n" * 200, b"SQLite format 3\x00" + b"\xff" * 5000]
)
def test_a_file_that_is_no_database_is_named(tmp_path: Path, content: bytes) -> None:
    """Reading and writing both refuse it, say where it is, and leave it alone."""
    (tmp_path / DATABASE).write_bytes(content)
    with pytest.raises(
        StoreVersion,
        match=rf"{tmp_path / DATABASE} is not a store of Gradus, or is damaged \(.*--store",
    ):
        open_store(tmp_path)
    with (
        pytest.raises(StoreVersion, match=r"is not a store of Gradus, or is damaged"),
        writing(tmp_path),
    ):
        pytest.fail("it must not be written to")
    assert (tmp_path / DATABASE).read_bytes() == content


def test_a_database_of_something_else_is_named(tmp_path: Path) -> None:
    """A sound SQLite file with other tables, or with a table of ours that holds other things."""
    with sqlite3.connect(tmp_path / DATABASE) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    with pytest.raises(
        StoreVersion, match=r"is not a store of Gradus, or is damaged \(no such table: meta\)"
    ):
        open_store(tmp_path)
    with sqlite3.connect(tmp_path / DATABASE) as other:
        other.execute("CREATE TABLE meta (key, value)")
    other.close()
    with pytest.raises(
        StoreVersion, match=f"has version None, this Gradus reads version {VERSION}"
    ):
        open_store(tmp_path)


def test_a_damaged_database_is_named(store_folder: Path, tmp_path: Path) -> None:
    """Half a file opens with one line that says what to do."""
    raw = (store_folder / DATABASE).read_bytes()
    (tmp_path / DATABASE).write_bytes(raw[: len(raw) // 2])
    with pytest.raises(
        StoreVersion, match=r"or is damaged .* or delete that file and ingest again"
    ):
        open_store(tmp_path)


def of_version(folder: Path, version: str) -> None:
    connection = connect(folder, writable=True)
    connection.execute("UPDATE meta SET value = ? WHERE key = 'version'", (version,))
    connection.close()


def test_a_newer_version_is_refused(store_folder: Path, tmp_path: Path) -> None:
    """In one line with both versions and what to do, for readers and writers, and left alone."""
    shutil.copy(store_folder / DATABASE, tmp_path)
    of_version(tmp_path, "99")
    before = (tmp_path / DATABASE).read_bytes()
    expected = (
        f"the store in {tmp_path} has version 99, this Gradus reads version {VERSION}; "
        "it stays as it is: update Gradus, or choose another store with --store"
    )
    with pytest.raises(StoreVersion) as read:
        open_store(tmp_path)
    with pytest.raises(StoreVersion) as write, writing(tmp_path):
        pytest.fail("it must not be written to")
    assert str(read.value) == str(write.value) == expected
    assert (tmp_path / DATABASE).read_bytes() == before


def test_an_older_version_is_not_read(store_folder: Path, tmp_path: Path) -> None:
    """One line says how it is brought up to date, and what stays."""
    shutil.copy(store_folder / DATABASE, tmp_path)
    of_version(tmp_path, "1")
    with pytest.raises(StoreVersion) as read:
        open_store(tmp_path)
    assert str(read.value) == (
        f"the store in {tmp_path} has version 1, this Gradus reads version {VERSION}; bring it up "
        f"to date with: gradus ingest PATH --store {tmp_path} (what you decided and marked as "
        "known stays)"
    )


def test_a_locked_database_is_busy_not_broken(
    store_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that somebody holds for themselves alone says so."""
    shutil.copy(store_folder / DATABASE, tmp_path)
    holder = connect(tmp_path, writable=True)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    impatient = sqlite3.connect

    def at_once(*args: object, **kwargs: object) -> sqlite3.Connection:
        return impatient(*args, **{**kwargs, "timeout": 0.0})  # type: ignore[call-overload]

    monkeypatch.setattr(sqlite3, "connect", at_once)
    for attempt in (lambda: open_store(tmp_path), lambda: writing(tmp_path).__enter__()):
        with pytest.raises(
            StoreBusy,
            match=rf"another ingest is writing to the store in {tmp_path}; try again when",
        ):
            attempt()
    holder.close()


@pytest.mark.skipif(
    not hasattr(os, "fork"), reason="needs a process with fewer rights, made by fork"
)
def test_a_store_that_may_only_be_read_still_answers(store_folder: Path) -> None:
    """Without the right to write, a store opens, finds by word, and stays as it is."""
    # Not below pytest's own folder, which is private.
    folder = Path(tempfile.mkdtemp(prefix="gradus-read-only-"))
    shutil.copy(store_folder / DATABASE, folder)
    (folder / DATABASE).chmod(0o444)
    folder.chmod(0o555)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if os.getuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            opened = open_store(folder)
            code = 2 if not opened.lexical('"momentum"', 3, EQUAL) else 3
            if code == 3:
                try:
                    writing(folder).__enter__()
                except GradusError:
                    code = 0
        finally:
            os._exit(code)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    folder.chmod(0o755)
    shutil.rmtree(folder)
    assert ended == 0


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 10_000),
                          st.sampled_from(("kept", "shown", "bare", "unlikely"))),
                max_size=60))  # fmt: skip
def test_relations_come_back_as_they_were_put_whether_as_rows_or_packed(
    drawn: list[tuple[int, int, int, str]],
) -> None:
    """Each with its score; what nothing speaks for and nobody would look at takes no row."""
    place = Evidence("n.md", None, 3, "it says so", "mention")
    by_pair = dict(sorted({(p, c): (s, how) for p, c, s, how in drawn}.items()))
    ways = [*by_pair.values()]
    relations = [
        Relation("prerequisite", p, c, score / 10_000, how == "kept", (place,) * (how == "shown"))
        for (p, c), (score, how) in by_pair.items()
    ]
    connection = sqlite3.connect(":memory:")
    create_tables(connection)
    low = [r for r, (_, how) in zip(relations, ways, strict=True) if how == "unlikely"]
    unlikely = Unlikely(
        np.array([(r.source, r.target) for r in low], dtype=int).reshape(-1, 2).T,
        np.array([r.score for r in low]),
    )
    insert_relations(connection, [r for r in relations if r not in low], unlikely)
    for kept in (True, False):
        assert read_relations(connection, kept) == tuple(r for r in relations if r.kept == kept)
    (rows,) = connection.execute("SELECT count(*) FROM relations").fetchone()
    assert rows == sum(r.kept for r in relations)
    connection.close()
