"""What is wrong with a filled form, in plain words, for each field that has it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from app.pages.runs.follow import LONGEST_MINUTES, seconds
from app.pages.runs.forms import Form, field_label, is_for, shown_first
from executors.errors import BadParameter
from executors.parameters import Parameter, check_value, expected

__all__ = ["faults_html", "faults_of", "marked"]

LIMIT = "Time limit"


def faults_of(form: Form, minutes: object, values: Sequence[object]) -> dict[str, str]:
    """What each wrong field needs instead, by the parameter's name, the time limit under `LIMIT`.

    Fields that are not for the chosen task do not count.
    """
    pairs = list(zip(form.recipe.parameters, values, strict=True))
    task = next((str(value or "") for parameter, value in pairs if parameter.name == "task"), "")
    faults = {
        parameter.name: f"This needs {expected(parameter)}."
        for parameter, value in pairs
        if is_for(parameter, task) and not _fits(parameter, value)
    }
    try:
        seconds(minutes)
    except BadParameter:
        faults[LIMIT] = f"This needs a number above 0, at most {LONGEST_MINUTES} minutes."
    return faults


def marked(form: Form, minutes: object, values: Sequence[object]) -> list[Any]:
    """The faults as gradio puts them beside what Start takes, see `Form.inputs`."""
    faults = faults_of(form, minutes, values)
    names = [LIMIT, "", "", "", *(parameter.name for parameter in form.recipe.parameters)]
    return [gr.validate(name not in faults, faults.get(name, "")) for name in names]


def faults_html(form: Form, minutes: object, values: Sequence[object]) -> list[Any]:
    """Opens "More settings" where a wrong field is in it; says above Start why nothing began."""
    faults = faults_of(form, minutes, values)
    if not faults:
        return [gr.skip(), ""]
    labels = {parameter.name: field_label(parameter) for parameter in form.recipe.parameters}
    lines = "".join(
        f"<li><b>{escape(labels.get(name, name))}</b>: {escape(words)}</li>"
        for name, words in faults.items()
    )
    hidden = faults.keys() - shown_first(form.recipe)
    said = f'<div class="g-error" role="alert">Not started:<ul>{lines}</ul></div>'
    return [gr.update(open=True) if hidden else gr.skip(), said]


def _fits(parameter: Parameter, value: object) -> bool:
    try:
        check_value(parameter, value)
    except (ValueError, OverflowError):
        return False
    return True
