"""What is wrong with a filled form, in plain words, for each field that has it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from app.pages.runs.follow import LONGEST_MINUTES, seconds
from app.pages.runs.forms import BESIDE, Form, field_label, is_for, shown_first
from app.wording import on_a_page
from executors.ahead import Ahead
from executors.errors import BadParameter
from executors.parameters import Parameter, check_value, expected

__all__ = ["ahead_html", "faults_html", "faults_of", "marked"]

LIMIT = "Time limit"
NOTHING = Ahead()


def faults_of(
    form: Form, minutes: object, values: Sequence[object], ahead: Ahead = NOTHING
) -> dict[str, str]:
    """What each wrong field needs instead, by the parameter's name, the time limit under `LIMIT`.

    Fields that are not for the chosen task do not count; `ahead` is what the files tell.
    """
    pairs = list(zip(form.recipe.parameters, values, strict=True))
    task = next((str(value or "") for parameter, value in pairs if parameter.name == "task"), "")
    faults = {
        parameter.name: f"This needs {expected(parameter)}."
        for parameter, value in pairs
        if is_for(parameter, task) and not _fits(parameter, value)
    }
    if ahead.fault:
        faults.setdefault(ahead.parameter, on_a_page(ahead.fault))
    try:
        seconds(minutes)
    except BadParameter:
        faults[LIMIT] = f"This needs a number above 0, at most {LONGEST_MINUTES} minutes."
    return faults


def marked(
    form: Form, minutes: object, values: Sequence[object], ahead: Ahead = NOTHING
) -> list[Any]:
    """The faults as gradio puts them beside what Start takes, see `Form.inputs`.

    What the files tell stands there already, see `ahead_html`.
    """
    own, faults = faults_of(form, minutes, values), faults_of(form, minutes, values, ahead)
    names = [LIMIT, "", "", "", *(parameter.name for parameter in form.recipe.parameters)]
    return [gr.validate(name not in faults, own.get(name, "")) for name in names]


def faults_html(
    form: Form, minutes: object, values: Sequence[object], ahead: Ahead = NOTHING
) -> list[Any]:
    """Opens "More settings" where a wrong field is in it; says above Start why nothing began."""
    faults = faults_of(form, minutes, values, ahead)
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


def ahead_html(form: Form, ahead: Ahead) -> list[str]:
    """What the files tell, for below each field of `BESIDE` that the form has."""
    names = [name for name in BESIDE if any(p.name == name for p in form.recipe.parameters)]
    lines = dict.fromkeys(names, "")
    if ahead.fault and ahead.parameter in lines:
        lines[ahead.parameter] = f'<p class="g-error">{escape(on_a_page(ahead.fault))}</p>'
    for doubt in ahead.doubts if names else ():
        lines[names[-1]] += f'<p class="g-doubt">{escape(on_a_page(doubt))}</p>'
    return [*lines.values()]


def _fits(parameter: Parameter, value: object) -> bool:
    try:
        check_value(parameter, value)
    except (ValueError, OverflowError):
        return False
    return True
