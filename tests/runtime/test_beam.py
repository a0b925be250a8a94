"""Beam search: transformers' sequences and scores for tiny llamas, its caches, its refusals."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_llama

import edgeward
from edgeward.beam import BeamOptions, BeamSearch
from edgeward.cancel import CancelToken
from edgeward.errors import MemoryLimit, OptionError
from edgeward.model import Model

CASES = json.loads((Path(__file__).parents[1] / "data/golden/beams.json").read_text())["cases"]
PROMPT = "hello world, tell me something"
# float32 sums of log-probabilities, rounded to six digits in the file.
SCORE = 2e-4
SETTINGS = ("num_beams", "length_penalty", "early_stopping", "max_tokens")


@pytest.fixture(scope="module")
def float_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Packs of the golden models, in float32."""
    made: dict[int, Path] = {}

    def pack(seed: int) -> Path:
        if seed not in made:
            folder = tmp_path_factory.mktemp("beams") / f"seed{seed}"
            made[seed] = tiny_llama.write_pack(folder, seed=seed, bits=32)
        return made[seed]

    return pack


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_sequences_and_scores_are_those_of_transformers(
    float_model: Callable[[int], Path], seed: int
) -> None:
    cases = [case for case in CASES if case["seed"] == seed]
    assert len(cases) == 18
    with edgeward.load(float_model(seed), threads=1) as model:
        for case in cases:
            model._requests.stop_ids = frozenset(case["ends"])
            reply = model.generate(
                case["prompt"],
                num_return_sequences=case["num_beams"],
                **{name: case[name] for name in SETTINGS},
            )
            assert [list(beam.token_ids) for beam in reply.beams] == case["sequences"]
            scores = [beam.score for beam in reply.beams]
            assert np.abs(np.subtract(scores, case["scores"])).max() < SCORE
            assert reply.token_ids == tuple(case["sequences"][0])


def test_the_goldens_end_at_many_lengths_and_for_every_reason() -> None:
    lengths = {len(s) for case in CASES for s in case["sequences"]}
    assert len(lengths) >= 7
    assert any(len(s) == c["max_tokens"] for c in CASES for s in c["sequences"])
    assert any(len(s) < c["max_tokens"] for c in CASES for s in c["sequences"])


def test_the_best_of_all_texts_is_found_when_nothing_is_dropped() -> None:
    # Three tokens, three steps, and as many beams as there are texts: an exhaustive search.
    table = np.log(np.random.default_rng(3).dirichlet(np.ones(3), size=3))
    search = BeamSearch(BeamOptions(num_beams=27, length_penalty=0.0), 3, frozenset())
    tops = [list(enumerate(table[0]))]
    while steps := search.step(tops):
        tops = [list(enumerate(table[step.token])) for step in steps]
    texts = {
        (a, b, c): table[0][a] + table[a][b] + table[b][c]
        for a in range(3)
        for b in range(3)
        for c in range(3)
    }
    best = max(texts, key=lambda text: texts[text])
    assert search.best()[0].ids == best
    assert search.best()[0].score == pytest.approx(texts[best])


def test_a_reply_has_its_sequences_best_first(tiny_model: Model) -> None:
    reply = tiny_model.generate(PROMPT, num_beams=4, num_return_sequences=3, max_tokens=12)
    assert len(reply.beams) == 3
    assert [b.score for b in reply.beams] == sorted((b.score for b in reply.beams), reverse=True)
    assert (reply.text, reply.token_ids) == (reply.beams[0].text, reply.beams[0].token_ids)
    assert len({b.token_ids for b in reply.beams}) == 3
    again = tiny_model.generate(PROMPT, **reply.receipt.sampling)
    assert again.beams == reply.beams
    greedy = tiny_model.generate(PROMPT, temperature=0, max_tokens=12, logprobs=0)
    assert greedy.logprobs is not None
    # Scores are per token: the greedy answer may be a shorter one.
    mean = sum(p.logprob for p in greedy.logprobs) / len(greedy.logprobs)
    assert reply.beams[0].score >= mean - 1e-3


