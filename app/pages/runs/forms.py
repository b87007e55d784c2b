"""The forms of the Runs page: one for each recipe, showing the parameters of the chosen task."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.pages.quiet import AT_ONCE
from executors.cluster_address import HERE
from executors.parameters import bounds, title
from executors.recipe import Parameter, Recipe
from executors.runs.track import installed_trackers
from executors.tasks import IMAGE_TASKS, TASK_NAMES, TEXT_TASKS, find_task

__all__ = [
    "BESIDE",
    "LIMIT_MINUTES",
    "Form",
    "field_label",
    "in_order",
    "is_for",
    "lay_out",
    "named",
    "preset",
    "show_task",
    "shown_first",
]

LIMIT_MINUTES = 60
_ORDER = (  # as the work goes: prepare, train, look closer
    "batch-size",
    "lr-find",
    "overfit-first",
    "training-flow",
    "progressive-resizing",
    "mixed-precision",
    "clean-data",
    "init-check",
    "regularise",
    "free-memory",
)
_BASIC = (
    "task",
    "data",
    "target",
    "learner",
    "encoder",
    "size",
    "sizes",
    "phase",
    "precision",
    "epochs",
)
BESIDE = ("data", "target")  # parameters whose files tell what is wrong before a run does
_KINDS = {
    "images": IMAGE_TASKS,
    "texts": TEXT_TASKS,
    "tables": ("tabular",),
    "ratings": ("collaborative-filtering",),
    "of ratings": ("collaborative-filtering",),
    "of a language model": ("language-model",),
}


@dataclass(frozen=True, slots=True)
class Form:
    """One recipe with the input of each of its parameters, and a line on what its task expects."""

    recipe: Recipe
    group: gr.Column
    expects: gr.Markdown | None  # None: a recipe without a task
    fields: tuple[Any, ...]
    beside: tuple[gr.HTML, ...]  # what the files tell, below the fields `BESIDE`
    more: gr.Accordion
    limit: gr.Number
    tracker: gr.Dropdown
    after: gr.State  # id of the run that this one goes on from
    on: gr.Dropdown  # the machine or cluster
    at_hand: gr.HTML  # what the cluster has
    plan: gr.HTML  # what Start would do
    faults: gr.HTML  # why it did nothing
    button: gr.Button

    def inputs(self) -> list[Any]:
        """What Start takes: limit, tracker, the run before, where, every field."""
        return [self.limit, self.tracker, self.after, self.on, *self.fields]


def in_order(known: Sequence[Recipe]) -> list[Recipe]:
    """The recipes as the page lists them: in the order of the work, others' last."""
    rank = {name: n for n, name in enumerate(_ORDER)}
    return sorted(known, key=lambda recipe: rank.get(recipe.name, len(rank)))


def lay_out(recipe: Recipe, *, shown: bool, on: str = "") -> Form:
    """Lay out a recipe's form: what decides first, the rest under "More settings".

    Where the server has a cluster, `on` is its address, and one chooses between it and here.
    """
    task = _default_task(recipe)
    with gr.Column(visible=shown, elem_id=f"form-{recipe.name}") as group:
        gr.Markdown(recipe.summary, elem_classes="g-summary")
        first = shown_first(recipe)
        expects, fields, beside = None, {}, []
        for parameter in recipe.parameters:
            if parameter.name in first:
                fields[parameter.name] = _field(recipe.name, parameter, task)
                if parameter.name == "task":
                    expects = gr.Markdown(_expects(task), elem_classes="g-quiet g-expects")
                if parameter.name in BESIDE:
                    beside.append(gr.HTML("", padding=False, elem_classes="g-ahead"))
        with gr.Accordion("More settings", open=False) as more:
            rest = [p for p in recipe.parameters if p.name not in first]
            fields |= {p.name: _field(recipe.name, p, task) for p in rest}
            limit = gr.Number(
                LIMIT_MINUTES,
                label="Time limit, minutes",
                info="above 0; the run is then ended; waiting for its turn does not count",
            )
            tracker = _tracker()
            where = gr.Dropdown(
                [(f"the cluster {on}", on), ("this machine", HERE)],
                value=on,
                label="Run on",
                info="on a cluster, Ray chooses the node and the card",
                visible=bool(on),
            )
            at_hand = gr.HTML("", padding=False, elem_classes="g-at-hand")
        plan = gr.HTML("", padding=False)
        faults = gr.HTML("", padding=False, elem_classes="g-faults")
        button = gr.Button("Start", variant="primary", elem_id=f"start-{recipe.name}")
    form = Form(
        recipe,
        group,
        expects,
        tuple(fields[p.name] for p in recipe.parameters),
        tuple(beside),
        more,
        limit,
        tracker,
        gr.State(""),
        where,
        at_hand,
        plan,
        faults,
        button,
    )
    if expects is not None:
        task_shown = [expects, *form.fields]
        fields["task"].input(show_task(form), fields["task"], task_shown, **AT_ONCE)
    return form


def shown_first(recipe: Recipe) -> set[str]:
    """The parameters whose fields stand above "More settings"."""
    basic = {p.name for p in recipe.parameters if p.name in _BASIC}
    return basic or {p.name for p in recipe.parameters[:4]}


def show_task(form: Form) -> Any:
    """A function from a task's name to what its form shows: what it expects, its own fields."""

    def shown(task: str) -> list[Any]:
        fields = [
            gr.update(visible=is_for(p, task), info=_help(p, task)) for p in form.recipe.parameters
        ]
        return [_expects(task), *fields]

    return shown


def named(form: Form, values: Sequence[object]) -> dict[str, object]:
    """The form's values by parameter, without what is not for the chosen task."""
    pairs = list(zip(form.recipe.parameters, values, strict=True))
    task = next((str(value or "") for parameter, value in pairs if parameter.name == "task"), "")
    return {parameter.name: value for parameter, value in pairs if is_for(parameter, task)}


