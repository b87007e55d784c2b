"""A file is found by the path that a question names it by, within the folders alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.offers.files import NamedFile, files_named

HERE = (Path(__file__).parent,)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders that may be read, `own` and `notes`, and one that may not."""
    home = tmp_path_factory.mktemp("home").resolve()
    for name in (
        "own/sales.csv",
        "own/my prices.xlsx",
        "own/data/pets/cat/1.png",
        "own/data/pets/dog/1.png",
        "own/old/ratings.csv",
        "notes/sub/ratings.csv",
        "notes/sub/texts.csv",
        "notes/lr.md",
        "secret/keys.csv",
    ):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).touch()
    (home / "own" / "link.csv").symlink_to(home / "secret" / "keys.csv")
    (home / "own" / "round").symlink_to(home / "own")
    return home


def found(home: Path, question: str) -> list[tuple[str, list[str]]]:
    """What is named, with its places below the home."""
    roots = (home / "own", home / "notes")
    named = files_named(question, roots, (home / "notes" / "lr.md",))
    return [(one.said, [str(place.relative_to(home)) for place in one.places]) for one in named]


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("find a learning rate for sales.csv", "own/sales.csv"),
        ("which rate has sales.csv's price, and/or none?", "own/sales.csv"),
        ("a batch size for “my prices.xlsx”", "own/my prices.xlsx"),
        ("the images in data/pets", "own/data/pets"),
        ("the images in (data/pets/).", "own/data/pets"),
        ("for pets/cat", "own/data/pets/cat"),
        ("data=TEXTS.csv", "notes/sub/texts.csv"),
        ("what of sub/ratings.csv?", "notes/sub/ratings.csv"),
    ],
)
def test_a_path_is_known_by_its_form_and_by_being_there(
    home: Path, question: str, place: str
) -> None:
    """From a folder, or the end of what lies below one; with the words around it left alone."""
    ((_, places),) = found(home, question)
    assert places == [place]


def test_an_absolute_path_within_the_folders_is_itself(home: Path) -> None:
    """Nothing else of that name is looked for."""
    ratings = str(home / "own" / "old" / "ratings.csv")
    assert found(home, f"which lr for {ratings}?") == [(ratings, ["own/old/ratings.csv"])]


def test_what_may_mean_several_means_all_of_them(home: Path) -> None:
    """None is preferred."""
    assert found(home, "a rate for ratings.csv") == [
        ("ratings.csv", ["notes/sub/ratings.csv", "own/old/ratings.csv"])
    ]


@pytest.mark.parametrize("said", ["keys.csv", "../secret/keys.csv", "own/link.csv", "link.csv"])
def test_what_lies_elsewhere_is_as_if_it_were_not_there(home: Path, said: str) -> None:
    """Nor does a link lead there; by an absolute path neither."""
    for path in (said, str(home / "secret" / "keys.csv")):
        assert found(home, f"which lr for {path}?") == [(path, [])]


@pytest.mark.parametrize(
    "question",
    [
        "what is the learning rate?",
        "train/valid, and/or e.g. learn.fit_one_cycle or nn.Linear at 0.1?",
        "see https://example.org/sales.csv",
        "what does lr.md say of it?",
        "my pets",
    ],
)
def test_words_and_notes_are_no_files(home: Path, question: str) -> None:
    """What has the form by chance is not spoken of unless it is there; a note is read, not run."""
    assert found(home, question) == []


def test_without_folders_nothing_is_named() -> None:
    """Who may read nothing is told of nothing."""
    assert files_named("a rate for sales.csv", ()) == ()


def test_a_folder_too_large_to_look_through_is_not(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of several places would be taken for the only one."""
    monkeypatch.setattr("app.answering.offers.files._LOOKED_AT", 2)
    assert found(home, "a rate for texts.csv") == [("texts.csv", [])]
    assert found(home, "a rate for sales.csv") == [("sales.csv", ["own/sales.csv"])]


@given(st.text(alphabet="ab~/\\.'\"\0 :…\ud800é(", max_size=40))
def test_any_text_is_read(text: str) -> None:
    """Whatever is typed raises nothing, and what is named stands in it."""
    for one in files_named(text, HERE):
        assert isinstance(one, NamedFile) and one.said in text
