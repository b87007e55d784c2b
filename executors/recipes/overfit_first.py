"""The recipe "overfit-first": can the network learn a few batches by heart; where is it stuck."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from executors.amounts import show_number, show_rate
from executors.prepare import Prepared, prepare
from executors.recipe import Parameter, Recipe, find_recipe
from executors.recipes._next import follow_up, has_classes, possible
from executors.recipes._shared import BATCH_SIZE, DEVICE, SEED, SIZE, inputs, rate_parameter
from executors.runs.journal import Journal, Outcome
from executors.runs.next_run import NextRun
from executors.runs.stored_findings import Finding, one_line
from executors.task import Settings
from executors.tasks import LEARNER, TASK_NAMES
from executors.training.held_out import beside

if TYPE_CHECKING:
    from executors.recipes._overfit import Few, Held, Network

__all__ = ["RECIPE", "Params", "findings", "run"]

# a GAN's losses are of two networks against each other, and none of them goes to nought
_TASKS = tuple(name for name in TASK_NAMES if name != "gan")
RECIPE = Recipe(
    name="overfit-first",
    title="Overfit first",
    summary=(
        "Trains on a few batches, held fixed, until the loss is close to zero; where it is stuck, "
        "says why, with figures: labels, loss, rate, dead units or inputs. Then how much capacity "
        "overfits the training set, and how to reduce that."
    ),
    tasks=_TASKS,
    concepts=(
        "overfitting",
        "overfit",
        "underfitting",
        "memorisation",
        "memorization",
        "sanity check",
        "model capacity",
    ),
    parameters=(
        *inputs(_TASKS),
        SIZE,
        replace(BATCH_SIZE, default=8, help="fewer samples are learned by heart sooner"),
        Parameter(
            "batches",
            "int",
            2,
            unit="batches",
            minimum=1,
            maximum=1000,
            said=("# fixed batches", "# batches", "few batches #"),
            help="used again and again",
        ),
        Parameter(
            "steps",
            "int",
            200,
            unit="steps",
            minimum=8,
            maximum=1_000_000,
            said=("at most # steps", "# steps"),
            help="at most, for each try",
        ),
        Parameter(
            "seconds",
            "float",
            30.0,
            unit="s",
            minimum=1,
            maximum=86_400,
            said=("for # seconds", "# seconds"),
            help="at most, for each try and for all networks on the whole training set",
        ),
        Parameter(
            "whole",
            "bool",
            True,
            said=("whole training set", "whole data set", "all training data"),
            help="then try networks on the whole training set, smallest first",
        ),
        rate_parameter("empty: the learner's own, else four are tried"),
        DEVICE,
        SEED,
    ),
)
_WAYS = "without augmentation, dropout and weight decay"


@dataclass(frozen=True, slots=True)
class Params:
    """What RECIPE's parameters become."""

    settings: Settings
    size: int | None  # px
    batch_size: int
    batches: int
    steps: int
    seconds: float
    whole: bool
    lr: float | None
    device: str


def run(params: Params, journal: Journal) -> Outcome:
    """Overfit, or say where it is stuck.

    Raises
    ------
    BadParameter, BadInput
        When the parameters or the user's files do not hold up.
    """
    from executors.recipes._overfit import few_batches, whole_set
    from executors.training.regularisers import blends

    ready = prepare(params, journal)
    classes = has_classes(ready.learner)
    own = _own_rate(params, ready)
    few = few_batches(ready, journal, own, params.batches, params.steps, params.seconds)
    tried: list[Network] = []
    held: Held | None = None
    if few.reached and params.whole:
        tried, held = whole_set(ready, journal, few, params.seconds)
    ways = (blends(ready.learner), classes)
    steps = reducing(ready.settings.task, tried, *ways) if held is not None else []
    for step in steps:
        journal.emit("row", table="to reduce overfitting, in this order", **step)
    _write(few, journal)
    values: dict[str, Any] = {
        "verdict": _verdict(few),
        "samples": few.samples,
        "least": None if few.best is None else few.best.least,
        "bounds": asdict(few.limits),
        "tries": [{**asdict(one), "means": list(one.means)} for one in few.tries],
        "causes": [asdict(one) for one in (*few.causes, *few.remarks)],
        "networks": [asdict(one) for one in tried],
        "held_out": None if held is None else asdict(held),
        "reduce": steps,
        **asdict(ready.trained),
        "notes": list(ready.notes),
    }
    message = message_of(few, tried, held, params.seconds, ready.source.train)
    said = findings(few, tried, held)
    code = _code(ready, params, few)
    offers = possible(_offers(params, few, tried, held), classes)
    return Outcome(_finite(values), code, message, ready.settings.task, said, offers)