def preset(
    forms: Sequence[Form], recipe: str, values: Mapping[str, object], after: str = ""
) -> list[Any]:
    """Updates that choose the recipe and fill its fields with values or defaults, for its task.

    In order: the choice, each form's visibility, each form's line on its task, every field,
    each form's run before. A recipe without a form changes nothing.
    """
    expects: list[Any] = []
    fields: list[Any] = []
    if recipe not in {form.recipe.name for form in forms}:
        lines = sum(form.expects is not None for form in forms)
        return [gr.skip()] * (1 + 2 * len(forms) + lines + sum(len(form.fields) for form in forms))
    for form in forms:
        chosen = form.recipe.name == recipe
        task = _preset_task(form.recipe, values)
        if form.expects is not None:
            expects.append(_expects(task) if chosen else gr.skip())
        for parameter, field in zip(form.recipe.parameters, form.fields, strict=True):
            given = values.get(parameter.name, parameter.default)
            value = _field_value(parameter, field, given)
            shown = {"visible": is_for(parameter, task), "info": _help(parameter, task)}
            fields.append(gr.update(value=value, **shown) if chosen else gr.skip())
    return [
        recipe,
        *(gr.update(visible=form.recipe.name == recipe) for form in forms),
        *expects,
        *fields,
        *(after if form.recipe.name == recipe else gr.skip() for form in forms),
    ]


def _default_task(recipe: Recipe) -> str:
    return next((str(p.default) for p in recipe.parameters if p.name == "task"), "")


def _preset_task(recipe: Recipe, values: Mapping[str, object]) -> str:
    given = str(values.get("task") or "")
    return given if given in recipe.tasks else _default_task(recipe)


def is_for(parameter: Parameter, task: str) -> bool:
    """Whether the form shows the parameter for the task."""
    return not parameter.tasks or not task or task in parameter.tasks


def _expects(task: str) -> str:
    return find_task(task).EXPECTS if task in TASK_NAMES else ""


def _help(parameter: Parameter, task: str) -> str | None:
    """The parameter's help, or of "images: ...; texts: ..." the task's part alone; its bounds."""
    parts = parameter.help.split("; ")
    by_kind = [(part, *part.partition(": ")[::2]) for part in parts]
    for_task = [words for _, kind, words in by_kind if task in _KINDS.get(kind, ())]
    for_all = [part for part, kind, _ in by_kind if kind not in _KINDS]
    return "; ".join(filter(None, [*(for_task or for_all), bounds(parameter)])) or None


def field_label(parameter: Parameter) -> str:
    """What stands above the parameter's field: its title, and its unit where that says more."""
    label = title(parameter.name)
    measured = parameter.type not in ("str", "path") or parameter.unit == "bytes"
    if (
        measured
        and parameter.unit
        and (len(parameter.unit) < 3 or parameter.unit not in label.lower())
    ):
        label += f", {parameter.unit}"
    return label


def _field(recipe: str, parameter: Parameter, task: str) -> Any:
    shown: dict[str, Any] = {
        "label": field_label(parameter),
        "info": _help(parameter, task),
        "visible": is_for(parameter, task),
    }
    if parameter.type == "choice":
        # One of several cards is named by its number, as in cuda:1.
        shown["allow_custom_value"] = parameter.name == "device"
        return gr.Dropdown(_choices(parameter), value=_text(parameter.default), **shown)
    if parameter.type == "bool":
        return gr.Checkbox(bool(parameter.default), **shown)
    is_found = parameter.type in ("int", "float", "sizes") and not parameter.default
    hint = "automatic" if is_found else ""
    if parameter.name == "data":
        hint = "the built-in sample"
    if parameter.type == "path":
        shown |= _chosen(recipe, parameter)
    return gr.Textbox(_text(parameter.default), placeholder=hint, lines=1, max_lines=1, **shown)


def _chosen(recipe: str, parameter: Parameter) -> dict[str, Any]:
    """What lets a path be chosen from what there is, see `app.pages.runs.chooser`."""
    name = f"field-{recipe}-{parameter.name}"
    words = ", ".join(
        json.dumps(value)
        for value in (name, title(parameter.name), parameter.unit == "file.py:function")
    )
    button = gr.Button("Choose", size="sm", render=False)
    button.click(
        None, None, None, js=f"() => {{ window.gradus.choose({words}); }}", api_visibility="private"
    )
    return {"elem_id": name, "buttons": [button]}


def _tracker() -> gr.Dropdown:
    """Where a run is also sent; hidden where no tracker is installed."""
    installed = installed_trackers()
    return gr.Dropdown(
        [("nowhere else", ""), *((name, name) for name in installed)],
        value="",
        label="Send the run to",
        info="once it has ended; its result then says where to look",
        visible=bool(installed),
    )


def _choices(parameter: Parameter) -> list[Any]:
    """The choices as a dropdown takes them; tasks by their titles."""
    if parameter.name == "task" and {*parameter.choices} <= {*TASK_NAMES}:
        return [(find_task(name).TITLE, name) for name in parameter.choices]
    return list(parameter.choices)


def _field_value(parameter: Parameter, field: Any, given: object) -> object:
    """A value as the field takes it; what a choice does not have becomes its default."""
    if isinstance(field, gr.Checkbox):
        return str(given).lower() in ("true", "yes", "on", "1")
    if isinstance(field, gr.Dropdown):
        taken = given in parameter.choices or field.allow_custom_value
        return given if taken else parameter.default
    return _text(given)


def _text(value: object) -> str:
    if value is None:
        return ""
    return ", ".join(str(v) for v in value) if isinstance(value, list | tuple) else str(value)
