"""Understand a question once: everything that an answer needs to know of its words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.answering.offers.files import files_named
from app.answering.offers.wishes import Wish, read_wish
from app.answering.question.asked_for import (
    LinkSort,
    is_bare,
    marks_of,
    sort_of_link,
    subject_of,
)
from app.answering.question.follow_ups import Meant, Stand, Turn, meant
from app.answering.question.kinds import (
    goals_of,
    kind_of,
    read_kind,
    searched,
    spelled_out,
    wants_code,
)
from app.answering.question.sides import Side, is_choice, sides_in, sides_of
from app.answering.question.spelling import speller
from kg.encoder import DEFAULT_ENCODER, Encoder
from kg.search import Reading, content_words, read
from kg.store import Store
from kg.types import AnswerKind

__all__ = ["Question", "understand"]

QUESTION_CHARS = 10_000


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it is understood; nothing after it looks at the question's text.

    Parameters
    ----------
    asked : str
        As it was typed, without white space around it.
    text : str
        What it says when asked alone, without slips of the keyboard.
    kind : str
        What form of answer it wants.
    names : tuple of int
        The concepts that it names, in its order; of a path, its goals.
    sides : tuple of Side
        What it sets against each other, whether or not its answer is a comparison.
    stand : str
        Whether it is asked "alone", "follows" on the question before, or asks for "more" of it.
    lists_all : bool
        Whether it wants every statement there is.
    marks : tuple of str
        What the notes call the statements that it wants, such as "trick".
    link : str
        Which links it asks for: "video", "notebook", or any ("").
    code : bool
        Whether it asks to see code.
    bare : bool
        Whether it says nothing but the names of concepts and its kind.
    subject : mapping of str to float
        The words that say what a list is about, with their weight.
    reading : Reading
        What search reads of it; its vector is the only one that is made of it.
    wish : Wish
        Which runs it wishes for, and with which parameters and files.
    """

    asked: str
    text: str
    kind: AnswerKind
    names: tuple[int, ...]
    sides: tuple[Side, ...]
    stand: Stand
    lists_all: bool
    marks: tuple[str, ...]
    link: LinkSort
    code: bool
    bare: bool
    subject: Mapping[str, float]
    reading: Reading
    wish: Wish


def understand(
    question: str,
    store: Store,
    encoder: Encoder,
    history: Sequence[Turn] = (),
    roots: Collection[Path] = (),
) -> Question:
    """The question as it is meant in its conversation.

    Parameters
    ----------
    history : sequence of (question, Answer)
        The conversation so far, oldest first.
    roots : collection of Path
        The folders in which a file is looked for that it names for a run.

    Raises
    ------
    IndexMismatch
        When the encoder is not the one the store was made with.
    """
    asked = question.strip()[:QUESTION_CHARS]
    now = _wants_now(asked, store)
    meaning = Meant.alone(asked) if now else _meant(asked, store, encoder, history)
    text, own = meaning.text, meaning.own
    names = () if _wants_now(own, store) else _names(own, store)
    follows = meaning.stand == "follows"
    if follows and not names:
        # "The difference between them?" is of what was talked about last and before.
        last = 2 if kind_of(own, 1) == "comparison" else 1
        own = " ".join((own.strip(" ?.!"), *reversed(meaning.topics[:last])))
        names = _names(own, store)
    kind, sides = _compared(own, kind_of(own, len(names)), names, store)
    to_search = meaning.searched
    if kind == "comparison":
        to_search = _fully_named(to_search, sides, store)
    if kind == "path":
        names = goals_of(own, store.lexicon)
    reading = read(searched(to_search), store, encoder)
    # Wishes are read with the default encoder's vector of the very text.
    shared = encoder.name == DEFAULT_ENCODER and reading.text == text
    notes = store.note_paths.values()
    files = files_named(asked, roots, notes) or files_named(text, roots, notes)
    words = content_words(own, store) if follows else reading.words
    named = [store.concepts[c] for c in (names if own != text else reading.concepts)]
    if kind == "where":
        named = [concept for concept in named if concept.passages]
    return Question(
        asked=asked,
        text=text,
        kind=kind,
        names=names,
        sides=sides,
        stand=meaning.stand,
        lists_all=kind == "list" and read_kind(own, len(names)) == "all",
        marks=marks_of(own),
        link=sort_of_link(own),
        code=wants_code(f"{meaning.own.strip(' ?.!')} for it" if meaning.topics else own),
        bare=is_bare(words, kind, named),
        subject=subject_of(words),
        reading=reading,
        wish=read_wish(text, reading.vector if shared else None, files, own if follows else ""),
    )


def _meant(asked: str, store: Store, encoder: Encoder, history: Sequence[Turn]) -> Meant:
    """What the question means in its conversation, without slips, its names spelled out."""
    mended = speller(store.lexicon, store.passage_frequency, store.vocabulary, encoder.knows)
    turns = [(mended(question), answer) for question, answer in history]
    found = meant(mended(asked), turns)
    text, to_search, own = (
        spelled_out(said, store.lexicon) for said in (found.text, found.searched, found.own)
    )
    return Meant(text, to_search, own, found.topics, found.stand)


def _names(text: str, store: Store) -> tuple[int, ...]:
    found = store.lexicon.find(text, strict_case=False)
    return tuple(dict.fromkeys(f.concept for f in found))


def _wants_now(text: str, store: Store) -> bool:
    """Whether it asks what can be learned next, with what is known already, of no concept."""
    return not _names(text, store) and read_kind(text, 0) == "now"


def _compared(
    text: str, kind: AnswerKind, names: Sequence[int], store: Store
) -> tuple[AnswerKind, tuple[Side, ...]]:
    """The kind, and the sides where it is a comparison after all, or is none."""
    if kind in ("list", "how", "path", "next", "empty"):
        return kind, ()
    grammatical = sides_of(text)
    # Two concepts that a question does not set against each other are no choice: "should I … after
    # unfreezing?"
    if not grammatical and kind != "comparison":
        return kind, ()
    sides = tuple(sides_in(grammatical, names, store))
    if kind == "comparison":
        return ("comparison", sides) if sides else ("fact", ())
    both = bool(sides) and all(side.concept is not None for side in sides)
    return ("comparison", sides) if both and is_choice(text) else (kind, sides)


def _fully_named(text: str, sides: Sequence[Side], store: Store) -> str:
    """The question with sides by the full names of their concepts, by which search knows them."""
    for side in sides:
        if side.concept is not None and not store.lexicon.find(side.name, strict_case=False):
            text = text.replace(side.name, side.concept.label)
    return text
