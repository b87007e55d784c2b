"""Finds texts to learn from: in folders, in CSV files, in the docstrings of installed packages.

Nothing heavy is imported: packages' files are read, not run. What is done with the texts is the
text tasks' to say.
"""

from __future__ import annotations

import ast
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from executors.errors import BadInput
from executors.inputs.csv_file import (
    OWN_SPLIT,
    check_classes,
    check_column,
    check_rows,
    check_target,
    own_split,
)
from executors.inputs.images import part_folders, part_notes
from executors.inputs.table_file import first_line, read_code, read_frame, written
from executors.parameters import both

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SEQUENCE", "VALID_SHARE", "Texts", "read_texts", "sample_texts", "split_line", "words"]

SEQUENCE = 72  # words that are learned from at a time, fastai's default
VALID_SHARE = 0.2
SUFFIXES = frozenset({".txt", ".md"})
_FEWEST_TEXTS = 20
_WORD = re.compile(r"\w+|[^\w\s]")
# package -> folder whose docstrings are read; what fastai needs is there, the others are left out
# when they are not
_PACKAGES = {
    "torch": "nn/modules",
    "pandas": "core",
    "networkx": "algorithms",
    "sklearn": "linear_model",
    "numpy": "lib",
}
_DOCSTRINGS = 80  # of each package
_SHORTEST, _LONGEST = 200, 700  # characters of a docstring that are kept


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts, their labels (if any), which are held out, and the code that reads them again."""

    title: str
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    valid: tuple[int, ...]  # numbers of those held out
    split: bool  # whether the input brings its own split
    code: tuple[
        str, ...
    ]  # lines that make a frame `df` of the columns text, label and is_valid, as far as there are
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()  # what may be meant otherwise

    @property
    def classes(self) -> tuple[str, ...]:
        """The different labels in order."""
        return tuple(sorted(set(self.labels)))


def words(text: str) -> int:
    """About as many words as fastai's tokenizer finds in the text; signs count."""
    return sum(1 for _ in _WORD.finditer(text))


def read_texts(data: str, target: str, seed: int, labelled: bool) -> Texts:
    """The texts of a folder or a CSV file.

    Parameters
    ----------
    target : str
        Of a CSV file: the column of the classes when `labelled`, else the column of the texts ("":
        "text").
    labelled : bool
        Whether each text has a class: its subfolder, or the target.

    Raises
    ------
    BadInput
        Names the file, row or column that cannot be used.
    """
    path = Path(data)
    if not path.exists():
        raise BadInput(f"{path} does not exist; give a folder of texts or a CSV file")
    if path.is_dir():
        if target:
            raise BadInput(
                f"{path} is a folder; a target column ('{target}') is for CSV files, leave it out"
            )
        return _folder(path, seed, labelled)
    if path.suffix.lower() in SUFFIXES:
        raise BadInput(f"{path} is a single text; give the folder that it is in, or a CSV file")
    return _table(path, target, seed, labelled)


def sample_texts(seed: int, labelled: bool) -> Texts:
    """Docstrings of installed packages; the label is the package."""
    docstrings = {name: _docstrings(name, folder) for name, folder in _PACKAGES.items()}
    pairs = [(text, name) for name, texts in docstrings.items() for text in texts]
    texts, labels = tuple(text for text, _ in pairs), tuple(name for _, name in pairs)
    title = f"docstrings of {len(docstrings)} installed packages: {len(texts)} texts"
    code = _SAMPLE_LINES if labelled else (*_SAMPLE_LINES, "df = df[['text']]")
    valid = _held_out(labels if labelled else ("",) * len(texts), seed)
    return Texts(title, texts, labels if labelled else (), valid, split=False, code=code)


def split_line(texts: Texts, seed: int) -> str:
    """The splitter of fastai that fits: the input's own split, or a random one."""
    return (
        f"ColSplitter('{OWN_SPLIT}')"
        if texts.split
        else f"RandomSplitter({VALID_SHARE}, seed={seed})"
    )


