"""fastai v1 in old notes is recognised; code of v2 and of other libraries is left alone."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contract import answer_json
from app.fastai_v1 import names as old_names
from app.fastai_v1.recognise import annotated, mentioned, modernise, updates
from app.paths import starter_notes
from kg.types import Answer

_CALLBACKS = "from fastai.callback.all import *"


def answered(text: str) -> Answer:
    """An answer of this text."""
    return Answer("q", "answered", "fact", 0.9, text, fastai_v1=updates(text))


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        (
            "from fastai.vision import *",
            [("from fastai.vision import *", "from fastai.vision.all import *")],
        ),
        (
            "from fastai.widgets import x",
            [("from fastai.widgets import …", "from fastai.vision.widgets import *")],
        ),
        (
            "from fastai.callbacks.hooks import *",
            [("from fastai.callbacks.hooks import *", _CALLBACKS)],
        ),
        ("bears = ImageDataBunch.from_folder(p)", [("ImageDataBunch", "ImageDataLoaders")]),
        ("learn = create_cnn(bears, resnet34)", [("create_cnn", "vision_learner")]),
        (
            "cnn_learner(d, resnet18, callbacks=[Stop()])",
            [("cnn_learner", "vision_learner"), ("callbacks=", "cbs=")],
        ),
        ("learn.fit_one_cycle(2, max_lr=slice(1e-5, 1e-3))", [("max_lr=", "lr_max=")]),
        (
            "learn.lr_find(); learn.recorder.plot()",
            [("learn.recorder.plot()", "learn.recorder.plot_lr_find()")],
        ),
        (
            "learn.recorder.plot_losses()",
            [("learn.recorder.plot_losses()", "learn.recorder.plot_loss()")],
        ),
        ("n = len(learn.data.train_ds)", [("learn.data", "learn.dls")]),
        (
            "learn_c.destroy()",
            [("learn_c.destroy()", "del learn; gc.collect(); torch.cuda.empty_cache()")],
        ),
        (
            "mb = gpu_mem_get_free_no_cache()",
            [("gpu_mem_get_free_no_cache", "torch.cuda.mem_get_info()[0]")],
        ),
        ("ImageCleaner(worst, order, p)", [("ImageCleaner", "ImageClassifierCleaner(learn)")]),
        ("get_transforms(max_rotate=15., max_warp=0)", [("get_transforms", "aug_transforms")]),
        ("PeakMemMetric(learn)", [("PeakMemMetric", "")]),
    ],
)
def test_one_thing_of_v1_is_replaced(code: str, wanted: list[tuple[str, str]]) -> None:
    """Each thing that old notes have is found with what v2 calls it, or with "" and the reason."""
    found = modernise(code)
    assert [(r.old, r.new) for r in found] == wanted
    assert all(r.why for r in found)


CHAIN = """\
# my bears, cnn_learner comes later
src = (ImageList.from_folder(home)
       .split_by_rand_pct(.1)
       .label_from_folder()
       .transform(get_transforms(), size=96)
       .databunch(bs=16)
       .normalize(imagenet_stats))
"""


def test_a_chain_of_data_blocks_is_told_step_by_step() -> None:
    """Each method has its own line, a class of a common name counts beside them."""
    assert [(r.line, r.old) for r in modernise(CHAIN)] == [
        (2, "ImageList"),
        (3, ".split_by_rand_pct()"),
        (4, ".label_from_folder()"),
        (5, "get_transforms"),
        (6, ".databunch()"),
        (7, ".normalize()"),
    ]


def test_code_that_does_not_parse_is_read_all_the_same() -> None:
    """A magic, an ellipsis, half a line and an open bracket hide nothing."""
    code = (
        "%matplotlib inline\n!pip install x\n"
        "learn = cnn_learner(dls, ...\nfor x in\n  learn.destroy()"
    )
    assert [(r.line, r.old) for r in modernise(code)] == [
        (3, "cnn_learner"),
        (5, "learn.destroy()"),
    ]


@pytest.mark.parametrize(
    "code",
    [
        "model.fit(x, y, callbacks=[EarlyStopping(patience=3)])",  # Keras
        "trainer = pl.Trainer(callbacks=[checkpoint])",  # Lightning
        "sched = OneCycleLR(opt, max_lr=1e-2, total_steps=9)",  # torch
        "def get_transforms(train):\n    return []\nt = get_transforms(train=True)",
        "tfms = get_transforms(data='train')",  # somebody's own, from elsewhere
        "from mylib import ImageList\nImageList.from_folder('x')",
        "x = F.normalize(x)\ny = df.data\nw.data.zero_()\nlearning.data.x()",
        "plot.recorder.show(); rec.plot(); ax.plot(losses)",
        "s = 'ImageDataBunch'  # create_cnn",
        '"""learn.destroy()\ncnn_learner"""',
        "class ImageDataBunch:\n    pass\nImageDataBunch()",
        "learn = vision_learner(dls, resnet18, "
        "cbs=[MixUp()]).to_fp16()\nlearn.fit_one_cycle(3, lr_max=1e-3)",
        "from fastai.vision.all import *\nfrom fastai.collab import *\nfrom "
        "fastai.vision.widgets import *",
        "learn.lr_find()\nlearn.recorder.plot_sched()\nlearn.dls.vocab",
        "img = open_image(path)\nt = ImageList(images, sizes)",  # names that others have too
    ],
)
def test_other_code_gives_nothing(code: str) -> None:
    """v2, torch, Keras, Lightning, own names, strings and comments are no fastai v1."""
    assert modernise(code) == []


def test_the_starter_notes_are_of_v2() -> None:
    """No false alarm in any code block or line of the notes that come with Gradus."""
    notes = sorted(starter_notes().glob("*.md"))
    assert len(notes) >= 10
    assert [(n.name, r) for n in notes for r in updates(n.read_text(encoding="utf-8"))] == []


def test_fastais_own_source_is_of_v2() -> None:
    """What is reported in 2.8's own training and tabular modules is not what v2 has."""
    for name in (
        "callback/schedule.py",
        "callback/tracker.py",
        "tabular/data.py",
        "vision/data.py",
        "vision/utils.py",
    ):
        assert modernise((_fastai() / name).read_text(encoding="utf-8")) == [], name


