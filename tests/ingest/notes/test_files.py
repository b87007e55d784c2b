"""Finding notes: the right files, each once, under stable names.

Reading them without changing a character.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingest.notes.files import find_notes, read_note, unread_kinds
from kg.errors import GradusError, UnreadableNote

KINDS = r"\.md, \.markdown, \.mdx, \.qmd, \.rmd, \.ipynb"


def write(root: Path, *names: str, text: str = "words") -> None:
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def names(*paths: Path) -> list[str]:
    return [note.name for note in find_notes(paths)]


def test_notes_of_a_tree_are_found_by_suffix_and_sorted(tmp_path: Path) -> None:
    """Markdown and notebooks at any depth, in any case of suffix; nothing else."""
    write(tmp_path, "b.md", "a/z.markdown", "a/y.ipynb", "c/d/X.MD", "x.txt", "md", "a/pic.png")
    assert names(tmp_path) == ["a/y.ipynb", "a/z.markdown", "b.md", "c/d/X.MD"]
    assert all(
        (tmp_path / note.name) == note.path and note.root == tmp_path
        for note in find_notes([tmp_path])
    )


def test_hidden_and_generated_folders_are_left_out(tmp_path: Path) -> None:
    """Hidden files and folders, notebook checkpoints and installed packages hold no notes."""
    write(
        tmp_path,
        "a.md",
        ".hidden.md",
        ".git/b.md",
        ".ipynb_checkpoints/c.ipynb",
        "x/node_modules/p/d.md",
        "x/e.md",
    )
    assert names(tmp_path) == ["a.md", "x/e.md"]


def test_a_hidden_root_is_taken_when_it_is_named(tmp_path: Path) -> None:
    """What the user names is meant, hidden or not."""
    write(tmp_path, ".notes/a.md")
    assert names(tmp_path / ".notes") == ["a.md"]


def test_ignore_files_use_gitignore_rules_and_nest(tmp_path: Path) -> None:
    """Patterns count from their own folder; a deeper file adds to them and can take them back."""
    write(
        tmp_path,
        "a.md",
        "draft.md",
        "old/b.md",
        "sub/draft.md",
        "sub/keep/draft.md",
        "sub/top.md",
        "sub/x/top.md",
    )
    write(tmp_path, ".gradusignore", text="\ufeff# drafts\ndraft.md\nold/\n")
    write(tmp_path, "sub/.gradusignore", text="/top.md\n")
    write(tmp_path, "sub/keep/.gradusignore", text="!draft.md\n")
    assert names(tmp_path) == ["a.md", "sub/keep/draft.md", "sub/x/top.md"]


def test_an_invalid_ignore_pattern_is_named(tmp_path: Path) -> None:
    """A pattern that git would refuse says its file and line."""
    write(tmp_path, "a.md")
    write(tmp_path, ".gradusignore", text="ok\n!\n")
    with pytest.raises(
        GradusError, match=r"\.gradusignore' line 2: '!' is not a gitignore pattern"
    ):
        find_notes([tmp_path])


def test_a_single_file_is_a_note_by_its_own_name(tmp_path: Path) -> None:
    """A file named itself is taken, also where its folder's rules leave it out."""
    write(tmp_path, "x/a.md")
    write(tmp_path, "x/.gradusignore", text="*.md")
    (note,) = find_notes([tmp_path / "x" / "a.md"])
    assert (note.name, note.root) == ("a.md", tmp_path / "x")


def test_same_names_of_two_roots_get_the_folder_in_front(tmp_path: Path) -> None:
    """The first root keeps its names.

    The later ones are told apart by as many folders as it takes.
    """
    write(tmp_path, "a/notes/x.md", "b/notes/x.md", "b/notes/y.md", "c/notes/x.md")
    roots = [tmp_path / letter / "notes" for letter in "abc"]
    assert names(*roots) == ["c/notes/x.md", "notes/x.md", "x.md", "y.md"]


def test_a_file_reached_twice_is_one_note(tmp_path: Path) -> None:
    """Overlapping roots do not double a note."""
    write(tmp_path, "a/x.md")
    assert names(tmp_path, tmp_path / "a", tmp_path / "a" / "x.md") == ["a/x.md"]


