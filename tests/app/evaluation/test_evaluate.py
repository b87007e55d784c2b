"""Figures of an evaluation: right by hand, and equal to the evaluation set's own scorer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.evaluate import Outcome, ask_all, by_kind, figures, judged, rank_of
from app.evaluation.question_file import AskedQuestion, read_questions
from kg.encoder import Encoder
from kg.store import Store
from kg.types import Answer, Citation, Hit, Passage

SHARED = Path(__file__).resolve().parents[4] / "shared"


def passage(i: int, path: tuple[str, ...], text: str = "words") -> Passage:
    return Passage(i, "n.md", None, 0, len(text), 10 * i + 1, 10 * i + 5, path, text, "prose")


def hits(*paths: tuple[str, ...]) -> tuple[Hit, ...]:
    return tuple(Hit(passage(i, path), 1 - i / 100, ()) for i, path in enumerate(paths))


def outcome(
    rank: int | None = 1,
    *,
    answered: bool = True,
    cited: bool = True,
    gold: bool = True,
    **more: object,
) -> Outcome:
    question = AskedQuestion("q", ("Gold",) if gold else (), (), str(more.get("kind", "")))
    return Outcome(
        question, answered, rank, cited, "n.md › Gold", 0.9, float(str(more.get("ms", 1.0)))
    )


def test_figures_by_hand() -> None:
    """Ranks 1, 3, 6 and none; three of four answered, two of them citing; one of two refused."""
    found = figures([
        outcome(1), outcome(3, cited=False), outcome(6), outcome(None, answered=False, cited=False),
        outcome(gold=False), outcome(gold=False, answered=False),
    ])  # fmt: skip
    assert (found.questions, found.answerable) == (6, 4)
    assert (found.hit_at_1, found.hit_at_3, found.hit_at_5) == (0.25, 0.5, 0.5)
    assert found.mrr == round((1 + 1 / 3 + 1 / 6) / 4, 4)
    assert (found.answered, found.cited, found.refused) == (0.75, round(2 / 3, 4), 0.5)


def test_no_figure_is_made_of_nothing() -> None:
    """Without answerable or unanswerable questions their shares are None, not 0 or 1."""
    alone = figures([outcome(gold=False, answered=False)])
    assert (alone.hit_at_1, alone.mrr, alone.answered, alone.cited, alone.refused) == (
        None,
        None,
        None,
        None,
        1.0,
    )
    assert figures([outcome(2)]).refused is None
    assert figures([outcome(answered=False)]).cited is None
    assert figures([]).ms_median is None


def test_times_are_median_and_ninetieth_percentile() -> None:
    """Of 1 to 11 ms they are 6 and 10."""
    found = figures([outcome(ms=float(n)) for n in range(11, 0, -1)])
    assert (found.ms_median, found.ms_p90) == (6.0, 10.0)


@given(st.lists(st.one_of(st.none(), st.integers(1, 20)), min_size=1))
def test_shares_grow_with_depth(ranks: list[int | None]) -> None:
    """hit@1 ≤ hit@3 ≤ hit@5, and the mean reciprocal rank lies between hit@1 and 1."""
    found = figures([outcome(r) for r in ranks])
    assert found.hit_at_1 is not None and found.hit_at_3 is not None and found.hit_at_5 is not None
    assert found.hit_at_1 <= found.hit_at_3 <= found.hit_at_5 <= 1
    assert found.mrr is not None and found.hit_at_1 - 1e-4 <= found.mrr <= 1


def test_hits_under_one_heading_path_count_once() -> None:
    """The gold section is second, though three hits stand before it."""
    ranking = hits(("A",), ("A",), ("A",), ("B", "Gold | Silver"), ("Gold",))
    assert rank_of(AskedQuestion("q", ("Gold",)), ranking) == 2
    assert rank_of(AskedQuestion("q", ("Silver",)), ranking) is None
    assert rank_of(AskedQuestion("q", ("B", "A")), ranking) == 1


def test_for_a_quote_every_hit_counts() -> None:
    """The quote stands in the third hit of a section; the section's gold would be first."""
    ranking = tuple(
        Hit(passage(i, ("A",), t), 1.0, ())
        for i, t in enumerate(("one", "two", "three **golden** words"))
    )
    assert rank_of(AskedQuestion("q", (), ("Golden words",)), ranking) == 3
    assert rank_of(AskedQuestion("q", ("A",), ("Golden words",)), ranking) == 1
    assert rank_of(AskedQuestion("q", (), ("silver",)), ranking) is None


