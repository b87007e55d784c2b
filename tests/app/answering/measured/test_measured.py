"""What runs found stands beside an answer about just that: which questions, which runs, in which
words, and where.
"""

from __future__ import annotations

import dataclasses
import html
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ended import put_run
from rich.console import Console
from scripted import Scripted

from app.answering.answer import answer
from app.answering.measured.measured import LOOKED_AT, MOST, RESULT_BYTES, asked_of, measured
from app.answering.offers.wishes import read_wish
from app.commands import show
from app.contract import answer_json
from app.pages.ask.answer import answer_markdown, pieces
from app.paths import runs_folder
from app.writer.written import written
from executors.batch_size.advice import Plan, findings
from executors.batch_size.search import Case, Trial
from executors.recipes import clean_data, lr_find, regularise
from executors.runs.folder import RESULT, SPEC, read_json
from executors.runs.journal import Outcome
from executors.runs.result import Status
from executors.runs.run import start
from kg.encoder import Encoder
from kg.store import Store
from kg.types import Answer, AnswerKind, Measured

NOTES = """\
# Training

## Learning rate

The learning rate is the length of a training step. Too long, and the loss grows; too short, and
nothing happens.

## Learning rate after unfreezing

After unfreezing, take a slice of learning rates: from a tenth of where the loss shoots up, to a
fifth of the frozen rate.

## Batch size

The batch size is the number of samples in one training step. Take the largest that fits the memory.
"""
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
NIGHT = datetime(2026, 11, 23, 22, tzinfo=UTC)
QUESTION = "which learning rate after unfreezing?"


@pytest.fixture(scope="module")
def noted(store_of: Callable[..., Store]) -> Store:
    return store_of({"training.md": NOTES})


@pytest.fixture
def runs(noted: Store) -> Iterator[Path]:
    """The store's own folder of runs, empty."""
    folder = runs_folder(noted.folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def rates(
    arch: str = "resnet18", size: int = 224, groups: int = 3, **phases: float | tuple[float, float]
) -> Outcome:
    values = {"arch": arch, "size": size}
    return Outcome(values, "", "", said=lr_find.findings(phases, groups))


def batches(*rows: tuple[int | None, int, int, bool], arch: str = "") -> Outcome:
    """For rows of image size, recommended and largest batch, and whether the body is frozen."""
    plans = [
        Plan(
            Case(size, frozen=frozen),
            Trial(most, size, True),
            Trial(best, size, True),
            "memory",
            0.0,
            (),
        )
        for size, best, most, frozen in rows
    ]
    return Outcome({"arch": arch}, "", "", said=findings(plans, plans[-1]))


def texts(question: str, runs_dir: Path, kind: AnswerKind = "fact") -> list[str]:
    return [fact.text for fact in measured(read_wish(question), kind, runs_dir, now=NOW)]


def found(question: str, runs_dir: Path) -> list[str]:
    return [fact.run for fact in measured(read_wish(question), "fact", runs_dir, now=NOW)]


@pytest.mark.parametrize(
    ("question", "kind", "wanted"),
    [
        (QUESTION, "fact", "lr-find"),
        ("what batch size should I use?", "fact", "batch-size"),
        ("what is the best learning rate?", "definition", "lr-find"),
        ("what is my learning rate?", "definition", "lr-find"),
        ("is my model overfitting?", "yesno", "training-flow"),
        ("how good is my model?", "fact", "training-flow"),
        ("which error rate did we reach?", "fact", "training-flow"),
        ("does mixup help?", "yesno", "regularise"),
        ("should I use dropout?", "yesno", "regularise"),
        ("how do I reduce overfitting?", "how", "regularise"),
        ("is fp16 faster?", "yesno", "mixed-precision"),
        ("is bf16 worth it on cuda:0?", "yesno", "mixed-precision"),
        ("is progressive resizing faster?", "yesno", "progressive-resizing"),
        ("which images are mislabelled?", "list", "clean-data"),
        ("are any labels wrong?", "yesno", "clean-data"),
        ("do my activations vanish?", "yesno", "init-check"),
        ("what holds my memory?", "fact", "free-memory"),
    ],
)
def test_a_question_about_a_finding_asks_for_its_recipe(
    question: str, kind: AnswerKind, wanted: str
) -> None:
    """Whether for a value or for a judgement."""
    assert asked_of(read_wish(question), kind) == [wanted]


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("what is a learning rate?", "definition"),
        ("learning rate", "definition"),
        ("define dropout", "definition"),
        ("what is overfitting?", "definition"),
        ("is overfitting bad?", "yesno"),
        ("why does the learning rate matter?", "fact"),
        ("who invented dropout?", "fact"),
        ("is dropout a regularisation?", "yesno"),
        ("is dropout applied before the activation?", "yesno"),
        ("does dropout work at test time?", "yesno"),
        ("how do I know that my model overfits?", "fact"),
        ("what do I need to know before the learning rate?", "path"),
        ("where is the best learning rate explained?", "where"),
        ("what is a sourdough starter?", "definition"),
        ("", "empty"),
    ],
)
def test_other_questions_ask_for_none(question: str, kind: AnswerKind) -> None:
    """Definitions, reasons, history, and what no run tells."""
    assert asked_of(read_wish(question), kind) == []