def test_asyncio_and_threads_give_the_same(tiny_model: Model) -> None:
    setting: dict[str, Any] = {"num_beams": 3, "max_tokens": 8}
    alone = tiny_model.generate(PROMPT, **setting)
    assert asyncio.run(tiny_model.agenerate(PROMPT, **setting)).beams == alone.beams
    chat = tiny_model.chat(PROMPT, **setting)
    assert asyncio.run(tiny_model.achat(PROMPT, **setting)).beams == chat.beams
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(tiny_model.generate(PROMPT, **setting).beams))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone.beams] * 3


def test_bans_hold_in_every_beam(tiny_model: Model) -> None:
    free = tiny_model.generate(PROMPT, num_beams=3, max_tokens=10, num_return_sequences=3)
    banned = free.token_ids[0]
    held = tiny_model.generate(
        PROMPT,
        num_beams=3,
        max_tokens=10,
        num_return_sequences=3,
        banned_ids=[banned],
        no_repeat_ngram_size=2,
        min_tokens=10,
    )
    for beam in held.beams:
        assert banned not in beam.token_ids
        pairs = list(zip(beam.token_ids, beam.token_ids[1:], strict=False))
        assert len(pairs) == len(set(pairs))
        assert len(beam.token_ids) == 10


def test_a_cancelled_search_says_so_and_gives_its_caches_back(tiny_model: Model) -> None:
    cancel = CancelToken()
    cancel.cancel()
    reply = tiny_model.generate(PROMPT, num_beams=3, cancel=cancel)
    assert (reply.finish_reason, reply.text, reply.beams) == ("cancelled", "", ())
    assert tiny_model._pool.lent == 0


def test_beams_beyond_the_memory_limit_are_refused(tiny_pack: Path) -> None:
    with edgeward.load(tiny_pack, threads=1) as model:
        model._pool._limit = 2
        with pytest.raises(MemoryLimit):
            model.generate(PROMPT, num_beams=3, max_tokens=4)
        assert model._pool.lent == 0
        assert len(model.generate(PROMPT, num_beams=2, max_tokens=4).beams) == 1


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"num_beams": 0}, "num_beams is 0; it must be a whole number from 1 to 64"),
        ({"num_beams": 65}, "from 1 to 64"),
        ({"num_beams": 2.0}, "num_beams is 2.0"),
        ({"num_beams": 2, "num_return_sequences": 3}, "from 1 to num_beams, which is 2"),
        ({"num_beams": 2, "length_penalty": float("nan")}, "length_penalty is nan"),
        ({"num_beams": 2, "early_stopping": "maybe"}, "True, False or 'never'"),
        ({"num_beams": 2, "early_stopping": 1}, "early_stopping is 1"),
        ({"length_penalty": 0.5}, "give num_beams of 2 or more"),
        ({"num_return_sequences": 1, "early_stopping": True}, "give num_beams of 2 or more"),
        ({"num_beams": 2, "stream": True}, "leave out stream"),
        ({"num_beams": 2, "temperature": 0.5}, "temperature is 0.5"),
        ({"num_beams": 2, "top_k": 5}, "top_k is 5"),
        ({"num_beams": 2, "mirostat_tau": 5.0}, "mirostat_tau is 5.0"),
        ({"num_beams": 2, "stop": "x"}, "stop is"),
        ({"num_beams": 2, "logprobs": 1}, "logprobs is 1"),
        ({"num_beams": 2, "forced_ids": [1]}, "forced_ids is"),
        ({"num_beams": 2, "response_format": {"type": "json_object"}}, "no response_format"),
    ],
)
def test_what_makes_no_sense_is_refused(
    tiny_model: Model, setting: dict[str, Any], says: str
) -> None:
    with pytest.raises(OptionError) as refused:
        tiny_model.generate(PROMPT, **setting)
    assert says in str(refused.value)


def test_one_beam_is_no_beam_search(tiny_model: Model) -> None:
    setting: dict[str, Any] = {"max_tokens": 6, "seed": 3}
    plain = tiny_model.generate(PROMPT, **setting)
    one = tiny_model.generate(PROMPT, num_beams=1, num_return_sequences=None, **setting)
    assert one.token_ids == plain.token_ids
    assert one.beams == ()
