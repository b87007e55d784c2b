"""Trainings come to the same, and are told in the same order, wherever each of them is done."""

from __future__ import annotations

import os
import pickle
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import side_jobs
from learners import differences, learner, state
from tiny import TINY

from executors.apart import trained_apart
from executors.learning_rate.state import carried, take_over
from executors.learning_rate.sweep import sweep, train_some
from executors.prepare import prepare
from executors.recipe import check_params, typed_params
from executors.recipes import lr_find, regularise
from executors.runs.child import environment
from executors.runs.folder import ENVIRONMENT, EVENTS, write_json
from executors.runs.journal import Journal
from executors.runs.post import ANSWER, ORDER, SHARED, Letter, posted, put
from executors.runs.run import start
from executors.runs.tail import Tail

GIVEN = {"task": "tabular", "arch": "20,10", "device": "cpu"}


@pytest.mark.parametrize("trained", [False, True], ids=["new", "trained"])
def test_a_state_goes_on_elsewhere(trained: bool, tmp_path: Path) -> None:
    """A learner that was built alike and took it over trains to the same bits."""
    first, other = learner(tmp_path / "a"), learner(tmp_path / "b")
    if trained:
        train_some(first, 1e-3, 5)
        first.opt.hypers[0]["lr"] = 0.5
    before = state(first)
    take_over(other, pickle.loads(pickle.dumps(carried(first))))
    after = {**state(other), "attributes": before["attributes"], "losses": before["losses"]}
    assert set(differences(before, after)) <= {"grads"}  # zeros there, none here
    points = [sweep(one, 1e-7, 10, 40, lambda lr, loss: None) for one in (first, other)]
    assert points[0] == points[1]


@pytest.mark.parametrize("task", ["image-classification", "text-classification", "language-model"])
def test_every_kind_of_loader_goes_on_elsewhere(task: str, tmp_path: Path) -> None:
    """Orders of batches, augmentation and dropout too, to the same bits."""
    (tmp_path / "files").mkdir()
    given = {"task": task, "device": "cpu", "batch_size": 4, **TINY[task](tmp_path / "files")}
    params = typed_params(lr_find, check_params(lr_find.RECIPE, given))
    first = prepare(params, Journal(tmp_path)).learner
    first.unfreeze()
    train_some(first, 1e-3, 3)
    state = pickle.dumps(carried(first))
    points = [sweep(first, 1e-5, 1, 6, lambda lr, loss: None)]
    other = prepare(params, Journal(tmp_path), verify=False).learner
    take_over(other, pickle.loads(state))
    points.append(sweep(other, 1e-5, 1, 6, lambda lr, loss: None))
    assert points[0] == points[1] and len(points[0].raw) > 2


def prepared(folder: Path) -> tuple[Any, Journal]:
    folder.mkdir()
    write_json(folder / ENVIRONMENT, environment())
    journal = Journal(folder)
    params = typed_params(regularise, check_params(regularise.RECIPE, GIVEN))
    return prepare(params, journal), journal


def done(folder: Path, go: Path, *, apart: bool) -> tuple[list[Any], list[dict[str, Any]]]:
    """Results and events of three jobs."""
    ready, journal = prepared(folder)
    journal.apart = apart
    train_some(ready.learner, 1e-3, 2)
    jobs = [partial(side_jobs.job, number, str(go)) for number in range(3)]
    before = state(ready.learner)
    results = list(trained_apart(ready, jobs, journal))
    assert differences(before, state(ready.learner)) == []
    return results, [event for event in Tail(folder / EVENTS).read() if event["event"] != "waits"]


def serve(folder: Path, place: Path, go: Path) -> None:
    """Do the second job in another process, give the third one back."""
    found: list[Letter] = []
    while len(found) < 2:
        time.sleep(0.05)
        found = posted(folder)
    second, third = found
    put(third.returned, b"no room")
    laid = {SHARED: second.shared.read_bytes(), ORDER: second.order.read_bytes()}
    run = start("regularise", GIVEN, place, laid=laid)
    assert run.wait().status == "ok", run.wait().message
    put(second.events, (run.folder / EVENTS).read_bytes())
    put(second.answer, (run.folder / ANSWER).read_bytes())
    go.touch()


def test_what_another_process_does_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results, and events one job after another; what comes back is done here."""
    monkeypatch.setenv("PYTHONPATH", str(Path(side_jobs.__file__).parent))
    go, other_go = tmp_path / "go", tmp_path / "gone"
    go.touch()
    alone, told = done(tmp_path / "alone", go, apart=False)
    run = tmp_path / "run"
    server = threading.Thread(target=serve, args=(run, tmp_path / "there", other_go))
    server.start()
    shared, heard = done(run, other_go, apart=True)
    server.join()
    assert shared == alone
    did = [[event for event in events if event["event"] == "did"] for events in (told, heard)]
    assert [[event["number"] for event in events] for events in did] == [[0, 1, 2]] * 2
    assert [event["pid"] == os.getpid() for event in did[1]] == [True, False, True]
    logs = [event["text"] for event in heard if event["event"] == "log"]
    assert "training 3 of 3 is done here after all: no room" in logs
    assert "training 2 of 3 is done on another place" in logs


def test_nobody_has_to_take_them(tmp_path: Path) -> None:
    """Where nobody serves, all is done here, and what is laid out is then no order any more."""
    (tmp_path / "go").touch()
    alone, _ = done(tmp_path / "alone", tmp_path / "go", apart=False)
    shared, told = done(tmp_path / "run", tmp_path / "go", apart=True)
    assert shared == alone
    assert [event["number"] for event in told if event["event"] == "did"] == [0, 1, 2]
    letters = posted(tmp_path / "run")
    assert len(letters) == 2 and all(letter.taken.exists() for letter in letters)


def test_a_failure_is_that_of_one_place(tmp_path: Path) -> None:
    """A job that fails fails the run, and nobody else goes on with the others."""
    ready, journal = prepared(tmp_path / "run")
    journal.apart = True
    jobs: list[Callable[..., Any]] = [partial(side_jobs.job, 1, ""), int, int]
    with pytest.raises(TypeError):
        list(trained_apart(ready, jobs, journal))
    assert all(letter.taken.exists() for letter in posted(tmp_path / "run"))
