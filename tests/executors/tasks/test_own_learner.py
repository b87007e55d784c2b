"""A user's own file gives the learner; what is wrong with it is one sentence with the line."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from fastai.callback.core import Callback, CancelFitException

from executors.errors import BadInput
from executors.prepare import prepare
from executors.recipe import check_params, recipe_module, typed_params
from executors.runs.journal import Journal
from executors.task import Settings, Source
from executors.tasks import find_task

TASK: Any = find_task("learner")
NUMBERS = """
import torch
from fastai.basics import *
from fastai.metrics import mae
from app import width  # a module of the user's, named as one of ours

def items(n):
    return [(torch.full((width,), float(i)), torch.tensor([float(i)])) for i in range(n)]

def make():
    train = DataLoader(items(40), bs=4, shuffle=True, drop_last=True)
    loaders = [train, DataLoader(items(10), bs=4)]
    return Learner(DataLoaders(*loaders), nn.Linear(width, 1), loss_func=nn.MSELoss(), metrics=mae)

def plain():
    loader = torch.utils.data.DataLoader
    loaders = [loader(items(n), batch_size=4, shuffle=n > 10) for n in (40, 10)]
    return Learner(DataLoaders(*loaders), nn.Linear(width, 1), loss_func=nn.MSELoss())
"""
TEXTS = """
from fastai.text.all import *

def make():
    df = pd.DataFrame({'text': ['a b c ' * (i + 1) for i in range(30)], 'label': ['x', 'y'] * 15})
    block = DataBlock((TextBlock.from_df('text', n_workers=0), CategoryBlock),
                      get_x=ColReader('text'), get_y=ColReader('label'),
                      splitter=RandomSplitter(seed=1))
    dls = block.dataloaders(df, bs=4, num_workers=0)
    config = {**awd_lstm_clas_config, 'emb_sz': 8, 'n_hid': 8, 'n_layers': 1}
    return text_classifier_learner(dls, AWD_LSTM, config=config, pretrained=False, metrics=accuracy)
"""
TABLE = """
from fastai.tabular.all import *

def make():
    df = pd.DataFrame({'x': range(50), 'k': list('abcde') * 10, 'y': ['no', 'yes'] * 25})
    to = TabularPandas(df, [Categorify, Normalize], ['k'], ['x'], y_names='y',
                       y_block=CategoryBlock(), splits=RandomSplitter(seed=1)(df))
    return tabular_learner(to.dataloaders(bs=4), layers=[8], metrics=error_rate)
"""
IMAGES = """
from fastai.vision.all import *

def make():
    images = [PILImage.create(np.full((8 + i % 5, 9, 3), i, dtype='uint8')) for i in range(30)]
    block = DataBlock((TransformBlock(batch_tfms=IntToFloatTensor), CategoryBlock),
                      get_x=lambda i: images[i], get_y=lambda i: i % 2,
                      splitter=RandomSplitter(seed=1), item_tfms=Resize(16),
                      batch_tfms=aug_transforms())
    dls = block.dataloaders(range(30), bs=4, num_workers=0)
    pool = nn.AdaptiveAvgPool2d(1)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), pool, nn.Flatten(), nn.Linear(4, 2))
    for weight in model[0].parameters():
        weight.requires_grad_(False)
    return Learner(dls, model, loss_func=nn.CrossEntropyLoss(), metrics=accuracy)
"""


class StopSoon(Callback):
    """Ends training after one batch."""

    def after_batch(self) -> None:
        raise CancelFitException


@pytest.fixture(autouse=True)
def clean_modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """What a file adds to the path and the modules ends with the test; `app` is not ours then."""
    monkeypatch.setattr(sys, "path", sys.path[:])
    ours = {
        name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "app"
    }
    yield
    for name, module in list(sys.modules.items()):
        if str(tmp_path) in (getattr(module, "__file__", None) or ""):
            del sys.modules[name]
    sys.modules.update(ours)


def written(folder: Path, code: str, name: str = "mine.py") -> Path:
    (folder / "app.py").write_text("width = 3\n")
    (folder / name).write_text(textwrap.dedent(code).lstrip("\n"))
    return folder / name


def inspected(file: Path, function: str = "make") -> tuple[Source, Settings]:
    settings = Settings("learner", learner=f"{file}:{function}")
    return TASK.inspect(settings), settings


def refused(file: Path, function: str = "make") -> str:
    with pytest.raises(BadInput) as caught:
        inspected(file, function)
    message = str(caught.value)
    assert "\n" not in message and message.startswith(str(file))
    return message[len(str(file)) :]


def executed(source: Source, settings: Settings) -> Any:
    """The learner that the snippet makes, after one batch of three."""
    code = TASK.snippet(source, settings, None, 3, False)
    assert sum(line.startswith("dls = ") for line in code.splitlines()) == 1
    names: dict[str, Any] = {}
    exec(compile(code, "snippet", "exec"), names)
    with names["learn"].no_bar(), names["learn"].no_logging():
        names["learn"].fit(1, cbs=StopSoon())
    return names["learn"]


@pytest.mark.parametrize(
    ("code", "function"), [(NUMBERS, "make"), (NUMBERS, "plain"), (TEXTS, "make"), (TABLE, "make")]
)
def test_any_learner_trains_with_another_batch(code: str, function: str, tmp_path: Path) -> None:
    """fastai's loaders and torch's own; it writes in the run's folder, and so does the snippet."""
    source, settings = inspected(written(tmp_path, code), function)
    built = TASK.build(source, settings, None, 5, "cpu", tmp_path / "run")
    learner = built.learner
    assert len(next(iter(learner.dls.train))[-1]) == 5 and learner.path == tmp_path / "run"
    with learner.no_bar(), learner.no_logging():
        learner.fit(1)
    assert all(bool(value.isfinite().all()) for value in learner.model.state_dict().values())
    parts = TASK.finish(learner.dls.train, TASK.template(learner.dls.train))
    assert len({len(part) for part in parts}) == 1 and all(
        isinstance(part, torch.Tensor) for part in parts
    )
    assert len(next(iter(executed(source, settings).dls.train))[-1]) == 3


