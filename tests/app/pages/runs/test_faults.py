"""A wrong field is told what it needs, in words that name no program's part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from app.pages.runs.faults import LIMIT, faults_html, faults_of, marked
from app.pages.runs.forms import Form
from app.pages.runs.page import runs_page
from app.visitors_runs import VisitorsRuns
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
