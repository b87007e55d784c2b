"""Every image task builds a learner that trains, and a snippet that does the same."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fastai.callback import progress  # noqa: F401 - gives Learner its no_bar
from fastai.callback.core import Callback, CancelTrainException, CancelValidException
from fastai.vision.core import imagenet_stats
from PIL import Image
from sklearn.datasets import load_sample_images

from executors.errors import BadInput
from executors.task import Built, Settings
from executors.tasks import IMAGE_TASKS, find_task

SIZE, BATCH = 32, 4
LOWER = ("image-regression", "gan")  # whose first metric is better when lower
MODES = ("RGB", "L", "RGBA", "P", "1", "LA", "RGB", "RGB", "I;16", "CMYK")


class EndEarly(Callback):
    """Ends training and validation after a batch each, and keeps the losses."""

    def before_fit(self) -> None:
        self.losses = list[float]()

    def after_batch(self) -> None:
        self.losses.append(float(self.loss.detach()))
        raise CancelTrainException if self.training else CancelValidException


def train(learner: Any) -> None:
    """One batch, and one of validation if there is any; the losses are numbers."""
    ending = EndEarly()
    with learner.no_bar(), learner.no_logging():
        learner.fit(1, lr=1e-4, cbs=[ending])
    assert len(ending.losses) == 1 + (learner.dls.valid.n > 0) and np.isfinite(ending.losses).all()


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other on a busy machine make a step a hundred times slower."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def odd_images(folder: Path, start: int = 0) -> list[Path]:
    """Ten images of different modes and sizes, one of which lies on its side."""
    folder.mkdir(parents=True)
    found = []
    for number, mode in enumerate(MODES):
        noise = np.random.default_rng(number).integers(
            0, 256, (40 + number, 50 - number, 3), "uint8"
        )
        image = (
            Image.new("I;16", (50, 40), 9999)
            if mode == "I;16"
            else Image.fromarray(noise).convert(mode)
        )
        exif = Image.Exif()
        exif[0x0112] = 6 if number == 7 else 1
        path = folder / f"{start + number}.{'jpg' if mode == 'CMYK' else 'png'}"
        image.save(path, exif=exif)
        found.append(path)
    (folder / ".hidden.png").write_text("no image")
    return found


def shown_size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size[::-1] if image.getexif().get(0x0112) == 6 else image.size


def own_files(task: str, folder: Path) -> Path:
    """Odd files in the layout of the task."""
    if task == "image-classification":
        odd_images(folder / "cats")
        odd_images(folder / "dogs", 10)
    elif task == "segmentation":
        images = odd_images(folder / "images")
        (folder / "masks").mkdir()
        for path in images:
            wide, high = shown_size(path)
            values = np.random.default_rng(0).choice(
                np.array([0, 1, 2, 255], "uint8"), (high, wide)
            )
            Image.fromarray(values).save(folder / "masks" / f"{path.stem}.png")
    else:
        images = odd_images(folder)
        tables: dict[str, list[tuple[object, ...]]] = {
            "multi-label": [
                ("file", "labels"),
                *((path.name, "sky" if n % 2 else "sky sea") for n, path in enumerate(images)),
            ],
            "image-regression": [
                ("file", "x1", "y1", "x2", "y2"),
                *((path.name, 0, 0, *shown_size(path)) for path in images),
            ],
        }
        if lines := tables.get(task):
            name = "labels.csv" if task == "multi-label" else "points.csv"
            with (folder / name).open("w", newline="") as file:
                csv.writer(file).writerows(lines)
    return folder


def settings_for(task: str, data: str = "") -> Settings:
    return Settings(task, data, arch="" if task == "gan" else "squeezenet1_1", pretrained=False)


@pytest.fixture(
    params=[(task, own) for task in IMAGE_TASKS for own in (False, True)],
    ids=lambda param: f"{param[0]}-{'own' if param[1] else 'sample'}",
)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Each task on its sample, and on files of the user's own."""
    task, own = request.param
    return settings_for(task, str(own_files(task, tmp_path / "photos")) if own else "")


def built(settings: Settings, folder: Path) -> tuple[Any, Built]:
    task = find_task(settings.task)
    source = task.inspect(settings)
    return source, task.build(source, settings, SIZE, BATCH, "cpu", folder)


def test_a_task_trains(settings: Settings, tmp_path: Path) -> None:
    """Also as trials train it: a template, finished as the loader would, repeated to any size."""
    task = find_task(settings.task)
    source, made = built(settings, tmp_path)
    learner = made.learner
    assert (learner.dls.train.n, learner.dls.valid.n) == (source.train, source.valid)
    assert (made.pretrained, made.higher_is_better) == (False, settings.task not in LOWER)
    assert learner.path == tmp_path and len(learner.metrics) > 0
    template = task.template(learner.dls.train)
    assert (
        len(template) == 2 and len({len(part) for part in template}) == 1 and len(template[0]) > 2
    )
    x, y = task.finish(learner.dls.train, tuple(part[torch.arange(3)] for part in template))
    real = learner.dls.one_batch()
    assert (x.shape[1:], x.dtype, y.shape[1:], y.dtype) == (
        real[0].shape[1:],
        real[0].dtype,
        real[1].shape[1:],
        real[1].dtype,
    )
    train(learner)