def _own_rate(params: Params, ready: Prepared) -> float | None:
    """The rate to train with: asked for, or a learner's own; None where neither is."""
    lr = getattr(ready.learner, "lr", None)
    own = float(lr) if ready.settings.task == LEARNER and isinstance(lr, int | float) else None
    return own if params.lr is None else params.lr


def _verdict(few: Few) -> str:
    return "overfits" if few.reached else f"stuck: {few.causes[0].word}"


def findings(few: Few, tried: Sequence[Network], held: Held | None) -> tuple[Finding, ...]:
    """Whether a few batches are learned by heart and by which network all, or why not."""
    best, limits = few.best, few.limits
    figures: dict[str, Any] = {"Verdict": _verdict(few)}
    figures |= {} if best is None else {"Loss": round(best.least, 6), "Steps": best.steps}
    figures |= {"A constant answer": limits.constant}
    if not few.reached:
        words = f"a few batches are not learned by heart: {few.causes[0].words}"
        found = {"verdict": _verdict(few), "causes": [one.word for one in few.causes]}
        return (Finding(one_line(words, 600), figures, found),)
    assert best is not None
    words = f"the network overfits {few.samples} samples: {best}"
    smallest = next((one for one in tried if one.overfits), None)
    if smallest is not None:
        figures["Overfits the training set"] = smallest.arch
        words += f"; {one_line(smallest.arch)} overfits {smallest.samples} training samples"
    values = {"verdict": "overfits", "network": smallest.arch if smallest else None}
    values["value"] = held.value if held is not None else None  # type: ignore[assignment]
    return (Finding(one_line(words, 600), figures, values),)


def message_of(
    few: Few, tried: Sequence[Network], held: Held | None, seconds: float, train: int
) -> str:
    """The reason in a few sentences."""
    limits, best = few.limits, few.best
    start = f"{few.samples} training samples held fixed, {_WAYS}"
    answer = f"{limits.answer} loses {show_number(limits.constant)}"
    if best is None:
        return f"{start}: {answer}. {_said(few)}"
    above = limits.above(best.least) >= 1 and not limits.empty
    lies = ", which is no better" if above else ""
    text = f"{start}: {best}, where {answer}{lies}."
    if limits.floor > 0.01 * abs(limits.constant) and not limits.empty:
        text += f" The loss itself cannot go below {show_number(limits.floor)}."
    text += f" {_said(few)}" if few.causes or few.remarks else ""
    return text + _on_all(tried, seconds, train) + ("" if held is None else _on_others(held))


def _said(few: Few) -> str:
    """What keeps the loss up, and what is worth knowing beside."""
    told = [f"{one.words}. {one.advice[:1].upper()}{one.advice[1:]}." for one in few.causes]
    told += [f"{one.words}; {one.advice}." for one in few.remarks]
    return " ".join(f"{text[:1].upper()}{text[1:]}" for text in told)


def _on_all(tried: Sequence[Network], seconds: float, train: int) -> str:
    if not tried:
        return ""
    last = tried[-1]
    part = f"{last.samples} of {train}" if last.samples < train else f"all {last.samples}"
    if not last.overfits:
        low = min(tried, key=lambda one: one.loss)
        return (
            f" In {seconds:g} s no network tried overfits {part} training samples; "
            f"{low.arch} comes closest, with a loss of {show_number(low.loss)}."
        )
    smallest = (
        " the smallest tried," if len(tried) == 1 else f" the smallest of {len(tried)} tried,"
    )
    return (
        f" On {part} training samples {last.arch},{smallest} overfits too: {last.weights} weights, "
        f"loss {show_number(last.loss)} after {last.steps} steps."
    )


def _on_others(held: Held) -> str:
    losses = f"{show_number(held.train_loss)} in training, {show_number(held.valid_loss)} held out"
    text = f" On {held.held.samples} held-out samples: {beside(held.score, held.value, held.held)} "
    text += f"(loss {losses})."
    if not held.held.beaten(held.value):
        return f"{text} It learned the training samples by heart and nothing that holds for others."
    if held.valid_loss <= held.train_loss:
        return f"{text} There is no overfitting to reduce."
    return f"{text} Reduce the overfitting in the order of the table."