def test_a_citation_counts_where_it_stands() -> None:
    """It must begin within the lines of a passage that answers, of the same note."""
    passages = [passage(0, ("A",)), passage(1, ("Gold",))]
    question = AskedQuestion("q", ("Gold",))

    def cited(line: int, note: str = "n.md") -> bool:
        said = Answer(
            "q",
            "answered",
            "fact",
            0.9,
            "…",
            (Citation(1, note, line, line, None, "words"),),
            hits=hits(("A",)),
        )
        return judged(question, said, passages, 1.0).cited

    assert [cited(1), cited(11), cited(15), cited(16), cited(11, "other.md")] == [
        False,
        True,
        True,
        False,
        False,
    ]


def test_kinds_with_few_questions_have_no_figures() -> None:
    """A share over two questions says nothing."""
    outcomes = [outcome(1, kind="how")] * 5 + [outcome(2, kind="fact")] * 4 + [outcome(2)]
    assert list(by_kind(outcomes)) == ["how"]
    assert by_kind(outcomes, least=4)["fact"].mrr == 0.5


def test_questions_are_asked_of_the_notes(store: Store, encoder: Encoder) -> None:
    """A definition is found first, answered and cited; what the notes do not say is refused."""
    questions = (
        AskedQuestion("what is a sourdough starter?", ("Sourdough starter",)),
        AskedQuestion(
            "what is a sourdough starter?", (), ("flour and water that wild yeast lives in",)
        ),
        AskedQuestion("who painted the ceiling of the Sistine Chapel?"),
    )
    told: list[tuple[int, int]] = []
    outcomes = ask_all(questions, store, encoder, 5, lambda n, of: told.append((n, of)))
    assert [(o.answered, o.rank, o.cited) for o in outcomes] == [
        (True, 1, True),
        (True, 1, True),
        (False, None, False),
    ]
    assert outcomes[0].first.startswith("bread.md › Bread › Sourdough starter")
    assert all(o.ms > 0 for o in outcomes)
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.skipif(
    not (SHARED / "eval/score_questions.py").is_file(), reason="the evaluation data is not here"
)
def test_figures_equal_the_scorers(tmp_path: Path) -> None:
    """With rankings of many shapes, every shared figure is the scorer's."""
    file = SHARED / "eval/questions.jsonl"
    questions = read_questions(file)
    every = [q.gold[0] if q.gold else "Statements" for q in questions]
    outcomes, rows = [], []
    for i, question in enumerate(questions):
        paths = [("Notes", every[(i + 3 * j + i % 4) % len(every)]) for j in range(12)]
        paths.insert(i % 7, ("Notes", f"{every[i]} and more"))
        status = "not_in_notes" if i % 5 == 0 else "answered"
        said = Answer(question.q, status, "fact", 0.5, "", hits=hits(*paths))  # type: ignore[arg-type]
        outcomes.append(judged(question, said, (), 1.0))
        rows.append(
            {"question": question.q, "status": status, "hits": [{"heading_path": p} for p in paths]}
        )
    answers = tmp_path / "answers.jsonl"
    answers.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    command = [sys.executable, str(SHARED / "eval/score_questions.py"), str(file), str(answers)]
    theirs = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    ours = figures(outcomes)
    assert theirs == {
        "hit@1": ours.hit_at_1, "hit@3": ours.hit_at_3, "hit@5": ours.hit_at_5, "mrr": ours.mrr,
        "answered_ok": ours.answered, "refused_ok": ours.refused, "questions": ours.questions,
    }  # fmt: skip
    assert 0 < theirs["hit@1"] < theirs["hit@5"] <= 1