_SAMPLE_LINES = (
    "import ast",
    "from importlib.util import find_spec",
    "",
    f"folders = {_PACKAGES!r}",
    "rows = []",
    "for package, folder in folders.items():",
    "    texts = {}",
    "    for file in sorted((Path(find_spec(package).origin).parent / folder).rglob('*.py')):",
    f"        if 'tests' in file.parts or len(texts) >= {_DOCSTRINGS}:",
    "            continue",
    "        for node in ast.walk(ast.parse(file.read_text(encoding='utf-8'))):",
    "            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):",
    "                text = ast.get_docstring(node) or ''",
    f"                if len(text) >= {_SHORTEST}:",
    f"                    texts[text[:{_LONGEST}]] = package",
    f"    rows += list(texts.items())[:{_DOCSTRINGS}]",
    "df = pd.DataFrame(rows, columns=['text', 'label'])",
)


_CUT_LINE = (
    r"df = pd.DataFrame({'text': [part for text in df['text'] for part in text.split('\n\n') "
    r"if part.strip()]})"
)


def _docstrings(package: str, folder: str) -> list[str]:
    """The first docstrings of a package in order of its files, without importing it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise BadInput(
            f"the sample is made of installed packages, and '{package}' is not installed; "
            f"name your own texts in {both('data')}"
        )
    texts: dict[str, None] = {}
    for file in sorted((Path(spec.origin).parent / folder).rglob("*.py")):
        if "tests" in file.parts:
            continue
        if len(texts) >= _DOCSTRINGS:
            break
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                text = ast.get_docstring(node) or ""
                if len(text) >= _SHORTEST:
                    texts[text[:_LONGEST]] = None
    return list(texts)[:_DOCSTRINGS]


def _folder(folder: Path, seed: int, labelled: bool) -> Texts:
    """The folder's .txt and .md files; a train/ and a valid/ in it are taken as they are."""
    own = part_folders(folder)
    read: list[tuple[str, str, bool]] = []  # text, label, whether it is held out
    empty: list[Path] = []
    for part in own or ("",):
        for file in _files(folder / part):
            inner = file.relative_to(folder / part).parts
            if labelled and len(inner) == 1:
                raise BadInput(
                    f"{file} is in no class's subfolder; "
                    "put each class's texts into a subfolder of its own"
                )
            text = _read(file)
            if text.strip():
                read.append(
                    (text, inner[0] if labelled else "", own is not None and part == own[1])
                )
            else:
                empty.append(file)
    if not read:
        raise BadInput(f"{folder} holds no .txt or .md file{' with text in it' if empty else ''}")
    texts, labels = (
        tuple(text for text, _, _ in read),
        tuple(label for _, label, _ in read) if labelled else (),
    )
    doubts = part_notes(folder, own) if own else ()
    doubts += (
        (f"{len(empty)} empty files are left out, the first {empty[0].relative_to(folder)}",)
        if empty
        else ()
    )
    notes: tuple[str, ...] = ()
    split = own is not None
    title, code = _title(folder, texts, labels), _folder_lines(folder, labelled, own)
    if not labelled and not split and len(texts) < _FEWEST_TEXTS:  # a few books
        texts = tuple(part for text in texts for part in text.split("\n\n") if part.strip())
        notes = (f"so few texts are cut at their empty lines, into {len(texts)} parts",)
        code = (*code, _CUT_LINE)
    held = tuple(number for number, (_, _, valid) in enumerate(read) if valid) if split else None
    _check(folder, texts, labels, held)
    valid = _held_out(labels or ("",) * len(texts), seed) if held is None else held
    return Texts(title, texts, labels, valid, split, code, notes, doubts)


