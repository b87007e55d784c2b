"""Headings and terms as names of concepts: the forms notes really use, and what names nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.names.labels import (
    heading_names,
    is_clipped,
    is_initials,
    merge_key,
    namings,
    term_name,
)
from kg.linking import key


@pytest.mark.parametrize(
    ("heading", "label", "aliases"),
    [
        ("Dropout", "Dropout", ()),
        ("Recurrent Neural Network | RNN", "Recurrent Neural Network", ("RNN",)),
        ("PCA - Principal Components Analysis", "Principal Components Analysis", ("PCA",)),
        ("Principal Components Analysis – PCA", "Principal Components Analysis", ("PCA",)),
        ("Mean Squared Error (MSE)", "Mean Squared Error", ("MSE",)),
        (
            "LSUV: Layerwise Sequential Unit Variance",
            "Layerwise Sequential Unit Variance",
            ("LSUV",),
        ),
        (
            "Exponentially Weighted Moving Average / EWMA",
            "Exponentially Weighted Moving Average",
            ("EWMA",),
        ),
        ("3.2 Weight Decay", "Weight Decay", ()),
        ("Lesson 4: Embeddings", "Embeddings", ()),
        ("2020-02-21-callbacks", "callbacks", ()),
        ("2024 03 12 Weight Decay", "Weight Decay", ()),
        ("Chapter 12 - Momentum", "Momentum", ()),
        ("What is a Skip Connection?", "Skip Connection", ()),
        ("The Learning Rate", "Learning Rate", ()),
        ("Introduction to Callbacks", "Callbacks", ()),
        ("Momentum - Keep track of EWMA of step", "Momentum", ()),
        ("`fit_one_cycle`", "fit_one_cycle", ()),
        ("k-means++", "k-means++", ()),
    ],
)
def test_a_heading_names_its_concept(heading: str, label: str, aliases: tuple[str, ...]) -> None:
    """Acronyms on either side, numbers, articles and questions around the name."""
    names = heading_names(heading)
    assert names is not None
    assert (names.label, names.aliases) == (label, aliases)


@pytest.mark.parametrize(
    ("heading", "label", "weak"),
    [
        ("Feature Loss | Perceptual Loss", "Feature Loss", "Perceptual Loss"),
        ("maximum likelihood: Gaussians", "maximum likelihood: Gaussians", "maximum likelihood"),
        ("Bayes theorem (proof)", "Bayes theorem (proof)", "Bayes theorem"),
        ("Annealing in PyTorch", "Annealing in PyTorch", "Annealing"),
        ("Variance and Covariance", "Variance and Covariance", "Covariance"),
    ],
)  # fmt: skip
def test_what_may_be_another_name_is_weak(heading: str, label: str, weak: str) -> None:
    """A second word for it, or the wider thing: kept apart from sure aliases."""
    names = heading_names(heading)
    assert names is not None and names.label == label
    assert weak in names.weak and weak not in names.aliases


@pytest.mark.parametrize(
    "heading", ["", " ", "2024", "---", "https://e.org", "?", "🎉", "…", "| |"]
)
def test_a_heading_without_words_names_nothing(heading: str) -> None:
    """Addresses, numbers and signs."""
    assert heading_names(heading) is None
    assert namings(heading) == ()


@pytest.mark.parametrize(
    ("heading", "labels"),
    [
        ("1D and 3D convolutions", ["1D and 3D convolutions"]),
        ("2 x 2 pooling", ["2 x 2 pooling", "x 2 pooling"]),
        ("4 Embeddings", ["4 Embeddings", "Embeddings"]),
        ("Train / dev / test sets", ["Train", "Train / dev / test sets"]),
        (
            "Minimum spanning tree - Kruskal's algorithm",
            ["Minimum spanning tree", "Kruskal's algorithm"],
        ),
        ("Old school: Cookies", ["Old school: Cookies", "Old school", "Cookies"]),
        ("Treap (Cartesian tree)", ["Treap (Cartesian tree)", "Treap", "Cartesian tree"]),
        ("Optimizer Foundations", ["Optimizer Foundations", "Optimizer"]),
        ("Embedding [22:51]", ["Embedding"]),
        ("🎲 3.2. Random Variable (1:02:03)", ["Random Variable"]),
    ],
)
def test_a_heading_may_be_called_by_each_of_its_parts(heading: str, labels: list[str]) -> None:
    """Around dashes, colons, slashes and brackets; stamps and numbers are no parts."""
    assert [names.label for names in namings(heading)] == labels


@given(st.text(max_size=60))
def test_any_heading_is_read(heading: str) -> None:
    """No heading is an error; names are not empty, and no name is given twice."""
    names = heading_names(heading)
    if names is not None:
        keys = [key(n) for n in (names.label, *names.aliases)]
        assert all(keys) and len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("term", "name"),
    [
        ("Batch size:", "Batch size"),
        ("the gradient", "gradient"),
        ("**Truncation**", "Truncation"),
        ("mixup", "mixup"),
    ],
)
def test_a_term_gives_its_name(term: str, name: str) -> None:
    """Without article, marks and colon."""
    assert term_name(term) == name


@pytest.mark.parametrize(
    ("short", "long", "so"),
    [
        ("RNN", "Recurrent Neural Network", True),
        ("RNNs", "Recurrent Neural Networks", True),
        ("MSE", "Mean of the Squared Error", True),
        ("ULMFiT", "Universal Language Model Fine-Tuning", True),
        ("SGD", "Stochastic Gradient Descent with Restarts", False),
        ("ResNets", "Residual Networks", True),
        ("ResNet", "Recurrent Neural Network", False),
        ("rnn", "recurrent neural network", False),
        ("A", "Affine", False),
        ("CNN", "Recurrent Neural Network", False),
    ],
)
def test_initials(short: str, long: str, so: bool) -> None:
    """All words count, small ones may be left out; an acronym is written in capitals."""
    assert is_initials(short, long) is so


@pytest.mark.parametrize(
    ("short", "long", "so"),
    [
        ("batchnorm", "Batch Normalization", True),
        ("RegExp", "Regular Expressions", True),
        ("ConvNet", "Convolutional Network", True),
        ("autoencoder", "Auto-Encoder", True),
        ("unet", "U-Net", False),  # a letter alone says too little; spelling joins these
        ("batch", "Batch Normalization", False),
        ("normalization", "Norm Alignment", False),
        ("batch norm", "Batch Normalization", False),
        ("convolution", "Convolution", False),
        ("", "Batch Normalization", False),
        ("∇", "∇ ∇", False),
    ],
)
def test_words_cut_short(short: str, long: str, so: bool) -> None:
    """One word, of three letters at least of each of several."""
    assert is_clipped(short, long) is so


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Tokenising", "Tokenization"),
        ("mini-batch", "minibatches"),
        ("Mini Batches", "minibatch"),
        ("Regularisation", "Regularization"),
        ("Normalising", "normalization"),
        ("Optimiser", "optimizers"),
        ("U-Net", "unet"),
        ("Skip-Connections", "skip connection"),
        ("Fine-tuning", "finetuning"),
        ("Batch sizes", "batch size"),
    ],
)
def test_spellings_of_one_name_merge(one: str, other: str) -> None:
    """British and American, hyphen, space or neither, one or many."""
    assert merge_key(one) == merge_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("optimizer", "optimization"), ("k-means", "k-means++"), ("variance", "covariance"),
        ("RNN", "CNN"),
        ("loss", "lossy"), ("embedding", "embed"), ("training", "train"), ("pooling", "pool"),
    ],
)  # fmt: skip
def test_different_names_do_not(one: str, other: str) -> None:
    """Near in letters, different in meaning."""
    assert merge_key(one) != merge_key(other)
