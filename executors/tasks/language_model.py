"""Language model: learns to say the next word of a folder's texts, a CSV's, or docstrings.

Checking needs pandas at most; torch and fastai are imported where a learner is built.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from executors.errors import BadInput
from executors.inputs.texts import SEQUENCE, Texts, read_texts, sample_texts, split_line, words
from executors.networks.awd_lstm import (
    DEFAULT_ARCH,
    FULL,
    LADDER,
    network,
    save_encoder,
    sizes_of,
)
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
    "save_encoder",
    "snippet",
    "template",
]

NAME = "language-model"
TITLE = "Language model"
EXPECTS = (
    "A folder of .txt or .md files, with or without train/ and valid/ above them, or a CSV file "
    "with a column 'text' (another can be named as the target); the sample is docstrings of "
    "installed packages."
)
SAID = (
    (
        "language model",
        "language modelling",
        "language modeling",
        "ulmfit",
        "next word",
        "text generation",
        "text generator",
    ),
    (),
    ("lm", "corpus", "corpora"),
    ("awd_lstm", "awd-lstm"),
)
_FEWEST_SEQUENCES = 8
_TEMPLATE = 8


def default_size(settings: Settings) -> int | None:
    """None: a text has no size in px."""
    return None


def inspect(settings: Settings, verify: bool = True) -> Source:
    """Find the texts; samples are sequences of 72 words, which are counted without the tokenizer.

    Raises
    ------
    BadParameter
        When the sizes of the network cannot be read.
    BadInput
        When there are no texts, or too few words.
    """
    sizes_of(settings)
    texts = (
        read_texts(settings.data, settings.target, settings.seed, labelled=False)
        if settings.data
        else sample_texts(settings.seed, labelled=False)
    )
    held = set(texts.valid)
    counts = [words(text) for text in texts.texts]
    valid = sum(count for number, count in enumerate(counts) if number in held)
    train = sum(counts) - valid
    fewest = _FEWEST_SEQUENCES * SEQUENCE
    for name, count in (("train", train), ("validate", valid)):
        if count < fewest:
            raise BadInput(
                f"{texts.title}: {count} words are left to {name} on; at least {fewest} are needed"
            )
    notes = (
        *texts.notes,
        f"a sample is a sequence of {SEQUENCE} words; their number is an estimate",
    )
    title = f"{texts.title}, {sum(counts)} words"
    return Source(title, train // SEQUENCE, valid // SEQUENCE, notes, texts, texts.doubts)


def build(
    source: Source, settings: Settings, size: int | None, batch_size: int, device: str, folder: Path
) -> Built:
    """A `language_model_learner` of AWD-LSTM; frozen to its embedding where it is pretrained."""
    from fastai.data.block import DataBlock
    from fastai.data.transforms import ColReader, IndexSplitter
    from fastai.metrics import Perplexity, accuracy
    from fastai.text.data import TextBlock
    from fastai.text.learner import language_model_learner
    from fastai.text.models.awdlstm import AWD_LSTM, awd_lstm_lm_config
    from pandas import DataFrame

    texts: Texts = source.content
    sizes, pretrained, notes = network(settings)
    block = DataBlock(
        TextBlock.from_df("text", is_lm=True, seq_len=SEQUENCE, n_workers=0),
        get_x=ColReader("text"),
        splitter=IndexSplitter(list(texts.valid)),
    )
    loaders = block.dataloaders(
        DataFrame({"text": texts.texts}),
        bs=batch_size,
        val_bs=max(
            1, min(batch_size, source.valid // 2)
        ),  # a loader of less than a row would be empty
        num_workers=0,
        device=device,
        path=folder,
    )
    learner = language_model_learner(
        loaders,
        AWD_LSTM,
        config={**awd_lstm_lm_config, **sizes.config()},
        pretrained=pretrained,
        metrics=[accuracy, Perplexity()],
        path=folder,
    )
    return Built(learner, pretrained, (*notes, f"the vocabulary has {len(loaders.vocab)} words"))


def template(loader: Any) -> tuple[Any, ...]:
    """(words (b, 72) int, the words that follow (b, 72) int) of the first rows."""
    batch = loader.do_batch([loader.do_item(index) for index in range(min(_TEMPLATE, loader.bs))])
    return tuple(batch)


def finish(loader: Any, batch: tuple[Any, ...]) -> tuple[Any, ...]:
    """The batch as it is, but for what the loader does to batches."""
    return tuple(loader.after_batch(batch))


def snippet(
    source: Source, settings: Settings, size: int | None, batch_size: int, pretrained: bool
) -> str:
    """Imports, `dls` and `learn` on the same texts."""
    texts: Texts = source.content
    sizes = sizes_of(settings)
    lines = ["from fastai.text.all import *", "", *texts.code, ""]
    lines += [
        f"block = DataBlock(TextBlock.from_df('text', is_lm=True, seq_len={SEQUENCE}, "
        "n_workers=0),",
        f"                  get_x=ColReader('text'), splitter={split_line(texts, settings.seed)})",
        f"dls = block.dataloaders(df, bs={batch_size})",
    ]
    config = ""
    if sizes != FULL:
        lines.append(f"config = {{**awd_lstm_lm_config, **{sizes.config()!r}}}")
        config = "config=config, "
    lines.append(
        f"learn = language_model_learner(dls, AWD_LSTM, {config}pretrained={pretrained}, "
        "metrics=[accuracy, Perplexity()])"
    )
    return "\n".join(lines) + "\n"