def test_the_sentence_says_on_what_when_and_where(tmp_path: Path) -> None:
    """The data's last name, the network, the phase, the value, the day and the device."""
    outcome = rates(frozen=2e-3, unfrozen=(1e-6, 1e-4))
    run = put_run(tmp_path, "lr-find", outcome, NIGHT, data="/home/me/photos/", device="cuda:0")
    assert measured(read_wish(QUESTION), "fact", tmp_path, now=NOW) == (
        Measured(
            run,
            "On your data (photos, resnet18, unfrozen): learning rates from 1e-06 to 1e-04, as a "
            "slice, "
            "measured 23 Nov on cuda:0.",
            "lr-find",
            {"learning_rate": [1e-6, 1e-4], "phase": "unfrozen"},
            1,
        ),
    )


def test_the_sample_a_table_and_an_own_learner_are_told_apart(tmp_path: Path) -> None:
    """Nobody is told that something was measured on their data when it was not; another year is
    said.
    """
    question = "which learning rate should I take?"
    outcome = rates(arch="200,100", unfrozen=0.1)
    put_run(tmp_path, "lr-find", outcome, NIGHT, task="tabular")
    assert texts(question, tmp_path) == [
        "On the built-in sample (tabular, arch 200-100, unfrozen): learning rate 0.1, measured 23 "
        "Nov on cpu."
    ]
    put_run(
        tmp_path, "lr-find", outcome, NIGHT.replace(year=2025), task="tabular", data="/d/houses.csv"
    )
    put_run(
        tmp_path,
        "lr-find",
        rates(arch="", unfrozen=0.1),
        NIGHT.replace(day=1),
        task="learner",
        learner="/d/mine.py:make",
    )
    # What was measured on the user's own takes the sample's place, although it is older.
    assert texts(question, tmp_path) == [
        "On your learner (mine.py:make, learner, unfrozen): learning rate 0.1, measured 1 Nov on "
        "cpu.",
        "On your data (houses.csv, arch 200-100, unfrozen): learning rate 0.1, measured 23 Nov "
        "2025 on cpu.",
    ]


def test_only_runs_that_ended_well_are_spoken_of(tmp_path: Path) -> None:
    """Values of a run that failed, was cancelled or ran out of memory are no finding."""
    bad: tuple[Status, ...] = ("failed", "timeout", "out_of_memory", "cancelled")
    for minute, status in enumerate(bad):
        put_run(
            tmp_path,
            "lr-find",
            rates(unfrozen=0.1),
            NIGHT + timedelta(minutes=minute),
            status=status,
        )
    assert found(QUESTION, tmp_path) == []
    good = put_run(tmp_path, "lr-find", rates(unfrozen=0.1), NIGHT - timedelta(days=1))
    assert found(QUESTION, tmp_path) == [good]


def test_one_fact_for_each_phase_the_newest_and_at_most_three(tmp_path: Path) -> None:
    """A run that was done again takes the older one's place; other data stands beside it."""
    old = put_run(tmp_path, "lr-find", rates(frozen=0.1, unfrozen=0.2), NIGHT, data="/d/photos")
    new = put_run(
        tmp_path, "lr-find", rates(unfrozen=0.3), NIGHT + timedelta(hours=1), data="/d/photos"
    )
    question = "which learning rate should I take?"
    assert found(question, tmp_path) == [new, old]
    other = put_run(
        tmp_path,
        "lr-find",
        rates(frozen=1e-3, unfrozen=1e-4),
        NIGHT + timedelta(hours=2),
        data="/d/cats",
    )
    assert found(question, tmp_path) == [other, other, new]
    assert MOST == 3