def test_a_snippet_trains_on_the_same(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It needs nothing of ours, and gives batches and a network of the same shapes."""
    task = find_task(settings.task)
    source, made = built(settings, tmp_path)
    code = task.snippet(source, settings, SIZE, BATCH, pretrained=False)
    assert sum(line.startswith("dls = ") for line in code.splitlines()) == 1
    assert "executors" not in code
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    names: dict[str, Any] = {"__name__": "snippet"}
    exec(compile(code, "snippet", "exec"), names)
    learner = names["learn"]
    assert (learner.dls.train.n, learner.dls.valid.n) == (source.train, source.valid)
    assert [part.shape for part in learner.dls.one_batch()] == [
        part.shape for part in made.learner.dls.one_batch()
    ]
    ours, theirs = ([p.shape for p in each.model.parameters()] for each in (made.learner, learner))
    assert ours == theirs
    assert [metric.name for metric in learner.metrics] == [
        metric.name for metric in made.learner.metrics
    ]
    train(learner)


@pytest.mark.parametrize("own", [False, True], ids=["split by chance", "split by folders"])
def test_a_snippet_respects_decisions(own: bool, tmp_path: Path) -> None:
    """It trains on the same images in the same classes as the learner."""
    folder = tmp_path / "photos"
    for part in ("train", "valid") if own else ("",):
        own_files("image-classification", folder / part)
    start = "train/" if own else ""
    moved, deleted = f"{start}cats/1.png", f"{start}dogs/12.png"
    (folder / "decisions.csv").write_text(
        f"file,decision\n{moved},dogs\n{deleted},delete\n{start}cats/2.png,keep\n"
    )
    settings = settings_for("image-classification", str(folder))
    source, made = built(settings, tmp_path)
    task = find_task(settings.task)
    names: dict[str, Any] = {"__name__": "snippet"}
    exec(
        compile(task.snippet(source, settings, SIZE, BATCH, pretrained=False), "snippet", "exec"),
        names,
    )
    files = [*names["dls"].train_ds.items, *names["dls"].valid_ds.items]
    found = {file: names["label"](file) for file in files}
    assert found == dict((*source.content.train, *source.content.valid)) and len(files) == len(
        found
    )
    assert found[folder / moved] == "dogs" and folder / deleted not in found
    if own:
        assert {file for file, _ in source.content.valid} == set(names["dls"].valid_ds.items)
    assert list(names["dls"].vocab) == list(made.learner.dls.vocab) == ["cats", "dogs"]


def test_points_are_scaled_by_their_own_image(tmp_path: Path) -> None:
    """The corners of every image, upright or on its side, are -1 and 1."""
    _, made = built(
        settings_for("image-regression", str(own_files("image-regression", tmp_path / "photos"))),
        tmp_path,
    )
    points = torch.cat(
        [batch[1] for batch in (made.learner.dls.one_batch(), made.learner.dls.valid.one_batch())]
    )
    assert torch.allclose(
        points.as_subclass(torch.Tensor), torch.tensor([[-1.0, -1.0], [1.0, 1.0]]).expand_as(points)
    )


def test_void_is_counted_by_neither_loss_nor_metric(tmp_path: Path) -> None:
    """What stands at a void pixel changes nothing."""
    from executors.networks.metrics import DiceWithoutVoid

    _, made = built(
        settings_for("segmentation", str(own_files("segmentation", tmp_path / "photos"))), tmp_path
    )
    learner, (_, y) = made.learner, made.learner.dls.one_batch()
    assert 255 in y and learner.metrics[0].name == "dice_without_void"
    right = (
        torch.nn.functional.one_hot(
            torch.where(y == 255, 0, y).as_subclass(torch.Tensor), 3
        ).movedim(-1, 1)
        * 20.0
    )
    other = right.clone()
    other[:, 2] += 99.0 * (y == 255)

    class Seen:
        def __init__(self, pred: torch.Tensor) -> None:
            self.pred, self.y = pred, y

    for pred in (right, other):
        assert float(learner.loss_func(pred, y)) < 1e-6
        metric = DiceWithoutVoid(255)
        metric.reset()
        metric.accumulate(Seen(pred))
        assert metric.value == 1


def test_mask_values_survive_resizing(tmp_path: Path) -> None:
    """No value comes about between two classes."""
    _, made = built(
        settings_for("segmentation", str(own_files("segmentation", tmp_path / "photos"))), tmp_path
    )
    assert set(made.learner.dls.one_batch()[1].unique().tolist()) == {0, 1, 2, 255}


def test_restoring_is_from_worse_to_the_image_itself(tmp_path: Path) -> None:
    """The input is a worse version of the same crop, always the same; the target is the file's."""
    source, made = built(settings_for("restoration"), tmp_path)
    samples = made.learner.dls.valid
    x, y = (part.as_subclass(torch.Tensor) for part in samples.one_batch())
    again, _ = (part.as_subclass(torch.Tensor) for part in samples.one_batch())
    assert torch.equal(x, again)
    worse, flat = (x - y).abs().mean(), (y - y.mean(dim=(2, 3), keepdim=True)).abs().mean()
    assert 0 < worse < flat  # further from the target than itself, nearer than a plain colour
    mean, std = (torch.tensor(part) for part in imagenet_stats)
    photo = (
        load_sample_images().images[0][:64, 512:576] / 255
    )  # (64, 64, 3), the first crop to validate on
    assert np.allclose(y[0].mean(dim=(1, 2)) * std + mean, photo.mean(axis=(0, 1)), atol=0.01)
    assert source.valid == samples.n == 24


def test_a_worse_image_is_worse_by_its_seed() -> None:
    """The same image and seed give the same; another seed another."""
    from executors.inputs.worse import worsen

    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 48, 3), "uint8"))
    first = worsen(image, 1)
    assert (first.size, first.mode) == ((48, 32), "RGB")
    assert first.tobytes() == worsen(image, 1).tobytes() != worsen(image, 2).tobytes()


