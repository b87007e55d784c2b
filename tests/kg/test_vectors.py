"""Nearest neighbours against exact NumPy, and an index file that is checked, never trusted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.encoder import Encoder
from kg.errors import IndexMismatch
from kg.schema import INDEX
from kg.store import Store, open_store
from kg.vectors import (
    RAISED,
    SLOPE,
    WORD_BITS,
    best_matches,
    build_index,
    build_shortlist,
    in_bits,
    in_bytes,
    load_shortlist,
    nearest,
    of_bits,
    of_bytes,
    save_shortlist,
    shortlist,
)

Vectors = npt.NDArray[np.float32]


def unit_vectors(seed: int, n: int, d: int, copies: int = 0) -> Vectors:
    """Random unit vectors, shape (n, d), the last ones copies of the first."""
    vectors = np.random.default_rng(seed).normal(size=(n, d))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for i in range(min(copies, n - 1)):
        vectors[n - 1 - i] = vectors[i]
    return vectors.astype(np.float32)


@given(
    st.integers(0, 10_000),
    st.integers(1, 60),
    st.integers(1, 12),
    st.integers(0, 80),
    st.integers(0, 5),
)
def test_nearest_is_exact(seed: int, n: int, d: int, k: int, copies: int) -> None:
    """The cosines of the k best rows are NumPy's, best first, each row once.

    At most n, also with equal vectors.
    """
    vectors = unit_vectors(seed, n, d, copies)
    query = unit_vectors(seed + 1, 1, d)[0]
    rows, scores = nearest(build_index(vectors), query, k)
    exact = vectors @ query
    assert len(rows) == len(scores) == min(k, n)
    assert len(set(rows.tolist())) == len(rows)
    np.testing.assert_allclose(scores, np.sort(exact)[::-1][:k], atol=1e-6)
    np.testing.assert_allclose(scores, exact[rows], atol=1e-6)


def test_a_vector_is_nearest_to_itself_and_opposite_ones_are_last() -> None:
    """Higher is better: 1 for the same direction, -1 for the opposite one."""
    vectors = np.array([[-1, 0], [0, 1], [1, 0]], dtype=np.float32)
    rows, scores = nearest(build_index(vectors), vectors[2], 3)
    assert rows.tolist() == [2, 1, 0]
    assert scores.tolist() == [1.0, 0.0, -1.0]


def test_an_empty_index_gives_nothing() -> None:
    """No vectors, no neighbours, no error."""
    rows, scores = nearest(
        build_index(np.zeros((0, 4), dtype=np.float32)), np.ones(4, dtype=np.float32), 5
    )
    assert rows.size == scores.size == 0


@pytest.mark.parametrize("shape", [(3,), (5,), (1, 4), ()])
def test_a_query_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    """The message has both shapes."""
    index = build_index(unit_vectors(0, 3, 4))
    with pytest.raises(IndexMismatch) as caught:
        nearest(index, np.ones(shape, dtype=np.float32), 2)
    assert str(caught.value) == f"the question's vector has shape {shape}, the index expects (4,)"


def some(seed: int = 1, n: int = 5, d: int = 16) -> Any:
    """A shortlist's index of random vectors."""
    return build_shortlist([unit_vectors(seed, n, d)], d)


@pytest.mark.parametrize("d", [16, 21, 384])
def test_a_shortlist_holds_what_is_nearest(d: int) -> None:
    """Whole ones in any slabs, and shorter ones of vectors that are near something."""
    vectors = unit_vectors(3, 400, d)
    near = vectors[:20] + 0.1 * unit_vectors(4, 20, d)
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    index = build_shortlist([vectors[:7], vectors[7:7], vectors[7:]], d)
    for i, query in enumerate(near):
        assert sorted(shortlist(index, query, 1_000, d)) == [*range(400)]
        found = shortlist(index, query, 40, d)
        assert len(set(found.tolist())) == 40 and i in found
    with pytest.raises(IndexMismatch, match=rf"shape \(3,\), the index expects \({d},\)"):
        shortlist(index, np.ones(3, dtype=np.float32), 5, d)