def test_two_recipes_asked_for_at_once_both_have_their_word(tmp_path: Path) -> None:
    """The one with more runs does not crowd the other out."""
    for day in (20, 21, 22):
        put_run(tmp_path, "lr-find", rates(frozen=1e-2), NIGHT.replace(day=day), data=f"/d/{day}")
    put_run(tmp_path, "batch-size", batches((None, 8, 8, True)), NIGHT)
    facts = measured(
        read_wish("which learning rate and batch size should I use?"), "fact", tmp_path, now=NOW
    )
    assert sorted(fact.recipe for fact in facts) == ["batch-size", "lr-find", "lr-find"]


def test_runs_of_another_task_or_phase_are_left_out(tmp_path: Path) -> None:
    """What a question names is not answered by something else."""
    put_run(tmp_path, "lr-find", rates(frozen=0.1), NIGHT)
    assert texts("which learning rate while frozen?", tmp_path)
    assert texts(QUESTION, tmp_path) == []
    assert texts("which learning rate for a U-Net while frozen?", tmp_path) == []


@pytest.mark.parametrize("asked", ["frozen", "unfrozen"])
def test_a_network_of_one_group_answers_for_both_phases(tmp_path: Path, asked: str) -> None:
    """It was measured once, as unfrozen; a question about either phase finds it, and the sentence
    says why.
    """
    put_run(
        tmp_path,
        "lr-find",
        rates(groups=1, unfrozen=0.05),
        NIGHT,
        task="tabular",
        data="/d/houses.csv",
    )
    (fact,) = measured(read_wish(f"which learning rate when {asked}?"), "fact", tmp_path, now=NIGHT)
    assert (
        ": learning rate 0.05, frozen or not, because the network is a single group of layers, "
        "measured " in fact.text
    )
    assert f", {asked}" not in fact.text.partition("):")[0]
    assert fact.values == {"learning_rate": 0.05, "phase": "both"}


def test_runs_that_fit_the_questions_words_come_before_newer_ones(tmp_path: Path) -> None:
    """A network, an image size and a device that are named; where none fits, the nearest is shown
    as what it is.
    """
    later = NIGHT + timedelta(hours=1)
    small = put_run(tmp_path, "lr-find", rates(unfrozen=0.1), NIGHT)
    large = put_run(
        tmp_path,
        "lr-find",
        rates(arch="resnet50", size=448, unfrozen=0.1),
        later,
        device="cuda:1",
    )
    assert found("learning rate after unfreezing resnet18", tmp_path) == [small]
    assert found("learning rate after unfreezing a resnet-50", tmp_path) == [large]
    assert found("which learning rate at 224 px?", tmp_path) == [small]
    assert found("which learning rate on the cpu?", tmp_path) == [small]
    assert found("which learning rate on cuda:1?", tmp_path) == [large]
    assert found("which learning rate for resnet34?", tmp_path) == [large, small]


def test_sizes_of_one_run_are_one_fact(tmp_path: Path) -> None:
    """A plan over image sizes is listed in one sentence; a size that is asked for stands alone."""
    outcome = batches((128, 64, 128, False), (224, 32, 64, False), arch="resnet18")
    put_run(tmp_path, "batch-size", outcome, NIGHT, data="/d/photos")
    (both,) = measured(read_wish("which batch size should I use?"), "fact", tmp_path, now=NOW)
    assert both.text.startswith(
        "On your data (photos, resnet18, unfrozen): batch size 64 at 128 px (the largest that "
        "fits: 128); "
        "batch size 32 at 224 px (the largest that fits: 64), measured"
    )
    assert [one["size"] for one in both.values["plan"]] == [128, 224]
    (one,) = measured(read_wish("which batch size at 224 px?"), "fact", tmp_path, now=NOW)
    assert ": batch size 32 at 224 px (the largest that fits: 64), measured" in one.text


def test_a_way_that_is_named_is_told_of(tmp_path: Path) -> None:
    """ "does dropout help?" is not answered by what mixup does."""
    ways = (("none", 0.5), ("dropout 0.5", 0.6), ("mixup 0.4", 0.9))
    rows = [regularise.Row(name, score, 0.0, 1.0, 1.0) for name, score in ways]
    said = regularise.findings(rows, rows[-1], 0.01, "accuracy", True)
    put_run(tmp_path, "regularise", Outcome({}, "", "", said=said), NIGHT)
    assert "dropout 0.5 helps: accuracy 0.6" in texts("does dropout help?", tmp_path)[0]
    assert "mixup 0.4 helps: accuracy 0.9" in texts("which regularisation is best?", tmp_path)[0]


def _truncated(folder: Path) -> None:
    (folder / RESULT).write_bytes((folder / RESULT).read_bytes()[:-30])


def _without_spec(folder: Path) -> None:
    (folder / SPEC).unlink()


def _other_status(folder: Path) -> None:
    (folder / RESULT).write_text((folder / RESULT).read_text().replace('"ok"', '"fine"'))


