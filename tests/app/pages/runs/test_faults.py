"""A wrong field is told what it needs, in words that name no program's part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from app.pages.runs.faults import LIMIT, ahead_html, faults_html, faults_of, marked
from app.pages.runs.forms import Form
from app.pages.runs.page import RunsPage, runs_page
from app.visitors_runs import VisitorsRuns
from executors.ahead import Ahead
from executors.errors import BadParameter
from executors.recipe import check_params


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> tuple[Form, ...]:
    with gr.Blocks():
        return runs_page(Path(tmp_path_factory.mktemp("runs")), VisitorsRuns()).forms


def filled(form: Form, **given: object) -> list[object]:
    """The form's values as it stands, but for those given."""
    return [
        given.get(p.name, f.value) for p, f in zip(form.recipe.parameters, form.fields, strict=True)
    ]


def finder(forms: tuple[Form, ...]) -> Form:
    return next(form for form in forms if form.recipe.name == "lr-find")


def test_forms_as_they_stand_have_no_fault(forms: tuple[Form, ...]) -> None:
    """Every recipe can be started as its form is laid out, and nothing is said."""
    for form in forms:
        assert faults_of(form, 60, filled(form)) == {}
        assert faults_html(form, 60, filled(form))[1] == ""
        assert all(mark["is_valid"] for mark in marked(form, 60, filled(form)))


@pytest.mark.parametrize("bad", ["0", "x", "1.5", "-3", "1e99", "nan", "inf"])
def test_what_a_run_would_refuse_is_a_fault_of_its_field(forms: tuple[Form, ...], bad: str) -> None:
    """Beside the field and above Start; "More settings" opens, where the field is."""
    form = finder(forms)
    values = filled(form, batch_size=bad)
    with pytest.raises(BadParameter):
        check_params(form.recipe, {"batch_size": bad})
    words = "This needs a whole number from 2 to 1000000."
    assert faults_of(form, 60, values) == {"batch_size": words}
    more, said = faults_html(form, 60, values)
    assert more["open"] is True and words in said and "Batch size, samples" in said
    assert "batch_size" not in said and "parameter" not in said
    wrong = [mark["message"] for mark in marked(form, 60, values) if not mark["is_valid"]]
    assert wrong == [words]


def test_a_field_of_another_task_has_no_fault(forms: tuple[Form, ...]) -> None:
    """What the form does not show cannot be mended there."""
    form = finder(forms)
    assert "size" in faults_of(form, 60, filled(form, size="big"))
    assert faults_of(form, 60, filled(form, size="big", task="tabular")) == {}


@pytest.mark.parametrize(("minutes", "wrong"), [(None, False), (0.5, False), (0, True), (-1, True)])
def test_the_time_limit_is_a_field_like_others(
    forms: tuple[Form, ...], minutes: Any, wrong: bool
) -> None:
    """An empty one is the usual limit; what is no length of time is told so."""
    form = finder(forms)
    assert (LIMIT in faults_of(form, minutes, filled(form))) is wrong
    assert marked(form, minutes, filled(form))[0]["is_valid"] is not wrong


def test_what_the_files_tell_stands_below_its_field_and_start_waits(
    forms: tuple[Form, ...],
) -> None:
    """In the field's words; the mark beside the field does not say it a second time."""
    form, ahead = finder(forms), Ahead("<x>.csv: name it in Target (--target)", "target", ("odd?",))
    values = filled(form, task="tabular", data="x.csv")
    words = "<x>.csv: name it in Target"
    assert faults_of(form, 60, values, ahead) == {"target": words}
    of_data, of_target = ahead_html(form, ahead)
    assert of_data == "" and "&lt;x&gt;.csv: name it in Target<" in of_target
    assert "odd?" in of_target
    assert [m["message"] for m in marked(form, 60, values, ahead) if not m["is_valid"]] == [""]
    assert "<b>Target</b>: &lt;x&gt;.csv" in faults_html(form, 60, values, ahead)[1]
    assert len(form.beside) == len(ahead_html(form, Ahead())) == 2


def laid_out(folder: Path, *roots: Path, on: str = "") -> RunsPage:
    with gr.Blocks():
        return runs_page(folder / "runs", VisitorsRuns(roots=lambda: roots, on=on))


def test_only_files_that_runs_may_read_are_looked_at(tmp_path: Path) -> None:
    """Whether others are there is not told; nor is a file missed that a cluster may have."""
    own = tmp_path / "own"
    own.mkdir()
    page = laid_out(tmp_path, own)
    said = {
        page.desk.ahead({"task": "tabular", "data": str(path)}).fault
        for path in (tmp_path / "gone.csv", tmp_path, own / ".." / "x.csv")
    }
    assert len(said) == 1 and "outside the folders" in said.pop()
    gone = {"task": "tabular", "data": str(own / "gone.csv")}
    assert "gone.csv does not exist" in page.desk.ahead(gone).fault
    assert page.desk.ahead({"task": "tabular", "data": ""}) == Ahead()
    away = laid_out(tmp_path, own, on="ray://there:10001").desk
    assert away.ahead(gone, "ray://there:10001") == Ahead() and away.ahead(gone).fault


def test_a_check_that_breaks_keeps_no_run_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run itself will say what is wrong."""

    def broken(*_: str) -> Ahead:
        raise MemoryError

    monkeypatch.setattr("app.pages.runs.page.look_ahead", broken)
    desk = laid_out(tmp_path, tmp_path).desk
    assert desk.ahead({"task": "tabular", "data": str(tmp_path / "t.csv")}) == Ahead()