def _fastai() -> Path:
    spec = importlib.util.find_spec("fastai")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0])


def _told() -> Iterator[str]:
    for table in (
        old_names.NAMES,
        old_names.FAMILIAR,
        old_names.METHODS,
        old_names.OF_LEARNER,
        old_names.IMPORTS,
    ):
        yield from (new for new, _ in table.values())
    yield from (new for _, (new, _) in old_names.ARGUMENTS.values())


def test_what_v2_is_said_to_have_it_has() -> None:
    """Every class, function and module that is recommended is defined in the installed fastai."""
    defined, modules = set[str](), set[str]()
    for path in _fastai().rglob("*.py"):
        modules.add(".".join(("fastai", *path.relative_to(_fastai()).with_suffix("").parts)))
        tree = ast.parse(path.read_text(encoding="utf-8"))
        kinds = ast.ClassDef | ast.FunctionDef
        defined |= {node.name for node in ast.walk(tree) if isinstance(node, kinds)}
        given = [t for node in tree.body if isinstance(node, ast.Assign) for t in node.targets]
        defined |= {
            name.id for target in given for name in ast.walk(target) if isinstance(name, ast.Name)
        }
    for new in _told():
        for name in re.findall(
            r"\b(?:(?!True\b)[A-Z]\w+|plot_\w+|\w+_learner|aug_transforms|\w+_label|test_dl|top_losses)\b",
            new,
        ):
            assert name in defined, new
        for module in re.findall(r"from (fastai[\w.]*)", new):
            assert module in modules, new


def test_prose_that_names_v1_is_told_once() -> None:
    """A bare name in a list, but none in an address or beside its successor."""
    text = (
        "- FileDeleter/ImageCleaner\n- ImageCleaner\n"
        "- [docs](https://x.org/data#ImageDataBunch)\n- .databunch"
    )
    assert [(r.line, r.old) for r in mentioned(text)] == [
        (1, "FileDeleter"),
        (1, "ImageCleaner"),
        (4, ".databunch"),
    ]
    assert mentioned("`cnn_learner` is called `vision_learner` today.") == []


def test_an_answer_has_a_line_below_the_old_code() -> None:
    """The line stands behind the code's mark; a code block that is no Python gets none."""
    text = "See.\n\n```python\nlearn.destroy()\n```\n\n[1]\n\n```text\nlearn.destroy()\n```\n\n[2]"
    shown = annotated(answered(text))
    before, line, after = shown.partition("*fastai v1: in v2* `learn.destroy()` → ")
    assert before.endswith("[1]\n\n")
    assert line
    assert "fastai v1" not in after
    assert [(r.line, r.old) for r in updates(text)] == [(4, "learn.destroy()")]


def test_what_has_no_successor_is_said_plainly() -> None:
    """No arrow to nowhere: the reason stands in its place."""
    assert "`GPUMemTrace`: fastai v2 has no such trace" in annotated(
        answered("```\nwith GPUMemTrace():\n    pass\n```")
    )


def test_the_json_of_an_answer_has_the_replacements() -> None:
    """`fastai_v1` lists them with their line in the answer, or is empty."""
    answer = answered("Use it: [1]\n\n```python\nx = 1\nlearn.data\n```")
    (replacement,) = answer_json(answer)["fastai_v1"]
    assert replacement == {"line": 5, "old": "learn.data", "new": "learn.dls", "why": "renamed"}
    assert answer_json(answered("Nothing [1]"))["fastai_v1"] == []


@given(st.text(alphabet="abl.()[]{}'\"#\n\\`= \tlearndt0", max_size=80))
def test_no_text_breaks_it(text: str) -> None:
    """Any text is read to its end, and an answer without v1 is shown as it is."""
    lines = text.count("\n") + 1
    assert all(1 <= r.line <= lines for r in modernise(text))
    if not updates(text):
        assert annotated(answered(text)) == text.rstrip()