def test_a_saved_index_comes_back(tmp_path: Path) -> None:
    """The same rows are found, and no other file is left beside it."""
    path, query = tmp_path / "index", unit_vectors(9, 1, 16)[0]
    index = some(n=20)
    save_shortlist(index, path, "a 3")
    again = load_shortlist(path, "a 3")
    assert again is not None
    np.testing.assert_array_equal(shortlist(again, query, 20, 16), shortlist(index, query, 20, 16))
    assert [p.name for p in tmp_path.iterdir()] == ["index"]


def test_an_index_of_something_else_is_not_taken(tmp_path: Path) -> None:
    """Of another generation, or of a store made anew in the same place."""
    save_shortlist(some(), tmp_path / "index", "a 3")
    for other in ("a 2", "a 4", "b 3", ""):
        assert load_shortlist(tmp_path / "index", other) is None


def test_a_missing_or_foreign_file_is_not_taken(tmp_path: Path) -> None:
    """No file, a folder, an empty file, another format, a head of other JSON."""
    magic = b"gradus vectors 3\n"
    assert load_shortlist(tmp_path / "none", "") is None
    assert load_shortlist(tmp_path, "") is None
    for content in (
        b"",
        b"hello",
        magic,
        magic + b"[]\nx",
        magic + b"7\nx",
        magic + b"null",
        magic + b'{"a": 1}\n',
    ):
        (tmp_path / "index").write_bytes(content)
        assert load_shortlist(tmp_path / "index", "") is None


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_a_file_with_one_flipped_bit_is_not_taken(
    tmp_path_factory: pytest.TempPathFactory, at: int, bit: int
) -> None:
    """Wherever the bit is."""
    path = tmp_path_factory.getbasetemp() / "flipped"
    save_shortlist(some(), path, "a 3")
    raw = bytearray(path.read_bytes())
    raw[at % len(raw)] ^= 1 << bit
    path.write_bytes(raw)
    assert load_shortlist(path, "a 3") is None


@given(st.integers(0, 10_000))
def test_a_shortened_file_is_not_taken(
    tmp_path_factory: pytest.TempPathFactory, length: int
) -> None:
    """Wherever it ends."""
    path = tmp_path_factory.getbasetemp() / "shortened"
    save_shortlist(some(), path, "a 3")
    raw = path.read_bytes()
    path.write_bytes(raw[: length % len(raw)])
    assert load_shortlist(path, "a 3") is None


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    """Where the index cannot go, its unfinished copy does not stay either."""
    (tmp_path / "index").mkdir()
    with pytest.raises(OSError, match="index"):
        save_shortlist(some(), tmp_path / "index", "a 1")
    assert [p.name for p in tmp_path.iterdir()] == ["index"]


