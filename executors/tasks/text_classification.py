"""Text classification on a folder of texts per class, a CSV file, or docstrings.

It starts from random weights, from fastai's pretrained ones, or from the encoder of a language
model that a run saved. Checking needs pandas at most; torch and fastai are imported where a learner
is built.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executors.errors import BadParameter
from executors.inputs.texts import SEQUENCE, Texts, read_texts, sample_texts, split_line
from executors.networks.awd_lstm import (
    DEFAULT_ARCH,
    FULL,
    LADDER,
    Sizes,
    load_encoder,
    network,
    read_vocab,
    sizes_of,
)
from executors.parameters import both
from executors.task import Built, Settings, Source

__all__ = [
    "DEFAULT_ARCH",
    "EXPECTS",
    "LADDER",
    "NAME",
    "SAID",
    "TITLE",
    "build",
    "default_size",
    "finish",
    "inspect",
    "snippet",
    "template",
]

NAME = "text-classification"
TITLE = "Text classification"
EXPECTS = (
    "A folder with one subfolder of .txt or .md files per class, with or without train/ and "
    "valid/ above them, or a CSV file with classes as the target and texts in 'text' or the "
    "longest column; an encoder can be given; the sample is docstrings."
)
SAID = (
    (
        "text classification",
        "text classifier",
        "text classifying",
        "classify texts",
        "classify text",
        "sentiment",
        "spam",
        "imdb",
    ),
    (),
    (
        "labelled corpus",
        "annotated corpus",
        "ticket",
        "review",
        "tweet",
        "email",
        "e-mail",
        "texts",
        "text model",
        "text column",
        "text data",
        "complaint",
        "chat message",
        "text message",
        "comment",
        "headline",
        "abstract",
        "transcript",
        "my documents",
        "our documents",
        "my messages",
        "our messages",
        "my articles",
        "our articles",
        "contracts",
    ),
)


@dataclass(frozen=True, slots=True)
class _Sample:
    """Texts, and the encoder to start from with its vocabulary, if there is one."""

    texts: Texts
    encoder: Path | None
    vocab: tuple[str, ...]


def default_size(settings: Settings) -> int | None:
    """None: a text has no size in px."""
    return None


def inspect(settings: Settings, verify: bool = True) -> Source:
    """Find the texts and their classes, and the encoder.

    Raises
    ------
    BadParameter
        When the sizes of the network cannot be read, or are asked for although an encoder has its
        own.
    BadInput
        When a file, row or column cannot be used, or the encoder or its vocabulary is missing.
    """
    sizes_of(settings)
    if settings.encoder and settings.arch:
        raise BadParameter(
            f"{both('arch')}: the encoder has its own sizes; leave '{settings.arch}' out"
        )
    encoder, vocab = read_vocab(settings.encoder) if settings.encoder else (None, [])
    texts = (
        read_texts(settings.data, settings.target, settings.seed, labelled=True)
        if settings.data
        else sample_texts(settings.seed, labelled=True)
    )
    title = texts.title if settings.data else f"{texts.title} in {len(texts.classes)} classes"
    train = len(texts.texts) - len(texts.valid)
    sample = _Sample(texts, encoder, tuple(vocab))
    return Source(title, train, len(texts.valid), texts.notes, sample, texts.doubts)


def build(
    source: Source, settings: Settings, size: int | None, batch_size: int, device: str, folder: Path
) -> Built:
    """A `text_classifier_learner` of AWD-LSTM; frozen to its head if its encoder has learned."""
    from fastai.metrics import accuracy
    from fastai.text.learner import text_classifier_learner
    from fastai.text.models.awdlstm import AWD_LSTM, awd_lstm_clas_config

    sample: _Sample = source.content
    weights: dict[str, Any] = {}
    if sample.encoder is None:
        sizes, pretrained, notes = network(settings)
    else:
        weights, sizes = load_encoder(sample.encoder, len(sample.vocab))
        pretrained = False
        notes = (
            f"the encoder is {sample.encoder.name} of {sample.encoder.parent.name}, "
            "its vocabulary its own",
        )
    loaders = _loaders(sample, batch_size, device, folder)
    learner = text_classifier_learner(
        loaders,
        AWD_LSTM,
        config={**awd_lstm_clas_config, **sizes.config()},
        pretrained=pretrained,
        metrics=accuracy,
        path=folder,
    )
    if weights:
        learner.model[0].module.load_state_dict(weights)
        learner.freeze()
    known = f"the vocabulary has {len(loaders.vocab[0])} words"
    return Built(learner, pretrained or bool(weights), (*notes, known))


def template(loader: Any) -> tuple[Any, ...]:
    """(words (1, longest) int, classes (1,)) of the longest text alone."""
    longest = max(range(len(loader.res)), key=lambda index: loader.res[index])
    return tuple(loader.do_batch([loader.do_item(longest)]))


def finish(loader: Any, batch: tuple[Any, ...]) -> tuple[Any, ...]:
    """The batch as it is, but for what the loader does to batches."""
    return tuple(loader.after_batch(batch))


def snippet(
    source: Source, settings: Settings, size: int | None, batch_size: int, pretrained: bool
) -> str:
    """Imports, `dls` and `learn` on the same texts."""
    sample: _Sample = source.content
    lines = ["from fastai.text.all import *", "", *sample.texts.code, ""]
    vocab = ""
    if sample.encoder is not None:
        file = str(sample.encoder.with_suffix(""))
        lines.append(
            f"vocab = json.loads(Path({file + '.vocab.json'!r}).read_text(encoding='utf-8'))"
        )
        vocab = "vocab=vocab, "
    lines += [
        f"block = DataBlock((TextBlock.from_df('text', {vocab}seq_len={SEQUENCE}, n_workers=0), "
        "CategoryBlock),",
        "                  get_x=ColReader('text'), get_y=ColReader('label'),",
        f"                  splitter={split_line(sample.texts, settings.seed)})",
        f"dls = block.dataloaders(df, bs={batch_size})",
    ]
    if sample.encoder is not None:
        _, sizes = load_encoder(sample.encoder, len(sample.vocab))
        lines += [
            _learner_line(sizes, pretrained=False),
            f"learn.load_encoder({file!r})",
        ]
    else:
        lines.append(_learner_line(sizes_of(settings), pretrained))
    return "\n".join(lines) + "\n"


def _learner_line(sizes: Sizes, pretrained: bool) -> str:
    config = "" if sizes == FULL else f"config={{**awd_lstm_clas_config, **{sizes.config()!r}}}, "
    more = f"{config}pretrained={pretrained}, metrics=accuracy"
    return f"learn = text_classifier_learner(dls, AWD_LSTM, {more})"


def _loaders(sample: _Sample, batch_size: int, device: str, folder: Path) -> Any:
    """fastai's loaders; texts of about the same length share a batch, the longest come first."""
    from fastai.data.block import CategoryBlock, DataBlock
    from fastai.data.transforms import ColReader, IndexSplitter
    from fastai.text.data import TextBlock
    from pandas import DataFrame

    texts = sample.texts
    words = TextBlock.from_df(
        "text", vocab=list(sample.vocab) or None, seq_len=SEQUENCE, n_workers=0
    )
    block = DataBlock(
        (words, CategoryBlock(vocab=list(texts.classes))),
        get_x=ColReader("text"),
        get_y=ColReader("label"),
        splitter=IndexSplitter(list(texts.valid)),
    )
    frame = DataFrame({"text": texts.texts, "label": texts.labels})
    return block.dataloaders(frame, bs=batch_size, num_workers=0, device=device, path=folder)
