"""Learners on texts train, are what their snippets make, and start from saved encoders."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from fastai.callback.core import Callback, CancelFitException
from fastai.torch_core import set_seed

from executors.errors import BadInput, BadParameter
from executors.networks import awd_lstm
from executors.task import Built, Settings, Source
from executors.tasks import find_task
from executors.tasks.language_model import save_encoder

SMALL = "16,24,2"
TOPICS = {
    "sea": "the boat sails over the blue water and the wind fills its sails "
    "near the harbour at dawn",
    "wood": "the fox walks under tall trees where mushrooms and ferns grow "
    "beside a narrow muddy path",
}


class StopSoon(Callback):
    """Ends training after one batch."""

    def after_batch(self) -> None:
        raise CancelFitException


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of thirty texts; the last of all is by far the longest."""
    path = tmp_path_factory.mktemp("texts") / "places"
    for name, text in TOPICS.items():
        (path / name).mkdir(parents=True)
        for number in range(30):
            (path / name / f"{number:02d}.txt").write_text(f"{text} {number}. " * (2 + number % 3))
    (path / "wood" / "long.txt").write_text(TOPICS["wood"] * 20)
    return path


def built(settings: Settings, folder: Path, batch_size: int = 8) -> tuple[Source, Built]:
    task = find_task(settings.task)
    source = task.inspect(settings)
    set_seed(settings.seed)
    return source, task.build(source, settings, None, batch_size, "cpu", folder)


def trained(learner: Any) -> None:
    """One epoch without a word; every weight is a number afterwards."""
    with learner.no_bar(), learner.no_logging():
        learner.fit(1, lr=1e-3)
    assert all(bool(value.isfinite().all()) for value in learner.model.state_dict().values())
    assert len(learner.recorder.values[0]) == 2 + len(learner.metrics)


def executed(
    source: Source,
    settings: Settings,
    pretrained: bool,
    monkeypatch: pytest.MonkeyPatch,
    place: Path,
) -> Any:
    """The learner that the snippet makes, after one batch."""
    monkeypatch.chdir(place)
    code = find_task(settings.task).snippet(source, settings, None, 8, pretrained)
    assert sum(line.startswith("dls = ") for line in code.splitlines()) == 1
    names: dict[str, Any] = {}
    exec(compile(code, "snippet", "exec"), names)
    learner = names["learn"]
    with learner.no_bar(), learner.no_logging():
        learner.fit(1, cbs=StopSoon())
    return learner


def shapes(learner: Any) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in learner.model.state_dict().items()}


