"""Where a sentence ends, and that no word of a text falls between two sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.notes.sentences import sentence_spans


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Call `a. B()` now. Then stop.", ["Call `a. B()` now.", "Then stop."]),
        ("Take $x. Y$ and go. End.", ["Take $x. Y$ and go.", "End."]),
        ("See Fig. 3, e.g. by Dr. Noll. Done.", ["See Fig. 3, e.g. by Dr. Noll.", "Done."]),
        ("It is 0.5. And 1e-3. So.", ["It is 0.5.", "And 1e-3.", "So."]),
        ("**Bold. Still bold.** Then plain.", ["**Bold. Still bold.**", "Then plain."]),
        ("Smith et al. (2015) did it. Good.", ["Smith et al. (2015) did it.", "Good."]),
        ("He left (really!) and came back. Yes.", ["He left (really!) and came back.", "Yes."]),
        ("これは文です。次の文です。", ["これは文です。", "次の文です。"]),
        ("no end", ["no end"]),
        ("They don't. We call it z. So it is.", ["They don't.", "We call it z.", "So it is."]),
        ("It is w1 + ... + wn. Unsure? -> Try it.", ["It is w1 + ... + wn.", "Unsure? -> Try it."]),
        ("2. Divide by ten. Stop.", ["2. Divide by ten.", "Stop."]),
        (
            "**2 May** NaN, fixed\n**3 May** ran. Up 2 %",
            ["**2 May** NaN, fixed", "**3 May** ran.", "Up 2 %"],
        ),
        ("**The norm** is\nits **length**", ["**The norm** is\nits **length**"]),
    ],
)
def test_sentences_end_where_a_reader_would_stop(text: str, sentences: list[str]) -> None:
    """Not in code, formulas, numbers, bold runs, brackets, nor after abbreviations."""
    assert [text[a:b] for a, b in sentence_spans(text)] == sentences


@given(st.text(alphabet="aB .!?`$*\n()1e。", max_size=80))
def test_sentences_leave_nothing_out(text: str) -> None:
    """In order, without overlap, and only white space between them."""
    spans = sentence_spans(text)
    at = 0
    for a, b in spans:
        assert at <= a < b
        assert not text[at:a].strip()
        at = b
    assert not text[at:].strip()
