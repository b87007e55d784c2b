"""Texts come from folders, CSV files and docstrings; what is wrong there is one sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from executors.errors import BadInput, BadParameter
from executors.inputs.texts import Texts, read_texts, sample_texts, words
from executors.task import Settings
from executors.tasks import find_task

WORDS = ("red", "green", "blue", "stone", "river")


def sentence(number: int) -> str:
    return " ".join(WORDS[(number * step) % len(WORDS)] for step in range(1, 9)) + f" {number}."


def folder(path: Path, classes: tuple[str, ...] = ("cats", "dogs"), each: int = 12) -> Path:
    for place, name in enumerate(classes):
        (path / name).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            (path / name / f"{number:02d}.txt").write_text(
                sentence(number * 3 + place), encoding="utf-8"
            )
    return path


def table(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def refused(path: Path, target: str = "", labelled: bool = True) -> str:
    with pytest.raises(BadInput) as caught:
        read_texts(str(path), target, 42, labelled)
    message = str(caught.value)
    assert "\n" not in message and str(path) in message
    return message


def classes_held(texts: Texts) -> set[str]:
    return {texts.labels[number] for number in texts.valid}


def test_a_subfolder_is_a_class(tmp_path: Path) -> None:
    """Every class is in both parts, a fifth is held out, hidden files are left out."""
    path = folder(tmp_path / "pets")
    (path / "cats" / ".notes.txt").write_text("hidden")
    (path / ".cache").mkdir()
    (path / ".cache" / "x.txt").write_text("hidden")
    texts = read_texts(str(path), "", 42, labelled=True)
    assert (texts.classes, len(texts.texts), len(texts.valid)) == (("cats", "dogs"), 24, 4)
    assert classes_held(texts) == {"cats", "dogs"} and not texts.split
    assert (
        texts
        == read_texts(str(path), "", 42, labelled=True)
        != read_texts(str(path), "", 43, labelled=True)
    )


def test_an_own_split_is_respected(tmp_path: Path) -> None:
    """What lies in valid/ is held out, and nothing else."""
    path = tmp_path / "pets"
    folder(path / "train")
    folder(path / "valid", each=3)
    texts = read_texts(str(path), "", 42, labelled=True)
    assert texts.split and texts.valid == tuple(range(24, 30))
    folder(path / "valid", ("birds",), 1)
    assert refused(path).endswith("class 'birds' is in valid/ but not in train/")


def test_empty_texts_are_left_out_and_said(tmp_path: Path) -> None:
    """One empty file among many stops nothing."""
    path = folder(tmp_path / "pets")
    (path / "dogs" / "00.txt").write_text(" \n")
    texts = read_texts(str(path), "", 42, labelled=True)
    assert len(texts.texts) == 23
    assert texts.doubts == ("1 empty files are left out, the first dogs/00.txt",)


def test_wrong_folders_are_named(tmp_path: Path) -> None:
    """Missing, empty, one class, loose texts, too few, a class of one, another encoding."""
    assert "does not exist" in refused(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    assert refused(tmp_path / "empty").endswith("holds no .txt or .md file")
    assert "a single class ('cats')" in refused(folder(tmp_path / "one", ("cats",), 30))
    assert "holds 4 texts; at least 20" in refused(folder(tmp_path / "few", each=2))
    loose = folder(tmp_path / "loose")
    (loose / "stray.txt").write_text("stray")
    assert "stray.txt is in no class's subfolder" in refused(loose)
    rare = folder(tmp_path / "rare")
    folder(rare, ("birds",), 1)
    assert "class 'birds' has one text only" in refused(rare)
    latin = folder(tmp_path / "latin")
    (latin / "dogs" / "03.txt").write_bytes("eins\nzw\u00f6lf\n".encode("latin-1"))
    assert "03.txt, line 2: the text is not UTF-8" in refused(latin)
    assert "a target column ('kind') is for CSV files" in refused(latin, "kind")
    assert "is a single text; give the folder" in refused(latin / "dogs" / "00.txt")


def test_the_longest_column_holds_the_texts(tmp_path: Path) -> None:
    """Without a column "text" it is found and said."""
    rows = [f"{n},{'good' if n % 2 else 'bad'},{sentence(n)},short{n}" for n in range(30)]
    texts = read_texts(
        str(table(tmp_path / "t.csv", "id,kind,body,name", rows)), "kind", 42, labelled=True
    )
    assert texts.texts[0] == sentence(0) and texts.classes == ("bad", "good")
    assert texts.doubts == ("the texts are in column 'body'",)


def test_a_table_brings_its_own_split(tmp_path: Path) -> None:
    """The column is_valid says what is held out; anything but a truth value in it is named."""
    rows = [f"{sentence(n)},{n % 2},{n >= 25}" for n in range(30)]
    path = table(tmp_path / "t.csv", "text,kind,is_valid", rows)
    assert read_texts(str(path), "kind", 42, labelled=True).valid == (25, 26, 27, 28, 29)
    rows[3] = f"{sentence(3)},1,perhaps"
    assert "line 5: column 'is_valid' is 'perhaps'" in refused(
        table(path, "text,kind,is_valid", rows), "kind"
    )
    all_held = [f"{sentence(n)},{n % 2},1" for n in range(30)]
    assert "leaves no row to train on" in refused(
        table(path, "text,kind,is_valid", all_held), "kind"
    )


def test_wrong_tables_are_named(tmp_path: Path) -> None:
    """No target, a slip of the pen, an empty text, numbers for texts, a class of one row."""
    rows = [f"{sentence(n)},{n % 2}" for n in range(30)]
    path = table(tmp_path / "t.csv", "text,kind", rows)
    assert "Name it in Target (--target); there are 'text', 'kind'" in refused(path)
    assert "no column 'kinds'; did you mean 'kind'?" in refused(path, "kinds")
    assert "no column 'txt'; did you mean 'text'?" in refused(path, "txt", labelled=False)
    assert "column 'kind' holds numbers where texts are expected" in refused(
        path, "kind", labelled=False
    )
    assert "line 6: column 'text' holds no text" in refused(
        table(tmp_path / "gap.csv", "text,kind", [*rows[:4], ",1", *rows[5:]]), "kind"
    )
    assert "line 32: class 'rare'" in refused(
        table(
            tmp_path / "rare.csv",
            "text,kind",
            [*[f"{sentence(n)},c{n % 2}" for n in range(30)], "alone,rare"],
        ),
        "kind",
    )
    assert "no column of texts beside the target 'kind'" in refused(
        table(tmp_path / "n.csv", "x,kind", [f"{n},{n % 2}" for n in range(30)]), "kind"
    )


def test_the_sample_is_read_without_running_the_packages() -> None:
    """Docstrings of five packages, the same every time; none of them is imported."""
    code = (
        "import sys\nfrom executors.inputs.texts import sample_texts\n"
        "found = sample_texts(42, True)\n"
        "print(len(found.texts), found.classes, {'torch', 'sklearn', 'networkx', 'numpy'} & "
        "{*sys.modules} or 'none')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "400 ('networkx', 'numpy', 'pandas', 'sklearn', 'torch') none"
    texts = sample_texts(42, labelled=True)
    assert texts == sample_texts(42, labelled=True) and len(set(texts.texts)) == 400
    assert classes_held(texts) == set(texts.classes) and len(texts.valid) == 80


def test_words_and_signs_are_counted() -> None:
    """As a tokenizer would, about."""
    assert words("Don't stop, please.") == 7


def test_too_few_words_are_counted(tmp_path: Path) -> None:
    """A language model needs a few sequences on both sides."""
    path = folder(tmp_path / "pets")
    with pytest.raises(BadInput, match=r"words are left to train on; at least 576 are needed"):
        find_task("language-model").inspect(Settings("language-model", str(path)))


def test_the_networks_sizes_are_checked() -> None:
    """What cannot be read is refused with an example."""
    for task in ("language-model", "text-classification"):
        with pytest.raises(BadParameter, match="such as 128,256,2, not 'resnet18'"):
            find_task(task).inspect(Settings(task, arch="resnet18"))


def test_an_encoder_needs_its_vocabulary(tmp_path: Path) -> None:
    """Both files are named when they are missing or something else."""

    def message() -> str:
        with pytest.raises(BadInput) as caught:
            find_task("text-classification").inspect(
                Settings("text-classification", encoder=str(tmp_path))
            )
        return str(caught.value)

    assert message().startswith(f"there is no encoder {tmp_path / 'encoder.pth'}")
    (tmp_path / "encoder.pth").write_bytes(b"weights")
    assert "encoder.vocab.json cannot be read (No such file or directory)" in message()
    (tmp_path / "encoder.vocab.json").write_text('{"a": 1}')
    assert "encoder.vocab.json is not a list of words" in message()
