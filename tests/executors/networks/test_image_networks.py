"""Networks by name: what fastai cannot use is refused with the reason, weights at hand are used."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision

from executors.errors import BadParameter
from executors.networks.networks import NETWORKS, check_arch
from executors.task import Built, Settings
from executors.tasks import find_task

TIMM = pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="timm is not installed")
SIZE = 32


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other on a busy machine make a step a hundred times slower."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torch's folder of pretrained weights, empty."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    return tmp_path / "hub" / "checkpoints"


def build(settings: Settings, folder: Path, size: int = SIZE) -> Built:
    task = find_task(settings.task)
    return task.build(task.inspect(settings), settings, size, 4, "cpu", folder)


@pytest.mark.parametrize(
    ("arch", "reason"),
    [
        ("vit_b_16", "'vit_b_16' cannot be used: fastai finds no pooling layer"),
        ("mobilenet_v2", "'mobilenet_v2' cannot be used: fastai finds no pooling layer"),
        ("shufflenet_v2_x1_0", "fastai cuts it off after its first layer"),
        ("inception_v3", "its layers do not follow one after the other"),
        ("resnet81", "there is no architecture 'resnet81'; try resnet18"),
        ("", ""),
    ],
)
def test_a_network_that_cannot_be_used_says_why(arch: str, reason: str) -> None:
    """Before anything is built; none asked for is the default."""
    if not reason:
        check_arch(arch)
        return
    with pytest.raises(BadParameter) as caught:
        check_arch(arch, unet=True)
    assert reason in str(caught.value)


def test_refused_networks_are_those_that_fastai_cannot_cut() -> None:
    """A refusal that a later fastai makes wrong is found here."""
    from fastai.vision.learner import create_vision_model

    with pytest.raises(StopIteration):
        create_vision_model(torchvision.models.mobilenet_v2, 2, pretrained=False)
    body = create_vision_model(torchvision.models.shufflenet_v2_x1_0, 2, pretrained=False)[0]
    assert len(list(body.parameters())) == 3


def test_every_network_is_one_of_torchvision() -> None:
    """With weights to fetch, and each once."""
    assert len(set(NETWORKS)) == len(NETWORKS)
    for name in NETWORKS:
        assert torchvision.models.get_model_weights(name).DEFAULT.url.startswith("https://")


@pytest.mark.parametrize("arch", ["mobilenet_v3_small", "regnet_x_400mf", "squeezenet1_0"])
def test_networks_train_from_32_px_on(arch: str, tmp_path: Path) -> None:
    """As a classifier and in a U-Net; the body is a group of its own, so that it can be frozen."""
    for task in ("image-classification", "segmentation"):
        learner = build(Settings(task, arch=arch, pretrained=False), tmp_path).learner
        batch = learner.dls.one_batch()
        learner.loss_func(learner.model(batch[0]), batch[1]).backward()
        learner.freeze()
        assert len(learner.opt.param_lists) > 1 and 0 < learner.opt.frozen_idx < len(
            learner.opt.param_lists
        )


@pytest.mark.parametrize("arch", ["squeezenet1_1", "regnet_x_400mf"])
def test_weights_at_hand_are_used_and_the_body_is_frozen(
    arch: str, hub: Path, tmp_path: Path
) -> None:
    """Images are normalised as the weights want them, and the note names the file."""
    network = getattr(torchvision.models, arch)()
    file = torchvision.models.get_model_weights(arch).DEFAULT.url.rsplit("/", 1)[-1]
    torch.save(network.state_dict(), hub / file)
    for task in ("multi-label", "segmentation"):
        made = build(Settings(task, arch=arch), tmp_path)
        assert made.pretrained and file in made.notes[0]
        body = made.learner.model.parameters()
        assert torch.equal(next(body).cpu(), next(network.parameters()))
        assert made.learner.opt.frozen_idx > 0
        assert any(type(step).__name__ == "Normalize" for step in made.learner.dls.after_batch.fs)


def test_the_feature_loss_sees_with_the_weights_at_hand(hub: Path, tmp_path: Path) -> None:
    """And it is said whether it does."""
    from torchvision.models.vgg import cfgs, make_layers

    layers = make_layers(cfgs["D"], batch_norm=True)
    torch.save(
        {f"features.{name}": part for name, part in layers.state_dict().items()},
        hub / "vgg16_bn-6c64b313.pth",
    )
    settings = Settings("restoration", arch="squeezenet1_1")
    made = build(settings, tmp_path)
    assert torch.equal(made.learner.loss_func.layers[0].weight, layers[0].weight)
    assert made.notes[-1] == (
        "the loss compares features of vgg16_bn; the weights are pretrained on ImageNet "
        "(vgg16_bn-6c64b313.pth)"
    )
    task = find_task("restoration")
    assert "vgg16_bn(weights='DEFAULT')" in task.snippet(
        task.inspect(settings), settings, SIZE, 4, pretrained=False
    )
    (hub / "vgg16_bn-6c64b313.pth").unlink()
    assert "vgg16_bn()" in task.snippet(task.inspect(settings), settings, SIZE, 4, pretrained=False)


@pytest.mark.skipif(importlib.util.find_spec("timm") is not None, reason="timm is installed")
def test_without_timm_that_is_said() -> None:
    """Its networks are unknown then."""
    with pytest.raises(BadParameter, match="timm, which has more, is not installed"):
        check_arch("resnet10t")


@TIMM
def test_a_network_of_timm_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name alone; its weights come from the hub's cache when they are there."""
    import huggingface_hub
    import timm
    from safetensors.torch import save_file

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    settings = Settings("image-classification", arch="resnet10t")
    task = find_task(settings.task)
    made = build(settings, tmp_path)
    assert (
        not made.pretrained and "timm/resnet10t.c3_in1k is not in the hub's cache" in made.notes[0]
    )
    snapshot = tmp_path / "cache" / "models--timm--resnet10t.c3_in1k" / "snapshots" / "1234"
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("1234")
    network = timm.create_model("resnet10t")
    save_file(network.state_dict(), snapshot / "model.safetensors")
    made = build(settings, tmp_path)
    assert made.pretrained and made.learner.opt.frozen_idx == 1
    assert torch.equal(made.learner.model[0].model.conv1[0].weight.cpu(), network.conv1[0].weight)
    x, y = made.learner.dls.one_batch()
    made.learner.loss_func(made.learner.model(x), y).backward()
    code = task.snippet(task.inspect(settings), settings, SIZE, 4, pretrained=False)
    assert "vision_learner(dls, 'resnet10t', pretrained=False" in code