@pytest.fixture(scope="module")
def encoder(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language model's encoder, as a run leaves it."""
    folder = tmp_path_factory.mktemp("run")
    _, made = built(Settings("language-model", str(texts), arch=SMALL), folder)
    trained(made.learner)
    assert save_encoder(made.learner, folder) == folder / "encoder.pth"
    return folder


def test_a_language_model_trains_and_its_snippet_runs(
    texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sequences of 72 words and the ones that follow; the first metric is better when higher."""
    settings = Settings("language-model", str(texts), arch=SMALL)
    source, made = built(settings, tmp_path)
    trained(made.learner)
    assert made.higher_is_better and [metric.name for metric in made.learner.metrics] == [
        "accuracy",
        "perplexity",
    ]
    assert not made.pretrained and any("random" in note for note in made.notes)
    words, following = find_task(settings.task).template(made.learner.dls.train)
    assert words.shape == following.shape == (8, 72)
    assert torch.equal(words[:, 1:], following[:, :-1])
    counted = sum(len(part[0]) for part in made.learner.dls.train_ds) / 72
    assert abs(source.train - counted) < 0.25 * counted
    made_again = executed(source, settings, made.pretrained, monkeypatch, tmp_path)
    assert {name: size[-1:] for name, size in shapes(made_again).items() if "rnns" in name} == {
        name: size[-1:] for name, size in shapes(made.learner).items() if "rnns" in name
    }


def test_a_language_model_validates_with_a_batch_larger_than_its_held_out_texts(
    texts: Path, tmp_path: Path
) -> None:
    """A loader of less than a row would be empty, and no loss would be measured."""
    source, made = built(
        Settings("language-model", str(texts), arch=SMALL), tmp_path, batch_size=60
    )
    assert source.valid < 60 and len(made.learner.dls.valid) > 0


def test_a_book_is_cut_at_its_empty_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One long text is enough for a language model."""
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "book.md").write_text(
        "\n\n".join(f"{text} {n}." for n in range(90) for text in TOPICS.values())
    )
    settings = Settings("language-model", str(tmp_path / "book"), arch=SMALL)
    source = find_task("language-model").inspect(settings)
    assert "so few texts are cut at their empty lines, into 180 parts" in source.notes
    learner = executed(source, settings, False, monkeypatch, tmp_path)
    assert len(learner.dls.train_ds) + len(learner.dls.valid_ds) == 180


def test_a_classifier_trains_on_the_longest_text(
    texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trials of memory repeat the longest text alone: batches are to be sorted by length."""
    settings = Settings("text-classification", str(texts), arch=SMALL)
    source, made = built(settings, tmp_path)
    task, loader = find_task(settings.task), made.learner.dls.train
    words, labels = task.template(loader)
    longest = max(len(text) for text, _ in made.learner.dls.train_ds)
    assert words.shape == (1, longest) and labels.shape == (1,) and longest > 200
    assert all(batch[0].shape[1] <= longest for batch in loader)
    trained(made.learner)
    executed(source, settings, made.pretrained, monkeypatch, tmp_path)


def test_a_classifier_starts_from_a_saved_encoder(
    texts: Path, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights and vocabulary are the language model's, all but the head is frozen."""
    settings = Settings("text-classification", str(texts), encoder=str(encoder))
    source, made = built(settings, tmp_path)
    saved = torch.load(encoder / "encoder.pth", weights_only=True)
    assert made.learner.dls.vocab[0] == json.loads((encoder / "encoder.vocab.json").read_text())
    for learner in (
        made.learner,
        executed(source, settings, made.pretrained, monkeypatch, tmp_path),
    ):
        now = learner.model[0].module.state_dict()
        assert set(now) == set(saved) and all(torch.equal(now[name], saved[name]) for name in saved)
        assert not any(weight.requires_grad for weight in learner.model[0].parameters())
        assert all(weight.requires_grad for weight in learner.model[1].parameters())
    assert made.pretrained
    trained(made.learner)


def test_a_classifiers_encoder_is_saved_too(texts: Path, encoder: Path, tmp_path: Path) -> None:
    """What was saved from a classifier is read by another."""
    _, made = built(Settings("text-classification", str(texts), encoder=str(encoder)), tmp_path)
    file = save_encoder(made.learner, tmp_path)
    before, after = (
        torch.load(place, weights_only=True) for place in (encoder / "encoder.pth", file)
    )
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert (
        file.with_suffix(".vocab.json").read_text() == (encoder / "encoder.vocab.json").read_text()
    )


def test_an_encoder_that_does_not_fit_is_named(texts: Path, encoder: Path, tmp_path: Path) -> None:
    """Another vocabulary, other weights, no weights, sizes beside the encoder's own."""

    def message() -> str:
        with pytest.raises(BadInput) as caught:
            built(Settings("text-classification", str(texts), encoder=str(tmp_path)), tmp_path)
        return str(caught.value)

    shutil.copy(encoder / "encoder.pth", tmp_path)
    (tmp_path / "encoder.vocab.json").write_text('["a", "b"]')
    assert (
        "words, and encoder.vocab.json beside it has 2; they are not of the same run" in message()
    )
    torch.save({"weight": torch.zeros(2)}, tmp_path / "encoder.pth")
    assert "encoder.pth holds no encoder of AWD-LSTM" in message()
    torch.save({"model": Path}, tmp_path / "encoder.pth")  # would run code when it is read
    assert "encoder.pth cannot be read as saved weights" in message()
    (tmp_path / "encoder.pth").write_bytes(b"no weights")
    assert "encoder.pth cannot be read as saved weights" in message()
    with pytest.raises(BadParameter, match="the encoder has its own sizes; leave '16,24,2' out"):
        built(
            Settings("text-classification", str(texts), arch=SMALL, encoder=str(encoder)), tmp_path
        )


@pytest.mark.parametrize("task", ["language-model", "text-classification"])
def test_the_samples_snippet_runs(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads the same docstrings that the sample is made of."""
    settings = Settings(task)
    source = find_task(task).inspect(settings)
    learner = executed(source, settings, False, monkeypatch, tmp_path)
    items = [*learner.dls.train_ds.items["text_length"], *learner.dls.valid_ds.items["text_length"]]
    assert len(items) == 400


def test_pretrained_weights_at_hand_are_used(
    texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """fastai's folder is looked into and not made; words that the weights know keep theirs."""
    monkeypatch.setenv("FASTAI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(awd_lstm, "FULL", awd_lstm.Sizes(16, 24, 2))  # fastai's own would be 90 MB
    settings = Settings("language-model", str(texts), arch=SMALL)
    _, made = built(settings, tmp_path)
    assert (
        made.notes[0]
        == "the weights are random, because wt103-fwd is not in fastai's folder of models"
    )
    assert not (tmp_path / "home").exists() and not made.pretrained
    known = tmp_path / "home" / "models" / "wt103-fwd"
    known.mkdir(parents=True)
    torch.save(made.learner.model.state_dict(), known / "weights.pth")
    (known / "vocab.pkl").write_bytes(pickle.dumps(list(made.learner.dls.vocab)))
    for task in ("language-model", "text-classification"):
        _, again = built(Settings(task, str(texts), arch=SMALL), tmp_path)
        assert (
            again.pretrained
            and again.notes[0] == "the weights are pretrained on Wikipedia (wt103-fwd)"
        )
        encoder = getattr(again.learner.model[0], "module", again.learner.model[0])
        vocab = again.learner.dls.vocab if task == "language-model" else again.learner.dls.vocab[0]
        for word in ("boat", "ferns"):
            before = made.learner.model[0].encoder.weight[made.learner.dls.vocab.index(word)]
            assert torch.equal(encoder.encoder.weight[vocab.index(word)], before)
        assert not any(weight.requires_grad for weight in encoder.rnns[0].parameters())