def test_links_to_folders_above_end(tmp_path: Path) -> None:
    """A loop of links is walked once, and a linked copy does not take the real note's name."""
    write(tmp_path, "z/x.md")
    (tmp_path / "z" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a").symlink_to(tmp_path / "z", target_is_directory=True)
    (tmp_path / "b.md").symlink_to(tmp_path / "z" / "x.md")
    (tmp_path / "gone.md").symlink_to(tmp_path / "nowhere.md")
    assert names(tmp_path) == ["z/x.md"]


def test_a_linked_folder_from_outside_is_followed(tmp_path: Path) -> None:
    """Notes kept elsewhere and linked in are found under the link's name."""
    write(tmp_path, "outside/x.md", "in/y.md")
    (tmp_path / "in" / "more").symlink_to(tmp_path / "outside", target_is_directory=True)
    assert names(tmp_path / "in") == ["more/x.md", "y.md"]


@pytest.mark.parametrize(
    ("made", "asked", "says"),
    [
        ((), "gone", r"gone' does not exist; expected a folder of notes or a note"),
        (
            ("empty/x.txt",),
            "empty",
            rf"empty' holds no notes; expected {KINDS} files in it",
        ),
        (
            ("x.txt",),
            "x.txt",
            rf"x\.txt' is not a note; expected one of {KINDS}",
        ),
    ],
)
def test_paths_without_notes_say_what_was_expected(
    tmp_path: Path, made: tuple[str, ...], asked: str, says: str
) -> None:
    """A wrong path is an error that names it."""
    write(tmp_path, *made)
    with pytest.raises(GradusError, match=says):
        find_notes([tmp_path / asked])


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="the superuser may list every folder"
)
def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path) -> None:
    """Notes are not left out silently."""
    write(tmp_path, "a.md", "shut/b.md")
    (tmp_path / "shut").chmod(0)
    try:
        with pytest.raises(GradusError, match=r"shut' cannot be listed"):
            find_notes([tmp_path])
    finally:
        (tmp_path / "shut").chmod(0o700)


def test_text_is_read_without_a_change(tmp_path: Path) -> None:
    """Byte order mark, line endings and odd separators survive."""
    text = "\ufeff# Ä\r\na\rb\n\u2028\x0cend"
    file = tmp_path / "a.md"
    file.write_bytes(text.encode("utf-8"))
    assert read_note(file) == text


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (b"ab\r\nc\rd\n caf\xe9", 4, "byte 0xe9 is not UTF-8; expected a text file in UTF-8"),
        (b"\x89PNG\r\n", 1, "byte 0x89 is not UTF-8"),
        (b"one\ntwo\0", 2, "zero byte"),
        ("words".encode("utf-16"), 1, "UTF-16; expected a text file in UTF-8"),
        (b"cut off \xe2\x82", 1, "byte 0xe2"),
    ],
)
def test_unreadable_notes_say_where_and_why(
    tmp_path: Path, content: bytes, line: int, says: str
) -> None:
    """What is no UTF-8 text is reported with the line of its first bad byte."""
    file = tmp_path / "a.md"
    file.write_bytes(content)
    with pytest.raises(UnreadableNote) as raised:
        read_note(file)
    assert raised.value.line == line
    assert says in str(raised.value)


def test_a_note_that_vanished_is_unreadable(tmp_path: Path) -> None:
    """A file removed since it was found is reported like any bad note."""
    with pytest.raises(UnreadableNote, match="cannot be read"):
        read_note(tmp_path / "gone.md")


def test_texts_of_kinds_that_are_not_read_are_counted(tmp_path: Path) -> None:
    """Each kind with how many lie below the folders; what is ignored or no text counts nowhere."""
    write(
        tmp_path, "a.md", "b.rst", "deep/c.RST", "d.tex", "e.py", "f.png", "g.qmd", "h.Rmd", "i.mdx"
    )
    write(tmp_path, "drafts/j.org", ".hidden/k.org")
    (tmp_path / ".gradusignore").write_text("drafts/\n", encoding="utf-8")
    assert unread_kinds([tmp_path, tmp_path / "deep", tmp_path / "a.md"]) == {".rst": 2, ".tex": 1}
    assert [note.name for note in find_notes([tmp_path])] == ["a.md", "g.qmd", "h.Rmd", "i.mdx"]


def test_older_versions_that_an_outliner_keeps_are_no_notes(tmp_path: Path) -> None:
    """Logseq copies pages into a folder beside its settings; another folder of that name counts."""
    write(tmp_path, "pages/a.md", "bak/b.md", "logseq/config.edn", "logseq/bak/pages/a/1.md")
    assert [note.name for note in find_notes([tmp_path])] == ["bak/b.md", "pages/a.md"]
