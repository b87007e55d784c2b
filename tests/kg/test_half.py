"""The default encoder in bfloat16: bits that depend on a text alone, near those of float32."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg import alone, half
from kg import encoder as encoding
from kg.encoder import Encoder, default_encoder_folder, load_encoder

# The steps of lengths that they cross are half.STEP apart; the last is cut off by the model.
TEXTS = [" ".join([f"Note {i} says:", *["loss", "falls,"] * i]) for i in range(14)]
TEXTS += ["", "🎉", "学习率", "drop\udcffout", "words " * 400]

pytestmark = pytest.mark.skipif(
    not half.has_bfloat16(), reason="this CPU does not compute in bfloat16"
)
Bits = tuple[bytes, bytes, bytes]


def _bits(encoder: Encoder, texts: list[str]) -> list[Bits]:
    vectors, words = encoder.encode_notes(texts)
    return [
        (vector.tobytes(), read.vectors.tobytes(), read.spans.tobytes())
        for vector, read in zip(vectors, words, strict=True)
    ]


@given(st.lists(st.integers(0, len(TEXTS) - 1), min_size=1, max_size=60))
@settings(max_examples=15, deadline=None)
def test_what_a_text_gives_depends_on_it_alone(encoder: Encoder, chosen: list[int]) -> None:
    """To the last bit, in whatever row, beside whatever texts, as often as it comes."""
    expected = _bits(encoder, TEXTS)
    assert _bits(encoder, [TEXTS[i] for i in chosen]) == [expected[i] for i in chosen]


def test_how_many_cores_there_are_changes_no_bit(encoder: Encoder) -> None:
    """Each batch is of one core, whatever torch is set to."""
    import torch

    before, threads = _bits(encoder, TEXTS), torch.get_num_threads()
    try:
        for count in (3, 2, 1):
            torch.set_num_threads(count)
            alone._cores.cache_clear()
            assert _bits(encoder, TEXTS[::-1])[::-1] == before
    finally:
        torch.set_num_threads(threads)
        alone._cores.cache_clear()


def test_it_is_the_model_but_for_rounding(encoder: Encoder) -> None:
    """The same spans; unit vectors whose cosine with those of float32 is nearly 1."""
    vectors, words = encoder.encode_notes(TEXTS)
    whole, read = encoder.encode_words(TEXTS)
    assert vectors.dtype == np.float32 and vectors.shape == (len(TEXTS), 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors * whole).sum(axis=1).min() > 0.9995
    assert not np.array_equal(vectors, whole)
    for one, other in zip(words, read, strict=True):
        np.testing.assert_array_equal(one.spans, other.spans)
        assert (one.vectors * other.vectors).sum(axis=1).min(initial=1) > 0.998


def test_progress_counts_texts_up_to_all(encoder: Encoder) -> None:
    """As batches are done; without texts nothing is told and there are no vectors."""
    calls: list[tuple[int, int]] = []
    encoder.encode_notes(TEXTS, lambda done, n: calls.append((done, n)))
    assert calls == sorted(calls) and calls[-1] == (len(TEXTS), len(TEXTS))
    assert encoder.encode_notes([], lambda done, n: pytest.fail("told"))[0].shape == (0, 384)


def test_another_model_and_another_cpu_read_in_float32(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rounding was measured with the default encoder; without bfloat16 it is slow."""
    expected = encoder.encode_words(TEXTS[:5])[0]
    other = load_encoder(str(default_encoder_folder()))
    np.testing.assert_array_equal(other.encode_notes(TEXTS[:5])[0], expected)
    monkeypatch.setattr(encoding, "has_bfloat16", lambda: False)
    np.testing.assert_array_equal(encoder.encode_notes(TEXTS[:5])[0], expected)