@pytest.mark.parametrize(
    "harm", ["missing", "flipped", "shortened", "other generation", "other store", "a folder"]
)
def test_a_store_of_many_passages_rebuilds_an_index_it_cannot_trust(
    store_folder: Path,
    encoder: Encoder,
    tmp_path: Path,
    harm: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever happened to the file, neighbours are right, and it is sound afterwards."""
    folder = tmp_path / "store"
    shutil.copytree(store_folder, folder)
    path = folder / INDEX
    query = encoder.encode(["how long is a step?"])[0]
    before = open_store(folder)
    exact = before.vectors.nearest(query, 5)
    before.close()
    assert not path.exists()
    monkeypatch.setattr("kg.stored_vectors.FLAT_MOST", 3)
    before = open_store(folder)
    expected, of = before.vectors.nearest(query, 5), f"{before.identity} {before.generation}"
    before.close()
    assert [p for p, _ in expected] == [p for p, _ in exact]
    np.testing.assert_allclose([s for _, s in expected], [s for _, s in exact], atol=1e-6)
    raw = bytearray(path.read_bytes())
    if harm in ("missing", "a folder"):
        path.unlink()
    if harm == "a folder":
        path.mkdir()
    elif harm == "flipped":
        raw[-40] ^= 4
        path.write_bytes(raw)
    elif harm == "shortened":
        path.write_bytes(raw[:-400])
    elif harm == "other generation":
        save_shortlist(some(d=384), path, f"{before.identity} {before.generation + 1}")
    elif harm == "other store":
        save_shortlist(some(d=384), path, f"another {before.generation}")
    after = open_store(folder)
    assert after.vectors.nearest(query, 5) == expected
    after.close()
    if harm != "a folder":
        mended = load_shortlist(path, of)
        assert mended is not None and mended.ntotal == len(after.vectors)
    assert {p.name for p in folder.iterdir()} >= {"gradus.sqlite", INDEX}
    assert not [p for p in folder.iterdir() if p.name.endswith(".new")]


def test_a_small_store_keeps_no_index_of_a_larger_one(store_folder: Path, tmp_path: Path) -> None:
    """Nor of an older version; a folder in its place stays."""
    shutil.copytree(store_folder, tmp_path / "store")
    path = tmp_path / "store" / INDEX
    for leave in (lambda: path.write_bytes(b"old"), path.mkdir):
        leave()
        opened = open_store(tmp_path / "store")
        opened.warm()
        opened.close()
        assert path.is_dir() or not path.exists()
    assert path.is_dir()


def test_the_head_of_the_file_is_readable(tmp_path: Path) -> None:
    """What it is of and a checksum stand in its second line as JSON."""
    save_shortlist(some(), tmp_path / "index", "a 7")
    head = json.loads((tmp_path / "index").read_bytes().split(b"\n")[1])
    assert head["of"] == "a 7" and len(head["sha256"]) == 64


@given(
    st.integers(0, 10_000),
    st.lists(st.integers(0, 9), max_size=8),
    st.integers(0, 5),
    st.integers(2, 384),
)
def test_best_matches_are_those_of_the_kept_words(
    seed: int, lengths: list[int], q: int, d: int
) -> None:
    """For each passage and word NumPy's largest product, less what the largest has too much."""
    kept = [in_bits(unit_vectors(seed + i, n, d), WORD_BITS) for i, n in enumerate(lengths)]
    question = unit_vectors(seed + 100, q, d) if q else np.zeros((0, d), dtype=np.float32)
    exact = np.zeros((len(lengths), q))
    for i, words in enumerate(kept):
        for j in range(q):
            products = of_bits(words, d, WORD_BITS) @ question[j]
            best = (max(products.tolist(), default=-1) - RAISED) / SLOPE
            exact[i, j] = min(1.0, max(0.0, best))
    np.testing.assert_allclose(best_matches(question, kept), exact, atol=1e-4)


def test_no_words_match_nothing() -> None:
    """A passage without words is no best match."""
    assert not best_matches(np.eye(3, dtype=np.float32), [b"", b""]).any()


@pytest.mark.parametrize(("bits", "apart"), [(1, 0.04), (2, 0.02), (4, 0.006)])
def test_cosines_of_vectors_in_bits_are_right_on_average(bits: int, apart: float) -> None:
    """For vectors whose numbers are unlike, as an encoder's are, no single one far from it."""
    d = 384
    drawn = unit_vectors(1, 2_000, d) * np.exp(-np.arange(d) / 60, dtype=np.float32)
    vectors = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    stored = in_bits(3 * vectors, bits)
    assert len(stored) == len(vectors) * d * bits // 8
    read = of_bits(stored, d, bits)
    for other in vectors[:5]:
        wrong = read @ other - vectors @ other
        assert abs(wrong.mean()) < 0.1 * apart and wrong.std() < apart
    own = np.einsum("nd,nd->n", read, vectors)
    assert abs(own.mean() - 1) < 0.01 and np.abs(own - 1).max() < 0.15


def test_what_a_vector_becomes_depends_on_it_alone() -> None:
    """Alone, beside others, and once more."""
    vectors = unit_vectors(2, 9, 384)
    together = in_bits(vectors, 1)
    assert together == b"".join(in_bits(v[None], 1) for v in vectors) == in_bits(vectors, 1)
    of_one = in_bytes(vectors[:1])
    np.testing.assert_array_equal(in_bytes(vectors)[:1], of_one)
    np.testing.assert_allclose(of_bytes(of_one.tobytes(), 384), vectors[:1], atol=2e-3)


def test_best_matches_are_as_large_as_before_words_were_kept(
    store: Store, encoder: Encoder
) -> None:
    """On average, over questions and the passages of some notes."""
    _, read = encoder.encode_words([p.text for p in store.passages])
    _, asked = encoder.encode_words(["how does momentum help?", "what is a loss made of?"])
    question = np.concatenate([one.vectors for one in asked])
    right = np.stack([(one.vectors @ question.T).max(axis=0) for one in read])
    found = best_matches(question, [in_bits(one.vectors, WORD_BITS) for one in read])
    assert abs((found - right).mean()) < 0.02
