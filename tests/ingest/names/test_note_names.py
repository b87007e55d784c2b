"""Which note a link means: by its path, from where it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.names.note_names import NoteNames, note_stem

NOTES = [
    "03-lasso.md", "course/01-intro.md", "course/week 2/01-intro.md", "other/01-intro.md",
    "other/Ridge.markdown",
    "other/lab.ipynb", "other/lab.md", "Café.md", "v1.5 notes.md",
]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "note", "meant"),
    [
        ("03-lasso", "other/Ridge.markdown", "03-lasso.md"),
        ("03-Lasso.md", "other/Ridge.markdown", "03-lasso.md"),
        ("03-lasso#Why it shrinks", "other/lab.md", "03-lasso.md"),
        ("03-lasso#^a1b2", "other/lab.md", "03-lasso.md"),
        ("03-lasso^a1b2", "other/lab.md", "03-lasso.md"),
        (" 03-lasso |the lasso", "other/lab.md", "03-lasso.md"),
        ("vault/notes/03-lasso", "other/lab.md", "03-lasso.md"),
        ("/03-lasso", "other/lab.md", "03-lasso.md"),
        ("01-intro", "course/02.md", "course/01-intro.md"),
        ("01-intro", "course/week 2/02.md", "course/week 2/01-intro.md"),
        ("01-intro", "other/lab.md", "other/01-intro.md"),
        ("01-intro", "course/week 3/02.md", "course/01-intro.md"),
        ("week 2/01-intro", "other/lab.md", "course/week 2/01-intro.md"),
        ("course/01-intro", "other/lab.md", "course/01-intro.md"),
        ("../01-intro", "course/week 2/01-intro.md", "course/01-intro.md"),
        ("./01-intro", "course/week 2/02.md", "course/week 2/01-intro.md"),
        ("ridge", "03-lasso.md", "other/Ridge.markdown"),
        ("papers/Ridge", "03-lasso.md", "other/Ridge.markdown"),
        ("lab", "03-lasso.md", "other/lab.md"),
        ("lab.ipynb", "03-lasso.md", "other/lab.ipynb"),
        ("Cafe\u0301", "03-lasso.md", "Café.md"),
        ("v1.5 notes", "03-lasso.md", "v1.5 notes.md"),
    ],
)
def test_a_link_means_the_nearest_note_of_its_path(target: str, note: str, meant: str) -> None:
    """In the same folder, else of those anywhere the one with most folders in common.

    Text before a notebook.
    """
    assert NoteNames.of(NOTES).find(target, note) == meant


@pytest.mark.parametrize(
    ("target", "note"),
    [
        ("lasso", "03-lasso.md"), ("3-lasso", "03-lasso.md"), ("ourse/01-intro", "03-lasso.md"),
        ("papers/01-intro", "course/02.md"), ("./03-lasso", "other/lab.md"),
        ("../../03-lasso", "other/lab.md"),
        ("ridge.md", "other/lab.md"), ("", "03-lasso.md"), ("#Why", "03-lasso.md"),
        ("/", "03-lasso.md"),
        (".", "03-lasso.md"), ("..", "other/lab.md"), ("v1.5 notes.png", "03-lasso.md"),
    ],
)  # fmt: skip
def test_other_links_mean_none(target: str, note: str) -> None:
    """A part of a name, another folder, another ending, nothing."""
    assert NoteNames.of(NOTES).find(target, note) is None


def test_of_two_that_are_equally_near_none_is_meant() -> None:
    """Rather none than the wrong one; the folder in the link tells them apart."""
    names = NoteNames.of(["a/01-intro.md", "b/01-intro.md"])
    assert names.find("01-intro", "home.md") is None
    assert names.find("b/01-intro", "home.md") == "b/01-intro.md"


PATHS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map(
    lambda p: "/".join(p) + ".md"
)


@given(st.sets(PATHS, max_size=8), PATHS, PATHS)
def test_the_order_of_the_notes_changes_nothing(notes: set[str], target: str, note: str) -> None:
    """What is found is a note that is there, of that file name; a note finds itself by its path."""
    listed = sorted(notes)
    found = NoteNames.of(listed).find(target, note)
    assert NoteNames.of(listed[::-1]).find(target, note) == found
    assert found is None or (found in notes and note_stem(found) == note_stem(target))
    assert all(NoteNames.of(listed).find(own, own) == own for own in listed)


@pytest.mark.parametrize(
    ("target", "stem"),
    [
        ("notes/03-lasso.md", "03-lasso"),
        ("lasso", "lasso"),
        ("a.b", "a.b"),
        ("Lab.IPYNB", "Lab"),
        ("x/", "x"),
    ],
)
def test_a_stem_is_a_files_name_alone(target: str, stem: str) -> None:
    """Without folders, and without the endings that notes have."""
    assert note_stem(target) == stem