@pytest.mark.parametrize(("asked", "taken"), [(None, 4), (8, 8)])
def test_a_learner_keeps_its_batch(asked: int | None, taken: int, tmp_path: Path) -> None:
    """Unless another is asked for: what is found for one batch size does not hold for others."""
    given = {"learner": f"{written(tmp_path, NUMBERS)}:make", "batch_size": asked, "device": "cpu"}
    lr_find = recipe_module("lr-find")
    params = typed_params(lr_find, check_params(lr_find.RECIPE, given))
    (tmp_path / "run").mkdir()
    ready = prepare(params, Journal(tmp_path / "run"))
    assert ready.batch_size == ready.learner.dls.train.bs == taken


def test_samples_and_metrics_are_told(tmp_path: Path) -> None:
    """Counts, the way of the first metric, and whether layers are frozen."""
    source, settings = inspected(written(tmp_path, NUMBERS))
    assert (source.title, source.train, source.valid) == (
        "mine.py:make: Linear on 40 samples",
        40,
        10,
    )
    built = TASK.build(source, settings, None, 5, "cpu", tmp_path)
    assert (
        built.notes == ("no layer is frozen", "'mae' is taken to be better when lower")
        and not built.higher_is_better
    )
    source, settings = inspected(written(tmp_path, IMAGES, "pictures.py"))
    built = TASK.build(source, settings, None, 5, "cpu", tmp_path)
    assert built.pretrained and built.higher_is_better


def test_the_costliest_samples_stand_for_the_worst_case(tmp_path: Path) -> None:
    """The longest text alone; pictures as the loader resizes them, floats on the device only."""
    source, settings = inspected(written(tmp_path, TEXTS))
    loader = TASK.build(source, settings, None, 4, "cpu", tmp_path).learner.dls.train
    words, labels = TASK.template(loader)
    assert words.shape == (1, max(len(text) for text, _ in loader.dataset)) and labels.shape == (1,)
    source, settings = inspected(written(tmp_path, IMAGES, "pictures.py"))
    loader = TASK.build(source, settings, None, 4, "cpu", tmp_path).learner.dls.train
    pictures, _ = TASK.template(loader)
    assert pictures.shape == (8, 3, 16, 16) and pictures.dtype == torch.uint8
    assert TASK.finish(loader, (pictures, torch.zeros(8)))[0].dtype == torch.float32


def test_batches_that_cannot_be_repeated_are_named(tmp_path: Path) -> None:
    """Dictionaries have no rows."""
    code = (
        NUMBERS
        + "\ndef named():\n    learn = plain()\n"
        + "    learn.dls.train.collate_fn = lambda items: {}\n    return learn\n"
    )
    source, settings = inspected(written(tmp_path, code), "named")
    loader = TASK.build(source, settings, None, 4, "cpu", tmp_path).learner.dls.train
    with pytest.raises(
        BadInput, match="the learner's batches are made of dict; tensors with one row a sample"
    ):
        TASK.template(loader)


@pytest.mark.parametrize(
    "text", ["", "mine.py", ":make", "mine.py:", "mine.py:two words", "mine.py:a.b"]
)
def test_what_is_no_place_is_said(text: str) -> None:
    """With what it should look like."""
    with pytest.raises(BadInput) as caught:
        TASK.inspect(Settings("learner", learner=text))
    assert str(caught.value) == f"a learner is given as path/to/file.py:function, not '{text}'"


