"""What a question's words preset of a recipe's parameters, what they must not, and that all of it
can be run.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.answering.offers.files import NamedFile
from app.answering.offers.presets import Preset, presets, spoken_words
from executors.networks.networks import KNOWN_NETWORKS
from executors.parameters import Parameter
from executors.recipe import Recipe, check_params, find_recipe, recipes
from executors.tasks import TASK_NAMES, find_task

OURS = recipes()


def preset(name: str, question: str) -> dict[str, Preset]:
    """What is preset of the recipe, which takes it."""
    params = presets(OURS, question)[name]
    assert params is not None
    check_params(find_recipe(name), params)
    return params


@pytest.mark.parametrize(
    ("name", "question", "params"),
    [
        (
            "batch-size",
            "128 -> 192 -> 256 with a resnet18",
            {"sizes": "128,192,256", "arch": "resnet18"},
        ),
        ("progressive-resizing", "32 → 48 → 64 on my cats", {"sizes": "32,48,64"}),
        ("progressive-resizing", "96, then 192", {"sizes": "96,192"}),
        (
            "progressive-resizing",
            "begin at 96 px then go up to 160 and 224",
            {"sizes": "96,160,224"},
        ),
        ("progressive-resizing", "grow them from 64 over 128 to 256", {"sizes": "64,128,256"}),
        (
            "free-memory",
            "what does a unet hold at 288, bs 4?",
            {"task": "segmentation", "size": 288, "batch_size": 4},
        ),
        (
            "mixed-precision",
            "resnet50, 192, bs 16",
            {"arch": "resnet50", "size": 192, "batch_size": 16},
        ),
        ("mixed-precision", "resnet50, 64, bf16", {"arch": "resnet50"}),  # a batch, or a side
        ("lr-find", "can the rate at 128 px serve at 256 px?", {}),  # two sizes, and one parameter
        ("batch-size", "compare batch sizes 32, 64 and 128", {}),
        ("lr-find", "rate for batch size 32 or 64?", {}),
        ("batch-size", "3 GB of my 8 GB are taken", {}),
    ],
)
def test_sizes_and_batches(name: str, question: str, params: dict[str, object]) -> None:
    """Sides are read from arrows, words and places; numbers of a batch, or of several cases, are
    none.
    """
    assert preset(name, question) == params


@pytest.mark.parametrize(
    ("question", "arch"),
    [
        ("vit_b_16", "vit_b_16"),
        ("ViT B-16", "vit_b_16"),
        ("VGG-16", "vgg16"),
        ("vgg16 bn", "vgg16_bn"),
        ("regnet y 400mf", "regnet_y_400mf"),
        ("SqueezeNet1.1", "squeezenet1_1"),
        ("efficientnet-b7", "efficientnet_b7"),
        ("tabular net with layers of 300,150", "300,150"),
        ("table data, layers=[400, 200, 100]", "400,200,100"),
        ("tabular, hidden layers of 60, 40 and 20", "60,40,20"),
        ("a 128,64 tabular net", "128,64"),
        ("recommender with 30 latent factors", "30"),
        ("movielens, n_factors=80", "80"),
        ("a language model, AWD_LSTM", "AWD_LSTM"),
        ("an awd lstm text classifier", "AWD_LSTM"),
        (
            "an AWD-LSTM text classifier",
            None,
        ),  # the kind of network, which the smaller default is as well
        ("csv with 300,150 people", None),
        ("photos with 30 factors", None),
    ],
)
def test_networks(question: str, arch: str | None) -> None:
    """A network is known however it is spelled, by widths where it is a table's, by factors where
    it is of ratings.
    """
    assert preset("training-flow", f"train on my data: {question}").get("arch") == arch


def test_networks_are_torchvisions() -> None:
    """Every name that is read is one of torchvision's models, so that none is offered that nobody
    has.
    """
    models = pytest.importorskip("torchvision.models")
    assert set(KNOWN_NETWORKS) <= set(models.list_models())


@pytest.mark.parametrize("network", KNOWN_NETWORKS)
def test_networks_are_known_however_they_are_spelled(network: str) -> None:
    """With capitals, blanks or dashes in place of what joins their parts."""
    parts = re.findall(r"[a-z]+|\d+", network)
    for joint in ("", " ", "-", "_"):
        spelled = joint.join(parts).title() if joint != "" else network
        assert preset("lr-find", f"lr for {spelled}, please").get("arch") == network


@pytest.mark.parametrize(
    ("question", "task"),
    [
        ("street pictures where each pixel has a class", "segmentation"),
        ("segment nuclei in tiles of 5 classes", "segmentation"),
        ("album covers with multiple keywords each", "multi-label"),
        ("x-rays, several diagnoses per image", "multi-label"),
        ("chest scans, various findings", "multi-label"),
        ("several labels are wrong", ""),
        ("my complaints, sorted by department", "text-classification"),
        ("reviews in a csv, column stars", "text-classification"),
        ("classify short chat messages by urgency", "text-classification"),
        ("the error messages of my net", ""),
        ("my customer reviews and their ratings", "collaborative-filtering"),
        ("our LM on a corpus of laws", "language-model"),
        ("awd_lstm on a folder", "language-model"),
        ("awd_lstm on labelled tickets", "text-classification"),
        ("language model of tickets", "language-model"),
        ("deblurring scans", "restoration"),
        ("on the loan default table", "tabular"),
        ("target column price", "tabular"),
        ("photos, their labels in a csv", ""),
        ("tabular data about photos", "tabular"),
        ("our tickets in a csv table", "text-classification"),
        ("which breeds are in these photos", ""),  # the default
        ("my photos", ""),
    ],
)
def test_tasks_from_things(question: str, task: str) -> None:
    """What is trained on says the task where no name of one does, and nothing that is said of both
    decides.
    """
    assert preset("training-flow", question).get("task", "") == task


@pytest.mark.parametrize("task", TASK_NAMES)
def test_every_task_is_known_by_its_own_words(task: str) -> None:
    """Whatever its module says of it, alone, means it, and is what a recipe that does it takes."""
    for words in (word for group in find_task(task).SAID for word in group):
        found = presets(OURS, f"batch size for {words}")["batch-size"]
        assert found is not None
        assert found.get("task", "image-classification") == task, words


@pytest.mark.parametrize(
    ("name", "question", "params"),
    [
        (
            "regularise",
            "wd 0.05 and label smoothing of 0.15",
            {"weight_decay": 0.05, "label_smoothing": 0.15},
        ),
        ("regularise", "Dropout p=0.25, mixup alpha 0.3", {"dropout": 0.25, "mixup": 0.3}),
        ("regularise", "dropout of 30 %, four repeats", {"dropout": 0.3, "repeats": 4}),
        ("regularise", "mixup on my cats, alpha of .2", {"mixup": 0.2}),
        ("regularise", "repeat it 5 times with seed 3", {"repeats": 5, "seed": 3}),
        (
            "regularise",
            "0.25 dropout and 0.05 weight decay",
            {"dropout": 0.25, "weight_decay": 0.05},
        ),
        (
            "regularise",
            "mixup 0.2 dropout and wd 0.3 label smoothing",
            {"mixup": 0.2, "weight_decay": 0.3},
        ),
        ("regularise", "0.1 or 0.2 dropout", {}),
        ("regularise", "dropout 1.5", {}),
        ("regularise", "weight decay 0.1 or 0.01?", {}),
        ("regularise", "lr 0.1 is too high", {}),
        (
            "lr-find",
            "sweep rates between 1e-6 and 2 over 300 batches",
            {"num_it": 300, "start_lr": 1e-6, "end_lr": 2.0},
        ),
        (
            "lr-find",
            "start_lr=1e-5, end_lr=1, 7 seeds",
            {"start_lr": 1e-5, "end_lr": 1.0, "seeds": 7},
        ),
        ("lr-find", "rates of the years from 2019 to 2021", {}),
        ("lr-find", "lr for an effective batch of 512", {}),
        ("batch-size", "an effective batch size of 512", {"effective_batch": 512}),
        (
            "batch-size",
            "accumulate to 96; try no larger than 24",
            {"effective_batch": 96, "max_batch": 24},
        ),
        (
            "batch-size",
            "keep 25 % of the memory free, timeout of 2 minutes",
            {"margin": 0.25, "trial_timeout": 120},
        ),
        ("clean-data", "the 70 worst", {"worst": 70}),
        ("clean-data", "top 30 losses, learning rate 2e-3", {"worst": 30, "lr": 0.002}),
        ("clean-data", "25 suspicious pictures", {"worst": 25}),
        ("clean-data", "top-5 accuracy", {}),
        ("init-check", "after 40 batches", {"train_batches": 40}),
        ("init-check", "a batch of 40", {"batch_size": 40}),
        ("free-memory", "after 9 steps", {"steps": 9}),
    ],
)
def test_numbers_by_their_names(name: str, question: str, params: dict[str, object]) -> None:
    """A number belongs to what is named beside it; one out of bounds, or of two for one, is not
    taken.
    """
    assert preset(name, question) == params


@pytest.mark.parametrize(
    ("name", "question", "params"),
    [
        ("training-flow", "3 epochs frozen, then 9 unfrozen", {"epochs_frozen": 3, "epochs": 9}),
        (
            "training-flow",
            "two epochs of the head and 6 of all layers",
            {"epochs_frozen": 2, "epochs": 6},
        ),
        ("training-flow", "frozen for 4 epochs", {"epochs_frozen": 4}),
        (
            "training-flow",
            "30 epochs, stop when it hasn't improved for 4 epochs",
            {"epochs": 30, "patience": 4},
        ),
        ("training-flow", "stop after 6 epochs without improvement", {"patience": 6}),
        (
            "training-flow",
            "freeze for 2 epochs, then unfreeze for 8 epochs",
            {"epochs_frozen": 2, "epochs": 8},
        ),
        ("training-flow", "early stopping with 3 epochs of patience", {"patience": 3}),
        ("training-flow", "fine_tune(7), patience of 2", {"epochs": 7, "patience": 2}),
        ("training-flow", "it overfits after 3 epochs", {}),
        ("training-flow", "save it every 5 epochs", {}),
        ("training-flow", "5 to 10 epochs", {}),
        ("training-flow", "an epoch takes 40 minutes", {}),
        ("regularise", "epochs=6", {"epochs": 6}),
    ],
)
def test_epochs(name: str, question: str, params: dict[str, object]) -> None:
    """How long to train, in either phase and until when, and not how long something took."""
    assert preset(name, question) == params


@pytest.mark.parametrize(
    ("question", "target"),
    [
        ("csv, target column Sale_Price2", "Sale_Price2"),
        ("csv, target=kWh", "kWh"),
        ("predict the rent column of my csv", "rent"),
        ("learn column 'Kind of house' of our csv", "Kind of house"),
        ("texts in column body, target column mood", "mood"),
        ("csv with a class column typed by hand", None),
        ("csv with column names", None),
        ("csv, column a1 or column b1", None),
        ("photos, target column kind", None),  # pictures have none
    ],
)
def test_the_column_to_learn(question: str, target: str | None) -> None:
    """The column that is named as the target, as it is written, for tasks that have one."""
    assert preset("training-flow", question).get("target") == target


@pytest.mark.parametrize(
    ("name", "question", "params"),
    [
        ("init-check", "random weights", {"pretrained": False}),
        ("init-check", "a network that is not pretrained", {"pretrained": False}),
        ("init-check", "untrained, not with imagenet weights", {"pretrained": False}),
        ("training-flow", "train resnet18 from scratch", {"arch": "resnet18", "pretrained": False}),
        ("init-check", "imagenet weights", {"pretrained": True}),
        ("init-check", "pretrained or random weights?", {}),
        ("init-check", "random weights for my csv", {"task": "tabular"}),
        ("lr-find", "skip the short trainings", {"race": False}),
        ("progressive-resizing", "no baseline please", {"compare": False}),
        ("init-check", "src/My_net.py:make", {"task": "learner", "learner": "src/My_net.py:make"}),
        (
            "training-flow",
            "ratings, predictions within 1 and 5",
            {"task": "collaborative-filtering", "y_range": "1,5"},
        ),
        ("lr-find", "only the head", {"phase": "frozen"}),
        ("lr-find", "head-only training", {"phase": "frozen"}),
    ],
)
def test_switches_and_the_rest(name: str, question: str, params: dict[str, object]) -> None:
    """What is on or off, whose network it is, and how far predictions go."""
    assert preset(name, question) == params


THEIRS = Recipe(
    "knead",
    "t",
    "s",
    (),
    (),
    (
        Parameter(
            "task",
            "choice",
            "wheat-bread",
            choices=("wheat-bread", "rye-bread"),
            values_said={"rye-bread": ("pumpernickel",)},
        ),
        Parameter("water_share", "float", 0.6, minimum=0, maximum=1, said=("hydration",)),
        Parameter("rest", "int", 0, unit="s", minimum=0, said=("rest for #", "let it rest #")),
        Parameter("loaves", "int", 1, unit="loaves", minimum=1, maximum=9, said=("loaf",)),
        Parameter("tin", "int", None, unit="px", minimum=32, maximum=512, said=("tin of",)),
        Parameter("store", "str", "", unit="bytes"),
        Parameter(
            "oven", "choice", "gas", choices=("gas", "wood"), values_said={"wood": ("fire",)}
        ),
        Parameter("steam", "bool", True, said=("steaming",)),
        Parameter("label", "str", "", unit="column", said=("column",)),
    ),
)


@pytest.mark.parametrize(
    ("question", "params"),
    [
        ("knead with a water share of 0.7", {"water_share": 0.7}),
        ("water-share 70 %", {"water_share": 0.7}),
        ("a hydration of 70 percent", {"water_share": 0.7}),
        ("water share 7", {}),
        ("hydration 0.6 or 0.7?", {}),
        ("let it rest two minutes", {"rest": 120}),
        ("let it rest 2 minutes", {"rest": 120}),
        ("bake 3 loaves", {"loaves": 3}),
        ("bake three loaves", {"loaves": 3}),
        ("bake 12 loaves", {}),
        ("a tin of 256", {"tin": 256}),
        ("a tin 128 px wide", {"tin": 128}),
        ("keep it under 2 GB", {"store": "2GB"}),
        ("over a fire", {"oven": "wood"}),
        ("gas or fire?", {}),
        ("without steaming", {"steam": False}),
        ("steam it", {"steam": True}),
        ("pumpernickel", {"task": "rye-bread"}),
        ("rye bread in the column Crumb", {"task": "rye-bread", "label": "Crumb"}),
    ],
)
def test_parameters_of_recipes_from_elsewhere_are_read_by_what_they_say(
    question: str, params: dict[str, object]
) -> None:
    """Nothing must be written here for a recipe of others: name, type, unit and everyday words do.

    Its tasks are known by their names and by what the parameter says of them.
    """
    assert presets([THEIRS], question)["knead"] == params


def test_a_task_that_a_recipe_does_not_do_is_none_of_its() -> None:
    """Where the question names another, nothing of the recipe is preset."""
    assert presets(OURS, "which learning rate for my GAN?")["clean-data"] is None
    assert presets([THEIRS], "segmentation")["knead"] is None


def test_a_number_is_not_taken_from_the_parameter_that_it_is_named_for() -> None:
    """Nor where the recipe has no such parameter: patience is no length of training."""
    assert preset("regularise", "3 epochs of patience") == {}
    assert preset("training-flow", "3 epochs of patience") == {"patience": 3}


def test_every_recipe_says_its_words() -> None:
    """Everyday words are words, each of them, and no name is said twice of one parameter."""
    for recipe in OURS:
        assert all(phrase.strip() for phrase in spoken_words(recipe))
        for parameter in recipe.parameters:
            assert len(parameter.said) == len(set(parameter.said)), parameter.name


WORDS = re.findall(
    r"\S+",
    "csv photos tickets column target Price several tags each unet awd_lstm vgg16 layers of "
    "400,200 50 factors ratings "
    "a/b.py:f at 224 , 64 -> 128 then px bs batch size effective 1e-3 lr wd dropout 0.3 mixup "
    "alpha 99999999999 % "
    "epochs frozen unfrozen patience without improvement top worst seeds seed from to between 0 "
    "1e400 no race "
    "pretrained random weights gan y_range 3 GB cuda:1 fp16 margin",
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=80), st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)))
def test_whatever_is_asked_can_be_run(question: str) -> None:
    """Presets of every recipe are values that it takes, together, and no others."""
    read = presets(OURS, question)
    for recipe in OURS:
        params = read[recipe.name]
        if params is not None:
            check_params(recipe, params)


def test_a_named_file_is_what_is_learned_from() -> None:
    """Its name is not read for anything but its kind."""
    named = NamedFile("bs32-frozen/at 128 px.csv", (Path("/d/bs32-frozen/at 128 px.csv"),))
    question = f"which learning rate for '{named.said}', with lr of 1e-2?"
    params = presets(OURS, question, (named,))["lr-find"]
    assert params == {"task": "tabular", "data": "/d/bs32-frozen/at 128 px.csv"}


@pytest.mark.parametrize("end", ["csv", "tsv", "xlsx", "parquet"])
def test_the_kind_of_a_table_says_the_task(end: str) -> None:
    """Of a name alone, too."""
    assert preset("batch-size", f"which batch size fits sales.{end}?") == {"task": "tabular"}


@pytest.mark.parametrize(
    ("question", "target"),
    [
        ("find a learning rate for h.csv with the target price", "price"),
        ("a batch size for h.csv, to predict the prices", "price"),
        ("predict price from area in h.csv: which lr?", "price"),
        ("lr for h.csv, the label column is 'sale_date'", "sale date"),
        ("lr for h.csv, with the target price or the target area", None),
        ("which learning rate for h.csv?", None),
        ("which lr for h.csv without area?", None),  # another column, told for another reason
        ("lr for h.csv to predict the colour column", "colour"),  # the run says that there is none
    ],
)
def test_the_target_is_the_column_of_the_named_table_that_is_named(
    tmp_path: Path, question: str, target: str | None
) -> None:
    """As the file writes it, and where it is told as the target alone."""
    table = tmp_path / "h.csv"
    table.write_text("area,rate,price,sale date\n1,2,3,2020-01-01\n2,2,4,2020-01-02\n")
    found = presets(recipes(), question, [NamedFile("h.csv", (table,))])["lr-find"]
    assert found is not None and found.get("target") == target