def _files(folder: Path) -> list[Path]:
    """Every text below the folder in order of its path; what is hidden is left out."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadInput(
            f"{file}, line {line}: the text is not UTF-8 ({error.reason}); save it as UTF-8"
        ) from None
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror or error}") from None


def _check(
    folder: Path, texts: Sequence[str], labels: Sequence[str], held: Sequence[int] | None
) -> None:
    """Texts enough, of two classes or more, each with one to train on."""
    if len(texts) < (_FEWEST_TEXTS if labels else 2):
        raise BadInput(
            f"{folder} holds {len(texts)} texts; "
            f"at least {_FEWEST_TEXTS if labels else 2} are needed"
        )
    if held is not None and len(held) in (0, len(texts)):
        raise BadInput(f"{folder}: no texts are left to {'train' if held else 'validate'} on")
    if not labels:
        return
    counts = Counter(labels)
    if len(counts) == 1:
        raise BadInput(
            f"{folder} holds a single class ('{labels[0]}'); "
            "classification needs at least two subfolders"
        )
    if held is not None:
        known = {label for number, label in enumerate(labels) if number not in set(held)}
        unknown = sorted(set(labels) - known)
        if unknown:
            raise BadInput(f"{folder}: class '{unknown[0]}' is in valid/ but not in train/")
        return
    single = next((name for name, count in counts.items() if count == 1), None)
    if single is not None:
        raise BadInput(f"{folder}: class '{single}' has one text only; a class needs two at least")


def _title(path: Path, texts: Sequence[str], labels: Sequence[str]) -> str:
    classes = f" in {len(set(labels))} classes" if labels else ""
    return f"{path.name}: {len(texts)} texts{classes}"


def _folder_lines(folder: Path, labelled: bool, own: tuple[str, str] | None) -> tuple[str, ...]:
    level = 1 if own else 0
    columns = [
        *(
            [f"'label': [file.relative_to(path).parts[{level}] for file in files]"]
            if labelled
            else []
        ),
        *(
            [f"'{OWN_SPLIT}': [file.relative_to(path).parts[0] == {own[1]!r} for file in files]"]
            if own
            else []
        ),
    ]
    folders = f", folders={[*own]!r}" if own else ""
    return (
        f"path = Path({str(folder)!r})",
        f"files = sorted(get_files(path, extensions=['.txt', '.md'], recurse=True{folders}))",
        "df = pd.DataFrame({'text': [file.read_text(encoding='utf-8-sig') for file in files],",
        *(f"                   {column}," for column in columns),
        "                   })",
        "df = df[df['text'].str.strip() != '']",
    )


def _table(path: Path, target: str, seed: int, labelled: bool) -> Texts:
    """The texts of a CSV file, with the target as their classes."""
    frame = read_frame(path)
    if labelled:
        check_target(path, frame, target)
        column = _text_column(path, frame, target)
    else:
        column = target or "text"
        check_column(path, frame, column)
    check_rows(path, frame)
    _check_texts(path, frame, column)
    if labelled:
        check_classes(path, frame[target])
    held = own_split(path, frame)
    texts = tuple(frame[column].astype(str))
    labels = tuple(frame[target].astype(str)) if labelled else ()
    if held is not None:
        _check(path, texts, labels, held)
    valid = _held_out(labels or ("",) * len(texts), seed) if held is None else held
    renamed = {column: "text", **({target: "label"} if labelled else {})}
    kept = [*renamed, *([] if held is None else [OWN_SPLIT])]
    code = (f"df = {read_code(path)}[{kept!r}].rename(columns={renamed!r})",)
    doubts = written(path).note
    guessed = labelled and column != "text"
    doubts += (f"the texts are in column '{column}'",) if guessed else ()
    title, split = _title(path, texts, labels), held is not None
    return Texts(title, texts, labels, valid, split, code, doubts=doubts)


def _text_column(path: Path, frame: pd.DataFrame, target: str) -> str:
    """The column "text", else the one of the longest texts."""
    import pandas as pd

    if "text" in frame.columns and target != "text":
        return "text"
    others = [
        name
        for name in frame.columns
        if name != target and not pd.api.types.is_numeric_dtype(frame[name])
    ]
    if not others:
        raise BadInput(f"{path} has no column of texts beside the target '{target}'")
    return str(max(others, key=lambda name: frame[name].astype(str).str.len().mean()))


def _check_texts(path: Path, frame: pd.DataFrame, column: str) -> None:
    import pandas as pd

    values = frame[column]
    if pd.api.types.is_numeric_dtype(values):
        raise BadInput(f"{path}: column '{column}' holds numbers where texts are expected")
    empty = values.isna() | (values.astype(str).str.strip() == "")
    if empty.any():
        line = first_line(path, empty)
        count = f" and {int(empty.sum()) - 1} more" if empty.sum() > 1 else ""
        raise BadInput(
            f"{path}, line {line}{count}: column '{column}' holds no text; "
            "fill it in or leave the row out"
        )


def _held_out(labels: Sequence[str], seed: int) -> tuple[int, ...]:
    """Numbers of the texts to validate on; of every class some are left to train on."""
    groups: dict[str, list[int]] = {}
    for number, label in enumerate(labels):
        groups.setdefault(label, []).append(number)
    chosen: list[int] = []
    mixer = random.Random(seed)
    for numbers in groups.values():
        mixer.shuffle(numbers)
        chosen += numbers[: min(len(numbers) - 1, round(len(numbers) * VALID_SHARE))]
    if not chosen:  # many small classes
        chosen.append(max(groups.values(), key=len)[0])
    return tuple(sorted(chosen))
