"""Every sentence that a recipe can say is provoked once, where it is true, and says why.

A sentence without a row here fails `test_every_sentence_is_provoked`: what is said stands in the
functions that give text, which are found by their types.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from executors.batch_size.advice import Plan, findings, reason_words
from executors.batch_size.search import Case, Trial
from executors.errors import RecipeError
from executors.learning_rate import find, suggest
from executors.learning_rate.race import Race
from executors.learning_rate.race import Trial as Short
from executors.learning_rate.sweep import Sweep
from executors.prepare import _check_batch, _smaller
from executors.recipes import (
    batch_size,
    clean_data,
    free_memory,
    init_check,
    lr_find,
    mixed_precision,
    overfit_first,
    progressive_resizing,
    regularise,
    training_flow,
)
from executors.recipes._overfit import Few, Held, Network
from executors.task import Settings, Source
from executors.training.fit import Epoch, Score
from executors.training.held_out import HeldOut, beside
from executors.training.stuck import (
    Bounds,
    Cause,
    Facts,
    Inputs,
    Labels,
    Quiet,
    Tail,
    Try,
    causes,
    norm_cause,
    rate_cause,
)
from executors.training.verdicts import Verdict, verdict

ROOT = Path(training_flow.__file__).parents[1]
SCORE, LOSS = Score("accuracy", True), Score("valid_loss", False)
MANY = HeldOut(1000, share=True, constant=0.4, answer="always answering a")
FEW = HeldOut(12, share=True, constant=0.5, answer="always answering a")
UNKNOWN = HeldOut(100, higher_is_better=False)


def fits(*scores: float, held: HeldOut = MANY, train: float = 0.1, score: Score = SCORE) -> str:
    epochs = [
        Epoch("all", n, train, 0.2 if score is SCORE else value, {"accuracy": value}, 1)
        for n, value in enumerate(scores, start=1)
    ]
    found = verdict(epochs, score, held)
    return f"{found.word}: {found.reason}; {found.advice}"


def smaller(train: int, asked: int) -> str:
    return " ".join(_smaller(Source("mine", train, 9, (), None), asked)[1])


def unshrunk(train: int, asked: int) -> str:
    _check_batch(Source("mine", train, 9, (), None), asked)
    return ""


def row(name: str, score: float, train: float = 0.1, valid: float = 0.2) -> regularise.Row:
    return regularise.Row(name, score, 0.0, valid, train)


def regularised(
    *scores: float, chance: float | None = 0.05, held: HeldOut = MANY, train: float = 0.1
) -> str:
    names = ("none", "mixup 0.4", "dropout 0.5")
    rows = [row(name, score, train) for name, score in zip(names, scores, strict=False)]
    best = max(rows, key=lambda one: one.score)
    said = regularise.findings(rows, best, chance, "accuracy", True, held.constant)
    words = " ".join(f"{one.words} {[*one.figures]}" for one in said)
    return f"{regularise._message(rows, best, chance, 'accuracy', held)} {words}"


def grown(score: float, seconds: float, other: float | None = None, held: HeldOut = MANY) -> str:
    way = progressive_resizing.Way
    ways = [way("32 px then 64 px", seconds, score, 0.1)]
    ways += [] if other is None else [way("64 px throughout", 100, other, 0.1)]
    said = progressive_resizing.findings(ways, "accuracy", held.constant)[0].words
    return f"{progressive_resizing._message(ways, SCORE, (32, 64), held)} {said}"


def precise(
    *rows: tuple[str, float, float | None], best: str, held: HeldOut = MANY, able: bool = True
) -> str:
    made = [
        mixed_precision.Row(name, speed, 10**6, score, None if score is None else 0.1)
        for name, speed, score in rows
    ]
    said = mixed_precision.findings(made, best, "accuracy", able, held.constant)
    return f"{mixed_precision._message(made, best, 'accuracy', held, able)} {said[0].words}"


PLAIN = ("float32", 100.0, 0.9)


def planned(
    bound: str = "memory",
    largest: int = 64,
    recommended: int = 16,
    loader: float = 0,
    effective: int | None = None,
    train: int = 1000,
    size: int | None = None,
    failed: str = "",
) -> str:
    trials = [Trial(batch, size, True, 900, 800, 100.0) for batch in (recommended, largest)]
    trials += [Trial(largest + 8, size, False, reason=failed)] if failed else []
    plan = Plan(Case(size), trials[1], trials[0], bound, loader, tuple(trials))
    said = " ".join(f"{one.words} {[*one.figures]}" for one in findings([plan, plan], plan))
    return f"{reason_words([plan], plan, 1000, 10**9, effective, train)} {said}"


def trouble(*words: str, throughout: bool = True) -> list[Any]:
    return [init_check.Trouble(word, "0.4", "Linear", throughout) for word in words]


def initialised(wrong: list[Any], mended: bool, pretrained: bool) -> str:
    summary = init_check._Summary(8, 1.0, 0.1, 0.1, 1.0, 0.1, None)
    ways = {"as built": wrong, "Kaiming": wrong, "LSUV": [] if mended else wrong}
    said = init_check.findings(ways, pretrained, (0.1, 1.0))
    return f"{init_check._message(summary, ways, pretrained)} {said[0].words} {[*said[0].figures]}"


def held_memory(**held: int) -> str:
    steps = free_memory._Steps("cpu", None)  # type: ignore[arg-type]
    steps.rows = [free_memory._Row(name, 9, 0, 9, 9) for name in ("built", "trained", "gone")]
    return f"{free_memory._message(held, 10, steps)} {free_memory.findings(held, 7)[0].words}"


def doubted(*proposals: str, copies: bool = False, reached: float = 0.9) -> str:
    doubts = [
        clean_data.Doubt(f"{n}.png", "keep", proposal, "a", "b", 0.1, 3, "train", "90% b, 1% a")
        for n, proposal in enumerate(proposals)
    ]
    groups = [[Path("a/1.png"), Path("b/1.png")]] if copies else []
    rows = [str(row) for row in clean_data._copy_rows(groups, doubts)]
    said = clean_data.findings(doubts, len(groups))[0]
    text = clean_data._message(doubts, groups, 90) + clean_data._worth("accuracy", reached, MANY)
    return f"{text} {said.words} {[*said.figures]} {rows}"


def raced(*trials: tuple[float, float], before: float = 2.0, batches: int = 50) -> str:
    """What a race of (rate, loss) adds; a loss of infinity has diverged."""
    shorts = tuple(
        Short(rate, batches, loss, 9, "done" if loss < float("inf") else "diverged")
        for rate, loss in trials
    )
    race = Race(shorts, before, 300, 1.0)
    advice = suggest.Advice({"valley": 1e-3}, None, 1e-2, "read", 1e-2)
    found = find._judged(find.Found(1e-2, "read", advice, (), None, ()), race)
    return f"{found.reason} {' '.join(found.seen)}"


def seen(ended: str, flat: bool) -> str:
    advice = suggest.Advice({}, None, 1e-2, "read", 1e-2, flat)
    sweep = Sweep((1e-3, 1e-2), (1.0, 1.0), (1.0, 1.0), ended)
    return " ".join(find._seen(advice, (sweep,)))


RATES = [10 ** (-7 + 8 * n / 99) for n in range(100)]


def curve(shape: Callable[[float], float], points: int = 100, **given: Any) -> str:
    rates = RATES[:points]
    losses = [shape(rate) for rate in rates]
    given = {"sliced": False, "num_it": 100} | given
    return suggest.advise(rates, losses, losses, **given).reason


def falls(rate: float) -> float:
    """Falls to .5 at a rate of 1 and has no end that explodes."""
    return 2 - 1.5 * min(1.0, rate)


def explodes(rate: float) -> float:
    """Falls from 1e-3 on, explodes beyond a rate of 1."""
    return 2 - 100 * min(rate, 0.01) + (50 * rate if rate > 1 else 0)


def lucky(rate: float) -> float:
    """Is lowest far below where it explodes."""
    return 1.0 if 1e-5 < rate < 2e-5 or 1.1e-5 < rate < 5e-5 else 2.0 + (50 if rate > 1 else 0)


def flat(rate: float) -> float:
    return 1.0 + (50 if rate > 1 else 0)


def noted(device: str, finite: bool) -> str:
    trial = Trial(8, None, True, finite=finite)
    return " ".join(batch_size._notes(device, [trial]))


def cases(precision: str, able: tuple[str, ...]) -> str:
    params = batch_size.Params(None, (), precision, "unfrozen", None, 0.1, "", 64, 9, "cpu")  # type: ignore[arg-type]
    return " ".join(batch_size._cases(params, (None,), able, "cpu")[1])


class Group:
    """What the phases of a sweep ask of a learner."""

    def __init__(self, pretrained: bool) -> None:
        self.pretrained = pretrained


def phases(asked: str, groups: int) -> str:
    return " ".join(lr_find._phases(asked, Group(False), groups)[1])  # type: ignore[arg-type]


LIMITS = Bounds(0.0, 0.7, "always answering a")


def tried(ended: str, lr: float = 0.01, least: float = 0.6, late: bool = False) -> Try:
    return Try(lr, 40, 0.7, (0.7, least), ended, 1.0, late)


def few(
    found: tuple[Cause, ...], *tries: Try, limits: Bounds = LIMITS, used: tuple[Cause, ...] = ()
) -> Few:
    return Few(16, limits, tries, found, used)


def stuck(targets: int = 2, **found: Any) -> str:
    given: dict[str, Any] = {"bounds": LIMITS, "tries": (tried("stuck"),), "targets": targets}
    facts = Facts(**given | {"weights": 20, "shapes": ("8 × 1", "8")} | found)
    what = few(causes(facts), *facts.tries, limits=facts.bounds)
    said = overfit_first.message_of(what, [], None, 9, 50)
    return f"{said} {overfit_first.findings(what, [], None)[0].words}".lower()


def rated(ended: str, lr: float = 1e-8) -> str:
    cause = rate_cause(tried(ended, lr), tried("reached", 0.01))
    return f"{cause.words}; {cause.advice}"


def norm(used: float) -> str:
    cause = norm_cause(0.02, used, LIMITS, 2)
    if cause is None:
        return ""
    what = few((), tried("reached"), used=(cause,))
    return overfit_first.message_of(what, [], None, 9, 50).lower()


def network(arch: int, overfits: bool = True) -> Network:
    return Network(str(arch), 9, 50, 0.01, 30, 1.0, overfits)


def holding(value: float, valid: float = 0.3) -> Held:
    return Held("accuracy", value, 0.01, valid, MANY)


def overfitted(
    *archs: int,
    floor: float = 0.0,
    ends: bool = True,
    train: int = 50,
    held: float | None = None,
    valid: float = 0.3,
) -> str:
    what = few((), tried("reached", least=0.01), limits=Bounds(floor, 0.7, "always answering a"))
    networks = [network(arch, ends and arch == archs[-1]) for arch in archs]
    others = None if held is None else holding(held, valid)
    said = overfit_first.message_of(what, networks, others, 9, train)
    return f"{said} {overfit_first.findings(what, networks, others)[0].words}".lower()


def reducing(task: str, classes: bool = True) -> list[dict[str, str]]:
    blended = task == "image-classification"
    return overfit_first.reducing(task, [network(8)], blended, classes)


def lines(offers: Any) -> str:
    return " ".join(f"{one.recipe} {one.why} {one.params}" for one in offers if one is not None)


def after(word: str, task: str = "tabular", longer: bool = False, classes: bool = True) -> str:
    params = training_flow.Params(Settings(task), None, None, 1, 5, 3, None, "auto")
    return lines(training_flow.next_runs(params, Verdict(word, "", "", longer), 7, classes))


FIRST = overfit_first.Params(Settings("tabular"), None, 8, 2, 200, 30.0, True, None, "auto")


def unstuck(word: str, ended: str = "stuck") -> str:
    return lines(overfit_first._offers(FIRST, few((Cause(word, "", ""),), tried(ended)), [], None))


def freed(held: float | None) -> str:
    others = None if held is None else holding(held)
    return lines(overfit_first._offers(FIRST, few((), tried("reached")), [network(8)], others))


Row = tuple[Callable[[], str], list[str], list[str]]

# what is called, what it says then, and what it must not say
VERDICTS: list[Row] = [
    (lambda: beside("accuracy", 0.5, MANY), ["(0.469 to 0.531 at 95 %)", "a scores 0.4"], []),
    (lambda: beside("loss", 0.5, UNKNOWN), ["no constant answer could be judged"], ["at 95 %"]),
    (lambda: fits(0.8, 0.9, 0.9), ["nothing is urgent", "was best in epoch 2 (0.9)"], []),
    (lambda: fits(0.9), ["the only epoch, which shows no trend", "see one"], ["urgent"]),
    (lambda: fits(0.5, 0.9), ["the last, and was still getting better", "more epochs"], []),
    (
        lambda: fits(0.9, 0.7, 0.6),
        [
            "is 0.6 after 2 more epochs, worse by more than chance (0.01",
            "recipe regularise",
            "of epoch 1",
        ],
        ["fits"],
    ),
    (
        lambda: fits(2.0, 1.0, 1.5, 1.6, held=UNKNOWN, score=LOSS),
        ["overfitting", "worse by more than a fiftieth (0.02)"],
        ["chance"],
    ),
    (
        lambda: fits(0.9, 0.9, train=0.9),
        [
            "underfitting",
            "the training loss (0.9) ends above the validation loss (0.2)",
            "train longer",
        ],
        [],
    ),
    (lambda: fits(0.9, 0.9, train=0.203), ["fits"], ["underfitting"]),
    (
        lambda: fits(float("nan")),
        ["is not a number after epoch 1, whose weights are saved"],
        ["fits"],
    ),
    (
        lambda: fits(1.0, held=FEW),
        ["12 held-out samples are too few", "hold out 20 samples"],
        ["fits"],
    ),
    (
        lambda: fits(0.41, 0.41),
        [
            "always answering a scores 0.4 on the same 1000 held-out samples, and the model 0.41, "
            "which is not better by more than chance",
            "train longer or at another rate",
        ],
        ["fits", "worse"],
    ),
    (lambda: fits(0.3, 0.3), ["0.3, which is worse"], ["fits"]),
    (lambda: fits(0.4, 0.4), ["which is the same"], ["worse"]),
    (lambda: fits(0.1, 0.41), ["train for more epochs, because it was still getting better"], []),
    (
        lambda: smaller(66, 64),
        [
            "the batch is 16, not 64: of 66 training samples 64 at a time make 1 full batch "
            "an epoch, "
            "and 16 at a time 4 full batches"
        ],
        [],
    ),
    (lambda: smaller(26, 8), ["8 at a time make 3 full batches"], ["no "]),
    (lambda: smaller(26, 64), ["64 at a time make no full batches an epoch"], []),
    (lambda: smaller(3, 64), ["3 samples to train on; at least 4 are needed"], []),
    (lambda: unshrunk(26, 64), ["26 samples to train on are fewer than one batch of 64"], []),
]
COMPARED: list[Row] = [
    (
        lambda: regularised(0.8, 0.9),
        [
            "Mixup 0.4 is best with 0.9, more than chance explains (0.05)",
            "mixup 0.4 helps: accuracy 0.9",
        ],
        ["no clear"],
    ),
    (
        lambda: regularised(0.8, 0.82),
        [
            "no more than chance explains",
            "no way is clearly better",
            "makes no clear difference",
            "Best, by no more than chance",
        ],
        ["helps"],
    ),
    (
        lambda: regularised(0.8, 0.82, train=0.5),
        ["and the training loss is not below the held-out loss"],
        [],
    ),
    (
        lambda: regularised(0.8, 0.6),
        [
            "Nothing tried is better.",
            "hurts",
            "nothing tried is better than no regularisation (accuracy 0.8, a constant answer 0.4)",
        ],
        [],
    ),
    (
        lambda: regularised(0.8, 0.6, train=0.5),
        ["the training loss is not below the held-out loss, so train longer first"],
        [],
    ),
    (
        lambda: regularised(0.3, 0.41),
        ["Nothing tried is better than that by more than chance."],
        ["is best"],
    ),
    (
        lambda: regularised(0.8, 0.9, chance=None),
        ["but how much chance explains is not known: raise repeats"],
        ["helps"],
    ),
    (
        lambda: grown(0.8, 40),
        ["growing from 32 to 64 px reached accuracy 0.8", "in 40 s."],
        ["chance"],
    ),
    (
        lambda: grown(0.9, 40, 0.7),
        ["Growing scored better", "growing took 40% of the time", "Each was trained once"],
        [],
    ),
    (
        lambda: grown(0.7, 200, 0.9),
        ["Here the largest size alone scored better", "2.0 times the time"],
        [],
    ),
    (lambda: grown(0.9, 98, 0.9), ["Both scored the same", "growing saved no time"], ["better"]),
    (lambda: grown(0.9, 98, 0.901), ["The scores differ by no more than chance (0.0"], ["better"]),
    (
        lambda: precise(PLAIN, ("bfloat16", 200, 0.9), best="bfloat16"),
        [
            "bfloat16 2.00 times as fast with 1.00 times the memory",
            "Take bfloat16, whose score is not worse than float32's by more than chance",
            "2 times as fast as float32 with 1 times",
        ],
        [],
    ),
    (
        lambda: precise(PLAIN, ("bfloat16", 200, 0.9), best="bfloat16", held=UNKNOWN),
        ["whose score is not worse than float32's."],
        ["by more than chance"],
    ),
    (
        lambda: precise(PLAIN, ("bfloat16", 50, None), best="float32"),
        [
            "none, because the loss was no longer a number",
            "and its loss was no longer a number",
            "Take float32.",
        ],
        [],
    ),
    (
        lambda: precise(("float32", 100, None), ("bfloat16", 50, 0.9), best="bfloat16"),
        ["whose loss stayed a number"],
        ["not worse"],
    ),
    (
        lambda: precise(PLAIN, best="float32", able=False),
        ["this device has no 16 bits to compare with", "this device has float32 only"],
        [],
    ),
    (
        lambda: precise(PLAIN, best="float32"),
        ["in 16 bits nothing trained here", "and no 16 bits to compare with"],
        ["this device"],
    ),
    (
        lambda: " ".join(mixed_precision._notes("cpu", ("float32", "bfloat16"))),
        [
            "float16 is for CUDA cards; 'cpu' can train in float32 and bfloat16",
            "fastai's to_bf16 works on CUDA cards",
        ],
        [],
    ),
]
FOUND: list[Row] = [
    (
        lambda: (
            training_flow.findings("fits", "accuracy", 0.9, 1, 0.4)[0].words
            + str(training_flow.findings("fits", "accuracy", 0.9, 1, 0.4)[0].figures)
        ),
        ["the model fits, accuracy 0.9, a constant answer 0.4", "A constant answer"],
        [],
    ),
    (
        lambda: initialised([], False, False),
        [
            "As built, deviations run from 0.1 to 1 over 8 layers",
            "the signal neither vanishes nor explodes",
            "Signal as built",
        ],
        ["mend"],
    ),
    (
        lambda: initialised(trouble("vanishing"), True, False),
        ["as built, activations are vanishing from 0.4 on; LSUV fixes it", "the snippet shows how"],
        [],
    ),
    (
        lambda: initialised(trouble("dead", throughout=False), False, True),
        ["dead in 0.4", "so a fresh start would throw away what they know"],
        ["from 0.4 on", "fix"],
    ),
    (
        lambda: held_memory(weights=10, gradients=1),
        [
            "After training the network holds 11 B (weights 10 B, gradients 1 B), the "
            "largest part weights; a step took up to",
            "more than the network as built. Freeing it gave back 0 B of 9 B",
            "are free now",
            "after training the network holds 11 B",
        ],
        [],
    ),
    (
        lambda: doubted("b", "b", "b", "b", copies=True),
        [
            "4 of 90 samples to look at; the most doubtful is 0.png",
            "Another class is proposed for 4",
            "1 file has copies, such as a/1.png and b/1.png",
            "(labelled a, looks like b)",
            "such as 0.png",
            "the same file as a/1.png",
            "To look at",
            "Another class proposed",
            "Files with copies",
            "On 1000 held-out samples, this network reached accuracy 0.9",
        ],
        ["say little"],
    ),
    (
        lambda: doubted("keep", reached=0.41),
        [
            "no sample looks mislabelled; 1 to look at is listed",
            "no better by more than chance, so its doubts say little",
        ],
        [],
    ),
    (
        planned,
        [
            "A batch of 64 is the largest tried that trains within 1 kB; from 16 on (100 "
            "samples/s) "
            "larger batches are at most 5 % faster",
            "(the largest that fits: 64)",
            "Largest that fits",
        ],
        ["does not"],
    ),
    (
        lambda: planned(failed="it took too long"),
        ["within 1 kB (72 does not: it took too long)"],
        [],
    ),
    (
        lambda: planned("data", largest=16),
        [
            "holds the whole training set and takes 900 B of 1 kB; it is also the "
            "fastest, at 100 samples/s"
        ],
        [],
    ),
    (
        lambda: planned("max_batch", effective=128),
        [
            "is as large as max_batch allows and takes",
            "128 are more than max_batch allows: accumulate the gradients of batches of 16",
        ],
        [],
    ),
    (lambda: planned(effective=128), ["128 do not fit at once"], []),
    (lambda: planned("data", effective=128), ["128 are too many"], []),
    (lambda: planned(largest=16), ["batch size 16 (the largest that fits)"], []),
    (
        lambda: planned(loader=50.0),
        [
            "Epochs are loader-bound: the loader gives 50 samples/s where the step could "
            "take 100; num_workers=",
            "smaller files help more than a larger batch",
        ],
        [],
    ),
    (
        lambda: planned(loader=500.0),
        [
            "Epochs are compute-bound: the loader gives 500 samples/s, the step takes 100; "
            "lower precision, smaller samples or a smaller network are what makes them faster"
        ],
        [],
    ),
    (
        lambda: planned(train=40),
        [
            "With 40 training samples that is 2 steps an epoch: fast, but a batch of 4 or less "
            "learns more from each epoch"
        ],
        [],
    ),
    (
        lambda: planned(size=64),
        [
            "The fast.ai course's rule of thumb (over 8200 MB free: 8 small or 3 large images, "
            "else 4 or 1) gives 4"
        ],
        [],
    ),
    (
        lambda: noted("cuda:0", False),
        [
            "the loss was not a number (NaN or infinite) with batches of 8: memory and "
            "speed are measured all the same",
            "the limit is enforced by torch's memory fraction on the card",
        ],
        [],
    ),
    (
        lambda: noted("cpu", True),
        [
            "memory counts what training needs; the C library's heap",
            "rates count the training step alone",
        ],
        ["NaN"],
    ),
    (
        lambda: cases("bfloat16", ("float32",)),
        ["bfloat16 has no effect on 'cpu': this device cannot compute in it; trained in float32"],
        [],
    ),
    (
        lambda: phases("both", 1),
        ["the network is a single group of layers, so frozen and unfrozen are the same"],
        [],
    ),
    (
        lambda: phases("frozen", 3),
        ["the weights are random: a body that stays so holds its head back"],
        [],
    ),
    (lambda: phases("both", 3), ["one rate serves all of them, not a slice"], []),
    (
        lambda: lr_find._finding("frozen", (1e-3, 1e-2), False).words,
        ["learning rates from 0.001 to 0.01, as a slice"],
        [],
    ),
    (
        lambda: lr_find._finding("frozen", 1e-2, True).words,
        ["frozen or not, because the network is a single group"],
        [],
    ),
]
OVERFIT: list[Row] = [
    (
        lambda: stuck(targets=1),
        ["all of these samples have the same label", "check how labels are read"],
        ["rate"],
    ),
    (
        lambda: stuck(labels=Labels(16, 4, False, 0.2)),
        [
            "4 of 16 samples have the same inputs and other labels",
            "loses 0.2 at least",
            "reached 0.6",
        ],
        ["nearly"],
    ),
    (
        lambda: stuck(labels=Labels(16, 4, True, 0.2, 0.004)),
        ["the same or nearly so", "at most 0.004 of the usual distance apart"],
        [],
    ),
    (lambda: stuck(labels=Labels(16, 4, False, 0.02)), ["neither labels"], ["other labels"]),
    (
        lambda: stuck(bounds=Bounds(0.69, 0.7, "a mean", 0.69)),
        [
            "the loss does not tell samples of a batch apart: free outputs lose 0.69 at least and",
            "one answer for each batch 0.69; outputs are 8 × 1 a batch and labels 8",
            "give the loss outputs and labels of one shape",
        ],
        [],
    ),
    (
        lambda: stuck(tail=Tail(("Softmax",), 0.313, 0, 1, None)),
        [
            "the loss does not fit the outputs: what follows the last layer (softmax) keeps them "
            "from 0 to 1, where the loss is 0.313 at least and 0 for free ones",
            "give the loss what the last layer gives",
        ],
        ["targets go"],
    ),
    (lambda: stuck(tail=Tail((), 9, 0, 1, (-3, 5))), ["; targets go from -3 to 5"], ["()"]),
    (lambda: stuck(tail=Tail(("Tanh",), 0.01, -1, 1, None)), ["neither"], ["does not fit"]),
    (
        lambda: stuck(inputs=Inputs(50, 9, 1, 300, tried("reached"))),
        [
            "the inputs have a mean of 50 and a deviation of 9 (features from 1 to 300): at 0.01",
            "with each feature at mean 0 and deviation 1, at 0.01 the loss went from 0.7 to 0.6",
            "normalise the inputs by the training set's mean",
        ],
        [],
    ),
    (lambda: stuck(inputs=Inputs(50, 9, 1, 300, tried("stuck"))), ["neither"], ["features"]),
    (
        lambda: stuck(quiet=Quiet("1", "ReLU", 1.0, 1.0, anew=tried("reached"))),
        [
            "100% of the units of relu 1 are zero for every sample as built",
            "; with weights drawn anew, at 0.01",
            "start with other weights and biases (init-check compares ways)",
        ],
        [],
    ),
    (
        lambda: stuck(quiet=Quiet("2", "Linear", None, 0.95, trained=True)),
        ["95% of the units of linear 2 are the same for every sample once it has trained", "leaks"],
        ["anew"],
    ),
    (lambda: stuck(quiet=Quiet("1", "ReLU", 0.4, 0.4)), ["neither"], ["units of"]),
    (
        lambda: stuck(tries=(tried("flat"), tried("flat", 0.1))),
        ["every rate tried does not change the loss, from 0.01 to 0.1", "that they are trained"],
        [],
    ),
    (
        lambda: stuck(tries=(tried("diverged"), tried("diverged", 0.1))),
        ["every rate tried diverges", "look for broken or very large values in the inputs"],
        [],
    ),
    (
        lambda: stuck(tries=(tried("falling"),)),
        ["the loss was still falling: at 0.01", "allow more steps, and more seconds for them"],
        ["too short"],
    ),
    (lambda: stuck(tries=(tried("stuck", late=True),)), ["the time was too short"], ["falling"]),
    (
        stuck,
        [
            "neither labels, loss, inputs, units nor rates explain it: at 0.01",
            "with 20 weights in the network",
            "take a wider or deeper network",
            "a few batches are not learned by heart",
        ],
        [],
    ),
    (
        lambda: rated("flat"),
        ["the rate 1e-08 is too low to change the loss", "train at 0.01, or let lr-find look for"],
        ["high"],
    ),
    (lambda: rated("stuck"), ["is too low: at 1e-08"], ["high"]),
    (lambda: rated("diverged", 10), ["the rate 10 is too high: at 10"], ["settle"]),
    (lambda: rated("stuck", 10), ["is too high to settle"], []),
    (
        lambda: norm(0.5),
        [
            "batch normalisation over batches of 2: the same samples lose 0.02 as trained and 0.5 "
            "in use, where a norm goes by all batches",
            "layers that normalise each sample alone",
        ],
        [],
    ),
    (lambda: norm(0.05), [], ["normalisation"]),
    (
        overfitted,
        [
            "16 training samples held fixed, without augmentation, dropout and weight decay: at",
            "the network overfits 16 samples",
        ],
        ["cannot go below", "not learned", "no better", "on all"],
    ),
    (
        lambda: overfitted(floor=0.2),
        ["the loss itself cannot go below 0.2."],
        [],
    ),
    (
        lambda: overfitted(8),
        [
            "on all 50 training samples 8, the smallest tried, overfits too: 9 weights, loss 0.01 "
            "after 30 steps",
            "; 8 overfits 50 training samples",
        ],
        ["of 50 training"],
    ),
    (lambda: overfitted(8, 16), ["16, the smallest of 2 tried, overfits too"], []),
    (
        lambda: overfitted(8, ends=False, train=90),
        ["in 9 s no network tried overfits 50 of 90 training samples; 8 comes closest"],
        ["overfits too"],
    ),
    (
        lambda: overfitted(8, held=0.9),
        [
            "on 1000 held-out samples: accuracy 0.9",
            "(loss 0.01 in training, 0.3 held out)",
            "reduce the overfitting in the order of the table",
        ],
        ["by heart and"],
    ),
    (
        lambda: overfitted(8, held=0.41),
        ["it learned the training samples by heart and nothing that holds for others"],
        ["in the order"],
    ),
    (
        lambda: overfitted(8, held=0.9, valid=0.01),
        ["there is no overfitting to reduce"],
        ["in the order"],
    ),
    (lambda: stuck(tries=(tried("stuck", least=0.8),)), [", which is no better"], []),
    (
        lambda: " ".join(str(row) for row in reducing("image-classification")),
        [
            "more data",
            "clean-data",
            "finds wrong labels and copies in what there is",
            "mixup blends images as they are trained on",
            "an architecture that generalises",
            "trains another one, pretrained",
            "weight decay, dropout, label smoothing side by side",
            "8 is enough to overfit; try a smaller one",
        ],
        [],
    ),
    (lambda: " ".join(str(row) for row in reducing("tabular")), ["regularisation"], ["mixup"]),
]
NEXT: list[Row] = [
    (
        lambda: after("overfitting"),
        [
            "regularise which regularisation helps, and how much {'task': 'tabular', 'epochs': 7",
            "clean-data wrong labels are learned by heart too",
        ],
        ["training-flow", "overfit-first"],
    ),
    (
        lambda: after("underfitting", longer=True),
        [
            "training-flow 10 epochs instead of 5 {'task': 'tabular', 'epochs': 10}",
            "overfit-first can the network learn a few batches by heart?",
        ],
        ["regularise"],
    ),
    (lambda: after("still improving", longer=True), ["10 epochs instead of 5"], ["overfit-first"]),
    (lambda: after("no better than a constant answer"), ["overfit-first"], ["epochs instead"]),
    (
        lambda: after("fits", "image-classification"),
        [
            "progressive-resizing small images first, then larger ones",
            "clean-data which labels does the model doubt?",
        ],
        ["epochs instead"],
    ),
    (lambda: after("fits"), ["clean-data"], ["progressive-resizing"]),
    (lambda: after("overfitting", classes=False), ["regularise"], ["clean-data"]),
    (lambda: str(reducing("tabular", classes=False)), ["more data", "regularise"], ["clean-data"]),
    (lambda: after("cannot be said"), [], ["-"]),
    (lambda: unstuck("labels"), ["clean-data labels contradict each other"], ["lr-find"]),
    (
        lambda: unstuck("rate", ended="reached"),
        ["overfit-first at 0.01 it gets there", "'lr': 0.01", "lr-find the rate keeps the loss up"],
        [],
    ),
    (lambda: unstuck("rate"), ["lr-find"], ["gets there"]),
    (lambda: unstuck("dead units"), ["init-check units are dead: compare ways to start"], []),
    (
        lambda: unstuck("steps"),
        ["overfit-first the loss was still falling", "'steps': 800, 'seconds': 120"],
        [],
    ),
    (lambda: unstuck("loss"), [], ["-"]),
    (
        lambda: freed(None),
        ["training-flow the network can learn: train it"],
        ["regularise", "clean-data"],
    ),
    (lambda: freed(0.9), ["training-flow", "regularise it overfits the training set"], ["clean"]),
    (lambda: freed(0.41), ["clean-data what was learned does not hold for others"], []),
]
RATED: list[Row] = [
    (
        lambda: raced((1e-2, 1.0), (1e-1, 1.9)),
        [
            "2.4 times below what 2 short trainings of 50 batches favour together (the best, at "
            "0.01: validation loss 2 "
            "to 1), and the valley counts for 27%; valley 0.001"
        ],
        ["diverge", "weak"],
    ),
    (
        lambda: raced((1e-2, 1.9), (1e-1, 1.95)),
        [
            "the evidence is weak: the best short training lowers the validation loss by only 5.0% "
            "(2 to 1.9); the valley counts for 45%, and the rate is a careful one; raise "
            "num_it for longer trainings, or try three times the rate as well"
        ],
        [],
    ),
    (lambda: raced((1e-2, 1.0), (1e-1, float("inf"))), ["short trainings diverge from 0.1 on"], []),
    (
        lambda: raced((1e-3, float("inf")), (1e-2, 1.0)),
        ["short trainings diverge at 0.001, and not at 0.01"],
        ["on;", "0.001 on"],
    ),
    (
        lambda: raced((1e-2, 1.0), batches=3),
        ["trials of 3 batches can mislead; raise num_it for longer ones"],
        [],
    ),
    (
        raced,
        [
            "the sweep is too short for short trainings: its 300 batches leave none for one; raise "
            "num_it"
        ],
        [],
    ),
    (
        lambda: raced((1e-2, 1.999)),
        [
            "nothing to gain: no short training lowers the validation loss (2 before, 1.999 "
            "after the best), as with a network that is trained already"
        ],
        [],
    ),
    (
        lambda: raced((1e-2, float("inf"))),
        ["every short training diverged, at rates from 0.01 to 0.01; look for broken values"],
        [],
    ),
    (
        lambda: seen("nan", True),
        [
            "the loss stops being a number at 0.01: where it has exploded that is an overflow",
            "the curve does not fall: the network is trained already",
        ],
        [],
    ),
    (lambda: curve(falls), ["a little below where single batches lose least ("], ["explodes"]),
    (
        lambda: curve(lucky),
        ["as far below where the loss explodes (", ") as usual"],
        ["a little below"],
    ),
    (
        lambda: curve(explodes, sliced=True, frozen_lr=1e-2),
        [
            "where the head gets a fifth of 0.01, found frozen, the "
            "layers nearest the input a tenth of the head's"
        ],
        [],
    ),
    (
        lambda: curve(explodes, sliced=True, frozen_lr=5.0),
        ["a fifth of where the loss explodes ("],
        ["found frozen"],
    ),
    (
        lambda: curve(explodes, sliced=True),
        ["where the head gets the rate of the curve"],
        ["frozen"],
    ),
    (
        lambda: curve(flat),
        ["because the loss does not fall, and a tenth of where it explodes (", ") is safe"],
        [],
    ),
    (
        lambda: curve(lambda rate: 1.0),
        ["the curve is flat: no rate from", "changes the loss; raise end_lr or num_it"],
        [],
    ),
    (
        lambda: curve(falls, 12, ended="nan"),
        ["the loss stops being a number at", "look for missing or infinite values"],
        [],
    ),
    (
        lambda: curve(falls, 12),
        ["explodes or stops being a number at", "lower start_lr; if that is low already"],
        [],
    ),
    (
        lambda: suggest._too_short([], "exploded"),
        ["the loss explodes at the lowest rate, after 0 batches"],
        [],
    ),
    (
        lambda: suggest._slice({}, 0.01, 0.05, None, 0.1).reason,
        ["the input a tenth of where the loss explodes (0.01)"],
        [],
    ),
]
SAID = [*VERDICTS, *COMPARED, *FOUND, *OVERFIT, *NEXT, *RATED]


def said(call: Callable[[], str]) -> str:
    """What is said, be it as an error."""
    try:
        return call()
    except RecipeError as error:
        return str(error)


@pytest.mark.parametrize(("call", "words", "never"), SAID)
def test_what_is_said_is_so(call: Callable[[], str], words: list[str], never: list[str]) -> None:
    """Each sentence where it is true, and no other that would not be."""
    text = said(call)
    for one in words:
        assert one in text
    for one in never:
        assert one not in text


# functions that give text which is no finding: code, names of files and columns, what others raise;
# those of the last line run with a learner and files in tests of their own
ELSEWHERE = {
    *("snippet", "_code", "_measured", "_trained", "_copy_rows", "run", "find_rate", "_classes"),
    *("_save", "_export"),
}
SPEAKING = (
    *("prepare", "training/held_out", "training/verdicts", "batch_size/advice"),
    "training/stuck",
    *("learning_rate/find", "learning_rate/suggest", "learning_rate/votes"),
    *(f"recipes/{path.stem}" for path in sorted((ROOT / "recipes").glob("[a-z]*.py"))),
)
SPEAKS = re.compile(r"\bstr\b|Finding|Verdict|Advice|Found|Error|Cause|NextRun")


def phrases(module: str) -> set[str]:
    """What is written in a module's functions that give text: phrases of three words or more."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / f"{module}.py").read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef) or node.name in ELSEWHERE or not node.returns:
            continue
        if SPEAKS.search(ast.unparse(node.returns)):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            texts = [one for part in body for one in ast.walk(part)]
            found |= {
                one.value.strip()
                for one in texts
                if isinstance(one, ast.Constant)
                and isinstance(one.value, str)
                and len(one.value.split()) >= 3
                and "\n" not in one.value
            }
    return found


@pytest.mark.parametrize("module", SPEAKING)
def test_every_sentence_is_provoked(module: str) -> None:
    """A phrase that no row above brings forth is a sentence that nobody has tried."""
    heard = " ".join(said(call) for call, _, _ in SAID).lower()
    assert {phrase for phrase in phrases(module) if phrase.lower() not in heard} == set()