def test_a_file_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    """Missing, a folder, no Python, an error at the top, an import that fails, an early end."""
    assert refused(tmp_path / "none.py").startswith(" does not exist; a learner is given as")
    (tmp_path / "folder.py").mkdir()
    assert refused(tmp_path / "folder.py").startswith(" is a folder; a learner is given as")
    (tmp_path / "notes.txt").touch()
    assert refused(tmp_path / "notes.txt").startswith(
        " is not a Python file; a learner is given as"
    )
    assert refused(written(tmp_path, "x = 1\ndef make(:\n    pass\n", "syntax.py")).startswith(
        ", line 2: SyntaxError: "
    )
    assert (
        refused(written(tmp_path, "\nx = 1\ny = x / 0\n", "top.py"))
        == ", line 2: ZeroDivisionError: division by zero"
    )
    lost = refused(written(tmp_path, "x = 1\nimport no_such_package\n", "lost.py"))
    assert lost == ", line 2: ModuleNotFoundError: No module named 'no_such_package'"
    assert (
        refused(written(tmp_path, "import sys\nsys.exit(3)\n", "early.py"))
        == ", line 2: SystemExit: 3"
    )


def test_a_function_that_cannot_be_called_is_named(tmp_path: Path) -> None:
    """Another name, no function, arguments, an error deep below it."""
    file = written(
        tmp_path,
        """
        import json
        names = {}
        def make_learner(): pass
        def asks(path, bs=4): pass
        def fails():
            return json.loads("{")
        """,
    )
    assert (
        refused(file, "make_lerner")
        == " has no function 'make_lerner'; did you mean 'make_learner'?"
    )
    assert (
        refused(file, "zzz") == " has no function 'zzz'; there are 'make_learner', 'asks', 'fails'"
    )
    assert refused(file, "names") == ": 'names' is a dict, not a function"
    assert (
        refused(file, "asks") == ": asks() is called without arguments, "
        "and there is a missing a required argument: 'path'"
    )
    assert refused(file, "fails").startswith(", line 6: JSONDecodeError: Expecting property name")


def test_what_is_no_learner_is_named(tmp_path: Path) -> None:
    """Nothing, something else, or loaders that lack something; with the line."""
    file = written(
        tmp_path,
        NUMBERS
        + textwrap.dedent(
            """
            def nothing(): pass
            def other(): return nn.Linear(1, 1)
            def learner(*loaders):
                model = nn.Linear(3, 1)
                return Learner(DataLoaders(*loaders), model, loss_func=nn.MSELoss())
            def alone(): return learner(DataLoader(items(4), bs=2))
            def empty(): return learner(DataLoader(items(4), bs=2), DataLoader([], bs=2))
            def unsized(): return learner(DataLoader(items(4), bs=None), DataLoader(items(4), bs=2))
            def endless():
                return learner(DataLoader((i for i in items(4)), bs=2), DataLoader(items(4), bs=2))
            """
        ),
    )
    lines = file.read_text().splitlines()
    problems = {
        "nothing": "None where a fastai Learner is expected",
        "other": "a torch.nn.modules.linear.Linear where a fastai Learner is expected",
        "alone": "a Learner with a training loader only; "
        "its dls needs one to train and one to validate on",
        "empty": "a validation loader without samples",
        "unsized": "a training loader without a batch size; recipes set it",
        "endless": "a training loader without a length; recipes count samples",
    }
    for name, problem in problems.items():
        at = next(n for n, text in enumerate(lines, 1) if text.startswith(f"def {name}("))
        assert refused(file, name) == f", line {at}: {name}() returned {problem}"


def test_out_of_memory_stays_what_it_is(tmp_path: Path) -> None:
    """A run that fails for memory is told from one that fails for its code."""
    file = written(
        tmp_path,
        "def make():\n    raise RuntimeError('CUDA out of memory. Tried to allocate 2 GiB')\n",
    )
    with pytest.raises(RuntimeError, match="CUDA out of memory"):
        inspected(file)


def test_the_users_modules_come_before_any_other(tmp_path: Path) -> None:
    """In a process of its own: `app` is the user's, and of ours only `executors` is imported."""
    file = written(tmp_path, NUMBERS)
    code = (
        "import json, sys\nfrom executors.tasks import find_task\n"
        "from executors.task import Settings\n"
        f"find_task('learner').inspect(Settings('learner', learner={f'{file}:make'!r}))\n"
        "ours = [name for name in ('kg', 'ingest') if name in sys.modules]\n"
        "print(json.dumps([sys.modules['app'].__file__, ours, sys.path[0]]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [str(tmp_path / "app.py"), [], str(tmp_path)]


def test_a_file_may_be_named_as_a_module_that_is_there(tmp_path: Path) -> None:
    """It is run all the same, and the other module stays."""
    import textwrap as before

    file = written(tmp_path, NUMBERS, "textwrap.py")
    assert inspected(file)[0].train == 40
    assert sys.modules["textwrap"] is before
