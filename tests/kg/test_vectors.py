"""Nearest neighbours against exact NumPy, and an index file that is checked, never trusted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.encoder import Encoder
from kg.errors import IndexMismatch
from kg.schema import INDEX
from kg.store import open_store
from kg.vectors import best_matches, build_index, in_bytes, load_index, nearest, save_index

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


def test_a_saved_index_comes_back(tmp_path: Path) -> None:
    """Same rows, same scores, and no other file is left beside it."""
    vectors = unit_vectors(1, 20, 8)
    path = tmp_path / "index"
    save_index(build_index(vectors), path, 3)
    index = load_index(path, 3)
    assert index is not None
    np.testing.assert_array_equal(index.reconstruct_n(0, 20), vectors)
    assert [p.name for p in tmp_path.iterdir()] == ["index"]


def test_an_index_of_another_generation_is_not_taken(tmp_path: Path) -> None:
    """Neither an older nor a newer one."""
    save_index(build_index(unit_vectors(1, 5, 4)), tmp_path / "index", 3)
    assert load_index(tmp_path / "index", 2) is None
    assert load_index(tmp_path / "index", 4) is None


def test_a_missing_or_foreign_file_is_not_taken(tmp_path: Path) -> None:
    """No file, a folder, an empty file, another format, a head of other JSON."""
    magic = b"gradus vectors 1\n"
    assert load_index(tmp_path / "none", 1) is None
    assert load_index(tmp_path, 1) is None
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
        assert load_index(tmp_path / "index", 1) is None


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_a_file_with_one_flipped_bit_is_not_taken(
    tmp_path_factory: pytest.TempPathFactory, at: int, bit: int
) -> None:
    """Wherever the bit is."""
    path = tmp_path_factory.getbasetemp() / "flipped"
    save_index(build_index(unit_vectors(1, 5, 4)), path, 3)
    raw = bytearray(path.read_bytes())
    raw[at % len(raw)] ^= 1 << bit
    path.write_bytes(raw)
    assert load_index(path, 3) is None


@given(st.integers(0, 10_000))
def test_a_shortened_file_is_not_taken(
    tmp_path_factory: pytest.TempPathFactory, length: int
) -> None:
    """Wherever it ends."""
    path = tmp_path_factory.getbasetemp() / "shortened"
    save_index(build_index(unit_vectors(1, 5, 4)), path, 3)
    raw = path.read_bytes()
    path.write_bytes(raw[: length % len(raw)])
    assert load_index(path, 3) is None


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    """Where the index cannot go, its unfinished copy does not stay either."""
    (tmp_path / "index").mkdir()
    with pytest.raises(OSError, match="index"):
        save_index(build_index(unit_vectors(1, 5, 4)), tmp_path / "index", 1)
    assert [p.name for p in tmp_path.iterdir()] == ["index"]


@pytest.mark.parametrize(
    "harm", ["missing", "flipped", "shortened", "other generation", "other vectors", "a folder"]
)
def test_a_store_rebuilds_an_index_it_cannot_trust(
    store_folder: Path, encoder: Encoder, tmp_path: Path, harm: str
) -> None:
    """Whatever happened to the file, neighbours are right, and it is sound afterwards."""
    folder = tmp_path / "store"
    shutil.copytree(store_folder, folder)
    path = folder / INDEX
    raw = bytearray(path.read_bytes())
    before = open_store(folder)
    query = encoder.encode(["how long is a step?"])[0]
    expected, vectors = before.nearest_passages(query, 5), before._vectors
    before.close()
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
        save_index(build_index(vectors[::-1].copy()), path, before.generation + 1)
    elif harm == "other vectors":
        # A sound file of the same generation and size, as a store leaves that was deleted and made
        # anew.
        save_index(build_index(vectors[::-1].copy()), path, before.generation)
    after = open_store(folder)
    assert after.nearest_passages(query, 5) == expected
    after.close()
    if harm != "a folder":
        mended = load_index(path, before.generation)
        assert mended is not None
        np.testing.assert_array_equal(mended.reconstruct_n(0, mended.ntotal), vectors)
    assert {p.name for p in folder.iterdir()} >= {"gradus.sqlite", INDEX}
    assert not [p for p in folder.iterdir() if p.name.endswith(".new")]


def test_the_head_of_the_file_is_readable(tmp_path: Path) -> None:
    """Generation and checksum stand in its second line as JSON."""
    save_index(build_index(unit_vectors(1, 5, 4)), tmp_path / "index", 7)
    head = json.loads((tmp_path / "index").read_bytes().split(b"\n")[1])
    assert head["generation"] == 7 and len(head["sha256"]) == 64


@given(
    st.integers(0, 10_000),
    st.lists(st.integers(0, 9), max_size=8),
    st.integers(0, 5),
    st.integers(2, 384),
)
def test_best_matches_are_exact(seed: int, lengths: list[int], q: int, d: int) -> None:
    """For each passage and word NumPy's largest cosine, but for rounding, never below 0."""
    passages = [unit_vectors(seed + i, n, d) for i, n in enumerate(lengths)]
    question = unit_vectors(seed + 100, q, d) if q else np.zeros((0, d), dtype=np.float32)
    exact = np.zeros((len(lengths), q))
    for i, words in enumerate(passages):
        for j in range(q):
            exact[i, j] = max([0.0, *(float(w @ question[j]) for w in words)])
    found = best_matches(question, [in_bytes(7 * words).tobytes() for words in passages])
    np.testing.assert_allclose(found, exact, atol=0.01)


def test_a_word_of_zeros_matches_nothing() -> None:
    """It has no direction, and nothing is divided by its length."""
    zeros = in_bytes(np.zeros((2, 3), dtype=np.float32)).tobytes()
    assert not best_matches(np.eye(3, dtype=np.float32), [zeros, b""]).any()