def test_psnr_is_that_of_the_formula() -> None:
    """A tenth of the range is 20 dB, however the images were normalised."""
    from executors.networks.metrics import psnr

    target = torch.full((2, 3, 8, 8), 0.5)
    assert float(psnr(target + 0.1, target)) == pytest.approx(20, abs=1e-3)
    mean, std = (
        torch.tensor([0.1, 0.2, 0.3]).reshape(3, 1, 1),
        torch.tensor([0.5, 0.6, 0.7]).reshape(3, 1, 1),
    )
    pred, wanted = ((image - mean) / std for image in (target + 0.1, target))
    assert float(psnr(pred, wanted, mean=[0.1, 0.2, 0.3], std=[0.5, 0.6, 0.7])) == pytest.approx(
        20, abs=1e-3
    )


def test_the_feature_loss_is_nothing_for_equal_images() -> None:
    """It grows with the difference, has a gradient, and its network never learns."""
    from torchvision.models.vgg import cfgs, make_layers

    from executors.training.feature_loss import FeatureLoss

    torch.manual_seed(0)
    loss = FeatureLoss(make_layers(cfgs["A"], batch_norm=True)).train()
    target = torch.rand(2, 3, 32, 32)
    assert float(loss(target, target)) == 0
    near, far = target + 0.05 * torch.randn_like(target), target + 0.5 * torch.randn_like(target)
    assert 0 < float(loss(near, target)) < float(loss(far, target))
    pred = near.clone().requires_grad_()
    before = [part.clone() for part in loss.state_dict().values()]
    loss(pred, target).backward()
    assert pred.grad is not None and float(pred.grad.abs().sum()) > 0
    assert not any(p.requires_grad for p in loss.parameters())
    assert all(
        torch.equal(one, other)
        for one, other in zip(before, loss.state_dict().values(), strict=True)
    )
    features = torch.rand(2, 4, 3, 5)
    gram = torch.einsum("bchw,bdhw->bcd", features, features) / (4 * 3 * 5)
    assert torch.allclose(loss.gram_matrix(features), gram)


def test_a_gan_trains_both_halves_again_and_again(tmp_path: Path) -> None:
    """Three steps change generator and critic, also after the optimizer was made anew."""
    _, made = built(settings_for("gan", str(own_files("gan", tmp_path / "photos"))), tmp_path)
    learner = made.learner
    for _ in range(2):
        halves = learner.model.generator, learner.model.critic
        before = [[p.detach().clone() for p in half.parameters()] for half in halves]
        learner.opt = None
        with learner.no_bar(), learner.no_logging():
            learner.fit(2, lr=1e-3)
        for half, old in zip(halves, before, strict=True):
            assert any(
                not torch.equal(one, other)
                for one, other in zip(half.parameters(), old, strict=True)
            )


def test_a_cut_off_image_is_named_in_every_task(tmp_path: Path) -> None:
    """What its header does not show is found before anything is built."""
    for task in ("multi-label", "restoration", "gan"):
        folder = own_files(task, tmp_path / task)
        path = folder / "0.png"
        path.write_bytes(path.read_bytes()[:1000])
        with pytest.raises(BadInput, match=r"cannot be read: 0\.png \(image file is truncated"):
            find_task(task).inspect(settings_for(task, str(folder)))
