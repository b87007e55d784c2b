"""Conversations come back as they were, to their own visitor, and no more of them than may."""

from __future__ import annotations

import dataclasses
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.answer import answer
from app.pages.ask import conversations
from app.pages.ask.conversations import (
    Conversation,
    Exchange,
    asked_text,
    found,
    keep,
    read,
    remove,
    rename,
    secret_of,
    storage_key,
)
from app.pages.ask.markdown import conversation_markdown, file_name
from kg.encoder import Encoder
from kg.store import Store
from kg.types import Citation

MINE, ANOTHERS = secret_of(None), secret_of(None)


def said(question: str, answer: str = "Yes. [1]") -> Conversation:
    return Conversation((Exchange(question, f"<b>{answer}</b>", answer),))


def only_file(store: Path) -> Path:
    (file,) = (store / "conversations").iterdir()
    return file


def test_a_conversation_comes_back(tmp_path: Path, store: Store, encoder: Encoder) -> None:
    """With answers of every part, but the passages they were found in."""
    questions = ("What is proofing?", "When do I add salt?", "What do I need before proofing?")
    answers = [answer(question, store, encoder) for question in questions]
    exchanges = [
        Exchange(q, "shown", a.text, a.citations, a, "helpful")
        for q, a in zip(questions, answers, strict=True)
    ]
    keep(tmp_path, MINE, Conversation(tuple(exchanges)))
    (back,) = read(tmp_path, MINE).conversations
    assert back.turns == [
        (q, dataclasses.replace(a, hits=())) for q, a in zip(questions, answers, strict=True)
    ]
    assert [(e.shown, e.said, e.cited, e.feedback, e.id) for e in back.exchanges] == [
        (e.shown, e.said, e.cited, e.feedback, e.id) for e in exchanges
    ]
    assert back.title == "What is proofing?"


def test_each_visitor_has_their_own(tmp_path: Path) -> None:
    """Neither sees, renames nor deletes what is another's, even knowing its id."""
    mine = said("What is mine?")
    keep(tmp_path, MINE, mine)
    assert read(tmp_path, ANOTHERS).conversations == ()
    rename(tmp_path, ANOTHERS, mine.id, "taken")
    remove(tmp_path, ANOTHERS, mine.id)
    assert [c.title for c in read(tmp_path, MINE).conversations] == ["What is mine?"]


def test_the_secret_is_not_in_the_folder_and_the_file_is_its_owners(tmp_path: Path) -> None:
    """Whoever lists the folder learns no secret; nobody else of this machine reads the file."""
    keep(tmp_path, MINE, said("What is mine?"))
    file = only_file(tmp_path)
    assert MINE not in file.name and MINE not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_name_stays_when_the_conversation_goes_on(tmp_path: Path) -> None:
    """The open page does not know it; an empty name gives the first question's back."""
    talk = said("What is it?")
    keep(tmp_path, MINE, talk)
    keep(tmp_path, MINE, said("And then?"))
    rename(tmp_path, MINE, talk.id, "  My\ntalk \ud800")
    kept = keep(tmp_path, MINE, dataclasses.replace(talk, exchanges=talk.exchanges * 2))
    assert [(c.title, len(c.exchanges)) for c in kept.conversations] == [
        ("My talk ?", 2),
        ("And then?", 1),
    ]
    kept = rename(tmp_path, MINE, talk.id, " ")
    assert kept.conversations[0].title == "What is it?"


def test_what_is_deleted_is_gone(tmp_path: Path) -> None:
    """From the file as well."""
    talk = said("What is secret?")
    keep(tmp_path, MINE, talk)
    keep(tmp_path, MINE, said("What else?"))
    assert [c.title for c in remove(tmp_path, MINE, talk.id).conversations] == ["What else?"]
    assert "secret" not in only_file(tmp_path).read_text()


def test_all_words_have_to_be_there(tmp_path: Path) -> None:
    """In names, questions and answers, in any case and order."""
    talks = [said("What is Salt?", "A crystal."), said("What is flour?", "Ground grain.")]
    assert found(talks, "crystal SALT") == talks[:1]
    assert found(talks, "what") == talks == found(talks, "")
    assert found(talks, "salt grain") == []


