"""Let a language model word an answer, and give only what the cited passages bear out.

The extractive answer comes first and stays whenever the model fails, is stopped, or writes what the
notes do not say.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Sequence
from typing import Protocol

from app.answering.reading.excerpts import Excerpt, cite
from app.fastai_v1.recognise import updates
from app.wording import count_of
from app.writer.drafts import Sentence, assembled, readable, sentences
from app.writer.grounding import Support, check, copied, lay_grounds
from app.writer.pace import WriterFailure, paced
from app.writer.prompt import SILENT, Message, cited_passages, messages, sources_of
from kg.encoder import Encoder
from kg.linking import key
from kg.store import Store
from kg.types import Answer, Citation

__all__ = ["Writer", "WriterFailure", "checked", "worth_writing", "written"]

# What the graph or the notes' links answer has nothing to be worded: a study path, a reading list.
UNWRITTEN = ("path", "next", "where", "empty")
ENOUGH = 0.5  # share of the written sentences that must stand in the passages
_ENDED = (".", "!", "?", "…", ")", "]", "$", "*", '"', "”", "。")


class Writer(Protocol):
    """A language model, wherever it runs."""

    @property
    def name(self) -> str:
        """What readers know it by."""

    def load(self) -> None:
        """Bring the model into memory, where that is ours to do; raises WriterFailure."""

    def stream(self, prompt: Sequence[Message], over: threading.Event) -> Iterator[str]:
        """The answer in pieces, "" for a sign of life without text; ends soon after `over` is set.

        Raises
        ------
        WriterFailure
            With the cause and what to do, when it cannot write or go on.
        """


def worth_writing(answer: Answer) -> bool:
    """Whether a writer is asked: not for a disagreement, a path, a reading list or no answer."""
    wordable = answer.status == "answered" and answer.kind not in UNWRITTEN
    # A model would smooth over a disagreement that the reader has to know of.
    return wordable and bool(answer.hits) and answer.disagreement is None


def written(
    answer: Answer,
    store: Store,
    encoder: Encoder,
    writer: Writer,
    earlier: Sequence[str] = (),
    stop: threading.Event | None = None,
) -> Iterator[str | Answer]:
    """Yield the text so far whenever there is more of it, and at last the checked answer.

    Parameters
    ----------
    answer : Answer
        What the notes say, as `app.answering.answer.answer` gives it.
    earlier : sequence of str
        The questions before it in the conversation, oldest first.
    stop : threading.Event or None
        When set, reading ends, and the extractive answer is given with a notice.

    Yields
    ------
    str or Answer
        Unchecked text, to be shown as such; the last value, and only it, is an Answer.
    """
    if not worth_writing(answer):
        yield answer
        return
    given = sources_of(answer, store)
    text = ""
    try:
        writer.load()
        prompt = messages(answer.question, given, earlier)
        for raw in paced(lambda over: writer.stream(prompt, over), stop or threading.Event()):
            text = raw
            yield readable(raw)
        final = checked(answer, text, given, store, encoder, writer.name)
    except WriterFailure as failure:
        final = dataclasses.replace(answer, notice=f"Not written by {writer.name}: {failure}")
    yield final


def checked(
    answer: Answer, text: str, given: Sequence[Excerpt], store: Store, encoder: Encoder, name: str
) -> Answer:
    """The answer in the sentences that the passages bear out, or the extract with a notice.

    Fewer than half of the sentences, or none, are too few, and so is a text without a sentence from
    the passages that the extract cites: it may be true, and answers another question.

    Parameters
    ----------
    text : str
        As the model wrote it, citing `given` by position, from 1.
    """
    told = _distinct([s for s in _whole(sentences(text, len(given))) if not s.leads_in])
    supports = _supports(told, given, store, encoder)
    kept = [i for i, support in enumerate(supports) if support]
    best = cited_passages(answer, store)
    from_best = any(s.excerpt.passage.id in best for i in kept for s in supports[i])
    if not told:
        short = f"{name} wrote no sentence"
    elif SILENT.rstrip(".").casefold() in text.casefold() and len(told) <= 2:
        short = f"{name} found no answer in the passages"
    elif len(kept) < max(1, ENOUGH * len(told)):
        wrote = f"Of {count_of(len(told), 'sentence')} that {name} wrote"
        short = f"{wrote}, the notes support {len(kept) or 'none'}"
    elif best and not from_best:
        short = f"What {name} wrote is not from the passages that answer best"
    else:
        borne_out = [told[i] for i in kept], [supports[i] for i in kept]
        return _worded(answer, *borne_out, len(told), name)
    return dataclasses.replace(answer, notice=f"{short}; these are the notes' own words.")


def _worded(
    answer: Answer,
    kept: Sequence[Sentence],
    supports: Sequence[tuple[Support, ...]],
    written: int,
    name: str,
) -> Answer:
    """The answer in a writer's sentences; `written` is how many there were."""
    citations, marks = _numbered(supports)
    left = written - len(kept)
    notice = f"{left} of {count_of(written, 'sentence')} left out: the notes do not support them."
    text = assembled(kept, dict(enumerate(marks)))
    return dataclasses.replace(
        answer,
        text=text,
        fastai_v1=updates(text),
        citations=citations,
        writer=name,
        notice=notice if left else "",
        likeliest=(),
    )


def _whole(told: Sequence[Sentence]) -> Sequence[Sentence]:
    """Without a last sentence that was cut off."""
    if len(told) < 2:
        return told
    last = told[-1]
    cut_off = last.kind == "prose" and not last.cited and not last.text.endswith(_ENDED)
    return told[:-1] if cut_off else told


def _supports(
    told: Sequence[Sentence], given: Sequence[Excerpt], store: Store, encoder: Encoder
) -> list[tuple[Support, ...]]:
    grounds = lay_grounds(given, store, encoder)
    prose = [s for s in told if s.kind != "code"]
    cited = [[n - 1 for n in s.cited] for s in prose]
    of_prose = iter(check([s.text for s in prose], cited, grounds))
    return [copied(s.text, grounds) if s.kind == "code" else next(of_prose) for s in told]


def _distinct(told: Sequence[Sentence]) -> list[Sentence]:
    """Each sentence once, where it was told first."""
    first: dict[tuple[str, ...], Sentence] = {}
    for sentence in told:
        first.setdefault(key(sentence.text) or (sentence.text,), sentence)
    return list(first.values())


def _numbered(
    supports: Sequence[tuple[Support, ...]],
) -> tuple[tuple[Citation, ...], list[list[int]]]:
    """Citations in the order of use, and for each sentence the numbers of its own."""
    numbers: dict[Excerpt, int] = {}
    marks = []
    for support in supports:
        own = {numbers.setdefault(s.excerpt, len(numbers) + 1) for s in support}
        marks.append(sorted(own))
    return tuple(cite(excerpt, n) for excerpt, n in numbers.items()), marks