def reducing(
    task: str, tried: Sequence[Network], blended: bool, classes: bool = True
) -> list[dict[str, str]]:
    """The steps by which overfitting is reduced, in order, each with its recipe if any.

    Parameters
    ----------
    blended : bool
        Whether MixUp, the augmentation that a recipe has, means something for this data.
    classes : bool
        Whether there are classes, whose labels can be doubted.
    """
    arch = next(one.arch for one in tried if one.overfits)
    steps = (
        ("more data", "clean-data", "finds wrong labels and copies in what there is"),
        ("augmentation", "regularise", "mixup blends images as they are trained on"),
        ("an architecture that generalises", "training-flow", "trains another one, pretrained"),
        ("regularisation", "regularise", "weight decay, dropout, label smoothing side by side"),
        ("less complexity", "training-flow", f"{arch} is enough to overfit; try a smaller one"),
    )
    able = {"augmentation": blended, "more data": classes}
    rows = []
    for step, recipe, why in steps:
        does = task in find_recipe(recipe).tasks and able.get(step, True)
        rows.append({"step": step, "recipe": recipe if does else "", "why": why if does else ""})
    return rows


def _offers(
    params: Params, few: Few, tried: Sequence[Network], held: Held | None
) -> Iterator[NextRun | None]:
    """What to run next, the best first."""
    if not few.reached:
        yield from _unstuck(params, few)
        return
    arch = next((one.arch for one in tried if one.overfits), "")
    known = {"arch": arch} if arch and arch[0].isdigit() and " " not in arch else {}
    if held is not None and not held.held.beaten(held.value):
        yield follow_up(RECIPE, params, "clean-data", "what was learned does not hold for others")
    yield follow_up(RECIPE, params, "training-flow", "the network can learn: train it", **known)
    if held is not None:
        yield follow_up(RECIPE, params, "regularise", "it overfits the training set", **known)


def _unstuck(params: Params, few: Few) -> Iterator[NextRun | None]:
    cause = few.causes[0]
    best = few.best
    if cause.word == "labels":
        yield follow_up(RECIPE, params, "clean-data", "labels contradict each other")
    elif cause.word == "rate":
        if best is not None and best.ended == "reached":
            why = f"at {show_rate(best.lr)} it gets there"
            yield follow_up(RECIPE, params, RECIPE.name, why, lr=best.lr)
        yield follow_up(RECIPE, params, "lr-find", "the rate keeps the loss up")
    elif cause.word == "dead units":
        yield follow_up(RECIPE, params, "init-check", "units are dead: compare ways to start")
    elif cause.word == "steps":
        why, longer = "the loss was still falling", min(4 * params.steps, 1_000_000)
        yield follow_up(RECIPE, params, RECIPE.name, why, steps=longer, seconds=4 * params.seconds)


def _write(few: Few, journal: Journal) -> None:
    """The tries as a table and a picture."""
    from executors.training.plots import plot_tries

    head = ["rate", "steps", "first loss", "last loss", "lowest loss", "ended", "seconds"]
    rows = (
        [one.lr, one.steps, one.first, one.last, one.least, one.ended, one.seconds]
        for one in few.tries
    )
    journal.table("tries.csv", "every training on the few batches", head, rows)
    if few.tries:
        picture = journal.folder / "overfit.png"
        plot_tries(picture, few.tries, few.limits)
        journal.artifact(picture, "the loss on the few batches, try by try")


def _finite(value: Any) -> Any:
    """Values in terms of JSON: what is no number is None."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    broken = isinstance(value, float) and value - value != 0
    return None if broken else value


def _code(ready: Prepared, params: Params, few: Few) -> str:
    """The same on fixed batches, to paste."""
    lr = few.best.lr if few.best is not None else 1e-3
    passes = -(-params.steps // params.batches)
    return ready.snippet() + _SNIPPET.format(batches=params.batches, passes=passes, lr=lr)


_SNIPPET = """
# a few batches, always the same, and nothing that holds the network back
fixed = [batch for _, batch in zip(range({batches}), learn.dls.train)]
learn.dls = DataLoaders(fixed, fixed)
for module in learn.model.modules():
    if isinstance(module, (nn.Dropout, nn.Dropout1d, nn.Dropout2d)):
        module.p = 0.
learn.unfreeze()
learn.fit({passes}, {lr!r}, wd=0)
"""