def _no_date(folder: Path) -> None:
    (folder / SPEC).write_text(
        json.dumps(json.loads((folder / SPEC).read_text()) | {"started": "yesterday"})
    )


def _no_params(folder: Path) -> None:
    (folder / SPEC).write_text(
        json.dumps(json.loads((folder / SPEC).read_text()) | {"params": [1]})
    )


def _other_findings(folder: Path) -> None:
    (folder / RESULT).write_text(
        json.dumps(json.loads((folder / RESULT).read_text()) | {"said": [3, {"words": 3}]})
    )


def _huge(folder: Path) -> None:
    stored = json.loads((folder / RESULT).read_text())
    (folder / RESULT).write_text(json.dumps(stored | {"padding": "x" * RESULT_BYTES}))


def _folder_for_result(folder: Path) -> None:
    (folder / RESULT).unlink()
    (folder / RESULT).mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        _truncated,
        _without_spec,
        _other_status,
        _no_date,
        _no_params,
        _other_findings,
        _huge,
        _folder_for_result,
    ],
)
def test_a_damaged_run_says_nothing_and_the_one_before_it_stands(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """Nor does it break the answer."""
    sound = put_run(tmp_path, "lr-find", rates(unfrozen=0.1), NIGHT)
    broken = put_run(tmp_path, "lr-find", rates(unfrozen=0.2), NIGHT + timedelta(days=1))
    damage(tmp_path / broken)
    (tmp_path / "a file").write_text("")
    (tmp_path / "an empty folder").mkdir()
    assert found(QUESTION, tmp_path) == [sound]


def test_a_folder_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    """Nor does a file in its place."""
    (tmp_path / "file").write_text("")
    assert found(QUESTION, tmp_path / "none") == found(QUESTION, tmp_path / "file") == []


def test_a_renamed_run_is_found_by_what_stands_in_it(tmp_path: Path) -> None:
    """The recipe is the folder's own word; one of another recipe stays unsaid."""
    for recipe, name in (("lr-find", "the good one"), ("batch-size", "another")):
        (tmp_path / put_run(tmp_path, recipe, rates(unfrozen=0.1), NIGHT)).rename(tmp_path / name)
    assert found(QUESTION, tmp_path) == ["the good one"]


def test_a_long_history_is_not_read_whole_and_each_run_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that many runs cost an answer little: at most the newest of the recipe, and none twice;
    changed ones again.
    """
    read: list[str] = []

    def counted(path: Path) -> dict[str, Any] | None:
        if path.name == RESULT:
            read.append(path.parent.name)
        return read_json(path)

    monkeypatch.setattr("app.answering.measured.measured.read_json", counted)
    names = [
        put_run(tmp_path, recipe, rates(unfrozen=0.1), NIGHT + timedelta(minutes=minute))
        for minute in range(LOOKED_AT + 10)
        for recipe in ("lr-find", "batch-size")
    ]
    newest = [name for name in names if "lr-find" in name][-1]
    assert found(QUESTION, tmp_path) == [newest]
    assert len(read) == len(set(read)) == LOOKED_AT
    assert all("lr-find" in name for name in read)
    assert found(QUESTION, tmp_path) == [newest]
    assert len(read) == LOOKED_AT
    (tmp_path / newest / RESULT).write_text("{}")
    assert found(QUESTION, tmp_path) != [newest]
    assert read[LOOKED_AT:] == [newest]


def test_the_notes_own_answer_stays_as_it_is(noted: Store, encoder: Encoder, runs: Path) -> None:
    """The same text, citations and offers, with the runs' facts beside them."""
    before = answer(QUESTION, noted, encoder)
    assert before.status == "answered"
    assert before.measured == ()
    run = put_run(runs, "lr-find", rates(unfrozen=0.2), NIGHT)
    after = answer(QUESTION, noted, encoder)
    assert [fact.run for fact in after.measured] == [run]
    assert dataclasses.replace(after, measured=()) == before


def test_a_definition_is_left_alone(noted: Store, encoder: Encoder, runs: Path) -> None:
    """Who asks what something is, is told that."""
    put_run(runs, "lr-find", rates(unfrozen=0.2), NIGHT)
    assert answer("What is a learning rate?", noted, encoder).measured == ()


def test_what_the_notes_do_not_say_a_run_may_have_found(
    noted: Store, encoder: Encoder, runs: Path
) -> None:
    """The answer stays "not in the notes", and says so."""
    clean = Outcome({}, "", "", said=clean_data.findings([], 0))
    put_run(runs, "clean-data", clean, NIGHT, data="/d/photos")
    said = answer("which images are mislabelled?", noted, encoder)
    assert said.status == "not_in_notes"
    assert "no sample looks mislabelled" in said.measured[0].text
    shown = answer_markdown(noted, said)
    assert shown.index("Not in the notes") < shown.index(
        "Measured by your runs, not from the notes"
    )
    assert said.measured[0].run in shown


def test_a_follow_up_is_told_of_its_own_condition(
    noted: Store, encoder: Encoder, runs: Path
) -> None:
    """ "and after unfreezing?" is about the rate of that phase; "tell me more" repeats nothing."""
    put_run(runs, "lr-find", rates(frozen=0.01, unfrozen=0.002), NIGHT)
    first = "which learning rate while the model is frozen?"
    said = answer(first, noted, encoder)
    assert [fact.values["phase"] for fact in said.measured] == ["frozen"]
    then = answer("and after unfreezing?", noted, encoder, [(first, said)])
    assert [fact.values["learning_rate"] for fact in then.measured] == [0.002]
    assert answer("tell me more", noted, encoder, [(first, said)]).measured == ()


def test_no_writer_is_given_what_runs_found(noted: Store, encoder: Encoder, runs: Path) -> None:
    """It could only cite it as the notes'; the facts stand beside what it wrote all the same."""
    put_run(runs, "lr-find", rates(unfrozen=0.0123), NIGHT, data="/d/holidays")
    said = answer(QUESTION, noted, encoder)
    writer = Scripted("After unfreezing, take a slice of learning rates [1].")
    *_, last = written(said, noted, encoder, writer, [], threading.Event())
    assert isinstance(last, Answer)
    assert last.measured == said.measured != ()
    given = json.dumps(writer.asked)
    assert given != "[]"
    for told in ("holidays", "0.012", "easured", said.measured[0].run):
        assert told not in given


def test_the_page_shows_it_with_a_link_that_opens_the_run(noted: Store) -> None:
    """What a folder's name says is text, never markup, and no piece of a growing answer is cut
    within it.
    """
    hostile = '<img src=x onerror="1">. *Bold* [1] $x$. [[Dropout]]'
    fact = Measured(
        "20261123T220000Z-lr-find-abc123", f"On your data ({hostile}): 2e-3.", "lr-find", {}, 0
    )
    said = Answer("q", "answered", "fact", 0.9, "It is.\n\nSo.", measured=(fact,))
    shown = answer_markdown(noted, said)
    assert f'href="#past/{fact.run}"' in shown
    assert "<img" not in shown
    (item,) = re.findall(r"<li>(.*?) <a ", shown)
    assert "<" not in item
    assert html.unescape(item) == fact.text
    for piece in pieces(shown):
        assert piece.count('<div class="g-row g-measured">') == piece.count("</ul></div>")


def test_the_terminal_and_the_json_name_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence with the run's id, which `gradus runs` takes; machines get the values too."""
    fact = Measured(
        "20261123T220000Z-lr-find-abc123",
        "On your data: 2e-3.",
        "lr-find",
        {"learning_rate": 2e-3},
        4,
    )
    said = Answer("q", "answered", "fact", 0.9, "It is.", measured=(fact,))
    console = Console(width=200)
    monkeypatch.setattr(show, "out", console)
    with console.capture() as seen:
        show.show_answer(said)
    assert "measured by your runs, not from the notes" in seen.get()
    assert f"On your data: 2e-3. [{fact.run}]" in seen.get()
    assert json.loads(json.dumps(answer_json(said)))["measured"] == [
        {
            "run": fact.run,
            "text": "On your data: 2e-3.",
            "recipe": "lr-find",
            "values": {"learning_rate": 2e-3},
            "age_days": 4,
        }
    ]


def test_a_real_run_is_found_again(noted: Store, encoder: Encoder, runs: Path) -> None:
    """A rate that was measured comes with the next answer about rates, and is the one that the run
    recommends.
    """
    params = {"task": "tabular", "num_it": 30, "seeds": 1, "race": False, "device": "cpu"}
    run = start("lr-find", params, runs, timeout_s=240)
    result = run.wait()
    assert result.status == "ok", result.message
    (fact,) = answer("which learning rate should I take for my table?", noted, encoder).measured
    assert (fact.run, fact.recipe, fact.age_days) == (run.id, "lr-find", 0)
    assert fact.values == {
        "learning_rate": result.values["phases"]["unfrozen"]["recommended"],
        "phase": "both",
    }
    assert fact.text.startswith("On the built-in sample (tabular, ")
    assert fact.text.endswith(" on cpu.")