def test_a_snippet_loads_the_same_weights(
    hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a network that fastai does not list; it normalises images as these weights want."""
    from fastai.vision.learner import model_meta

    settings = Settings("multi-label", arch="regnet_x_400mf")
    file = torchvision.models.get_model_weights(settings.arch).DEFAULT.url.rsplit("/", 1)[-1]
    torch.save(torchvision.models.regnet_x_400mf().state_dict(), hub / file)
    made, task = build(settings, tmp_path), find_task(settings.task)
    code = task.snippet(task.inspect(settings), settings, SIZE, 4, made.pretrained)
    monkeypatch.delitem(model_meta, torchvision.models.regnet_x_400mf)
    names: dict[str, Any] = {"__name__": "snippet"}
    exec(compile(code, "snippet", "exec"), names)
    ours, theirs = made.learner, names["learn"]
    assert torch.equal(next(ours.model.parameters()).cpu(), next(theirs.model.parameters()).cpu())
    assert any(type(step).__name__ == "Normalize" for step in theirs.dls.after_batch.fs)
    assert theirs.opt.frozen_idx == ours.opt.frozen_idx == 1


@TIMM
def test_a_network_of_timm_for_another_size_says_so(tmp_path: Path) -> None:
    """Many take images of one size only; and none can be in a U-Net."""
    settings = Settings("image-classification", arch="vit_tiny_patch16_224", pretrained=False)
    with pytest.raises(
        BadParameter, match=r"'vit_tiny_patch16_224' does not work in fastai at 32 px: Input height"
    ):
        build(settings, tmp_path)
    with pytest.raises(
        BadParameter, match="is timm's, and fastai builds a U-Net on torchvision's only"
    ):
        check_arch("resnet10t", unet=True)