def test_the_oldest_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By number, by size, and of visitors those who have not come for longest."""
    monkeypatch.setattr(conversations, "KEPT_CONVERSATIONS", 3)
    for n in range(5):
        keep(tmp_path, MINE, said(f"{n}?"))
    assert [c.title for c in read(tmp_path, MINE).conversations] == ["4?", "3?", "2?"]
    monkeypatch.setattr(conversations, "KEPT_BYTES", 3000)
    keep(tmp_path, MINE, said("long?", '学"' * 100))
    assert only_file(tmp_path).stat().st_size <= 3001
    assert read(tmp_path, MINE).conversations[0].title == "long?"
    monkeypatch.setattr(conversations, "KEPT_VISITORS", 2)
    os.utime(only_file(tmp_path), ns=(0, 0))
    for _ in range(2):
        keep(tmp_path, secret_of(None), said("new?"))
    assert read(tmp_path, MINE).conversations == ()
    assert len(list((tmp_path / "conversations").iterdir())) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"7"])
def test_a_damaged_file_costs_only_itself(tmp_path: Path, content: bytes) -> None:
    """One line says so, and the next conversation is kept."""
    keep(tmp_path, MINE, said("What was it?"))
    only_file(tmp_path).write_bytes(content)
    keep(tmp_path, ANOTHERS, said("What is other?"))
    assert "could not be read" in read(tmp_path, MINE).fault
    assert read(tmp_path, ANOTHERS).fault == ""
    assert "could not be read" in keep(tmp_path, MINE, said("What is new?")).fault
    assert [c.title for c in read(tmp_path, MINE).conversations] == ["What is new?"]


def test_a_damaged_conversation_costs_only_itself(tmp_path: Path) -> None:
    """The others of the same visitor are there."""
    for question in ("one?", "two?", "three?"):
        keep(tmp_path, MINE, said(question))
    file = only_file(tmp_path)
    file.write_text(file.read_text().replace('"question": "two?"', '"question": 2'))
    kept = read(tmp_path, MINE)
    assert [c.title for c in kept.conversations] == ["three?", "one?"]
    assert kept.fault.startswith("1 of your")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """The answer is not lost over it."""
    (tmp_path / "conversations").write_text("a file in its place")
    assert "cannot be kept" in keep(tmp_path, MINE, said("What is it?")).fault


@given(st.one_of(st.none(), st.integers(), st.text(), st.lists(st.text())))
def test_anything_else_is_no_secret(kept: object) -> None:
    """Whatever stands in the browser's storage, the visitor has a secret that nobody guesses."""
    assert secret_of(kept) != kept and len(secret_of(kept)) == 43
    assert secret_of(secret_of(kept)) != secret_of(kept)


@given(st.text(st.characters(categories=("L", "P", "Z", "Cs"))))
def test_any_question_can_be_kept(typed: str) -> None:
    """Half a surrogate pair, too, comes back as something that can be shown."""
    asked_text(typed).encode()
    assert asked_text(asked_text(typed)) == asked_text(typed)


def test_the_export_names_file_and_lines() -> None:
    """Each question with its answer and what was cited there, whole."""
    cited = (Citation(1, "a/b.md", 3, 4, None, "Salt is\n\na crystal."),)
    talk = Conversation((Exchange("What is\nsalt?", "", "Salt. [1]", cited),), name="On salt")
    assert conversation_markdown(talk) == (
        "# On salt\n\n## What is salt?\n\nSalt. [1]\n\n"
        "- [1] a/b.md, lines 3–4:\n\n  > Salt is\n  >\n  > a crystal.\n"
    )
    assert file_name(talk) == "on-salt.md"
    assert file_name(said("../../?")) == "conversation.md"


def test_each_store_has_its_own(tmp_path: Path) -> None:
    """Pages on the same port with other notes do not know this visitor."""
    assert storage_key(tmp_path / "a") != storage_key(tmp_path / "b")
    assert storage_key(tmp_path / "a") == storage_key(tmp_path / "b" / ".." / "a")
