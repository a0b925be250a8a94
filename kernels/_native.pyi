"""Types of the C++ module; `mypy.stubtest` proves them against the binary."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, final

import numpy as np
from numpy.typing import NDArray

def active_isa() -> str: ...
def supported_isas() -> list[str]: ...
def cpu_features() -> list[str]: ...

@final
class Team:
    """Threads that work on one call at a time, the caller among them; see kernels/ops/team.h.

    `spin_us`: how long a thread that waits spins before it sleeps; 0 saves energy.
    """

    def __init__(self, threads: int, *, spin_us: int = 200, pin: bool = False) -> None: ...
    @property
    def size(self) -> int: ...
    def exercise(self, rounds: int) -> bool:
        """Whether barriers and shared work hold over many rounds, each thread checking the rest."""

@final
class PackedMatrix:
    """A quantized matrix in the layout of kernels/ops/format.h.

    `format`: q4_0, q4_1, q8_0, q8_1, q4_k, q5_k or q6_k. `values`: int8 (rows, cols), what the
    scale multiplies. `scales`: float32 (rows, cols / 32), q6_k: (rows, cols / 16). `minima`:
    float32 (rows, cols / 32) for formats that have them. Raises ValueError for values out of the
    format's range and for numbers that the format does not store exactly.
    """

    def __init__(
        self,
        format: str,
        values: NDArray[np.int8],
        scales: NDArray[np.float32],
        minima: NDArray[np.float32] | None = None,
    ) -> None: ...
    @property
    def rows(self) -> int: ...
    @property
    def cols(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    def row(self, row: int) -> NDArray[np.float32]:
        """The weights of one row."""
    def multiply(
        self,
        x: NDArray[np.float32],
        *,
        team: Team | None = None,
        chunk: int = 2,
        add_to: NDArray[np.float32] | None = None,
        isa: str | None = None,
    ) -> NDArray[np.float32]:
        """x (tokens, cols), quantized, times the matrix: (tokens, rows); plus `add_to`.

        `chunk`: groups of 16 rows that a thread takes at a time. No argument but x, add_to changes
        a bit of the result.
        """
    def multiply_gated(
        self,
        up: PackedMatrix,
        x: NDArray[np.float32],
        activation: str,
        *,
        team: Team | None = None,
        isa: str | None = None,
    ) -> tuple[NDArray[np.int8], NDArray[np.float32], NDArray[np.float32]]:
        """activation(self x) * (up x), quantized as `quantize_rows` does."""

@final
class KvCache:
    """Keys and values of one layer and one sequence; see kernels/ops/kv_cache.h.

    `head_dim`: a multiple of 16 up to 512. `context`: a multiple of 64.
    """

    def __init__(
        self, kv_heads: int, head_dim: int, context: int, *, int8: bool = False
    ) -> None: ...
    def append(
        self,
        position: int,
        keys: NDArray[np.float32],
        values: NDArray[np.float32],
        *,
        isa: str | None = None,
    ) -> None:
        """Stores (tokens, kv_heads * head_dim) from `position` on."""
    def attend(
        self,
        queries: NDArray[np.float32],
        position: int,
        *,
        heads: int,
        scale: float = 1.0,
        soft_cap: float = 0.0,
        window: int = 0,
        split: bool = False,
        team: Team | None = None,
        isa: str | None = None,
    ) -> NDArray[np.float32]:
        """softmax(scale q k) v of queries (tokens, heads * head_dim), the first at `position`.

        `split`, `team` and how many tokens come at once change no bit of the result.
        """

def quantize_rows(
    x: NDArray[np.float32], *, isa: str | None = None
) -> tuple[NDArray[np.int8], NDArray[np.float32], NDArray[np.float32]]:
    """Values, a scale per 32, scale * sum of values; x is (rows, cols), cols a multiple of 32."""

def rms_norm(
    x: NDArray[np.float32], weight: NDArray[np.float32], epsilon: float, *, isa: str | None = None
) -> NDArray[np.float32]: ...
def rotate(
    head: NDArray[np.float32],
    cosines: NDArray[np.float32],
    sines: NDArray[np.float32],
    *,
    pairs: bool = False,
    isa: str | None = None,
) -> NDArray[np.float32]: ...
def gate(
    activation: str, gate: NDArray[np.float32], up: NDArray[np.float32], *, isa: str | None = None
) -> NDArray[np.float32]:
    """activation(gate) * up; activation is silu or gelu_tanh."""

def add(
    x: NDArray[np.float32], y: NDArray[np.float32], *, isa: str | None = None
) -> NDArray[np.float32]: ...
def top_values(
    x: NDArray[np.float32], count: int, *, first_id: int = 0, isa: str | None = None
) -> tuple[list[int], list[float]]:
    """Ids and values of the largest, largest first; among equals the lower id."""

# Times by the wall clock for `edgeward bench operators`, in seconds.
def time_multiply(
    matrices: Sequence[PackedMatrix], tokens: int, team: Team, *, isa: str | None = None
) -> float:
    """One pass over matrices of one shape, a barrier after each."""

def time_attend(
    cache: KvCache,
    tokens: int,
    position: int,
    heads: int,
    repeats: int,
    team: Team,
    *,
    isa: str | None = None,
) -> float: ...
def time_dots(rounds: int, team: Team, *, isa: str | None = None) -> tuple[float, float]:
    """int8 operations of all threads, and seconds: the limit of products."""

def time_fmas(rounds: int, team: Team, *, isa: str | None = None) -> tuple[float, float]:
    """float32 operations of all threads, and seconds: the limit of attention."""

def time_read(
    matrices: Sequence[PackedMatrix], team: Team, *, isa: str | None = None
) -> tuple[float, float]:
    """Bytes and seconds of reading the matrices once: the limit of one row."""

def time_barriers(team: Team, count: int) -> float: ...
def philox4x32_10(
    counter: Annotated[Sequence[int], 4], key: Annotated[Sequence[int], 2]
) -> list[int]: ...

@final
class Sampler:
    """Draws tokens for one request; the order and meaning of its steps are in docs/sampling.md.

    A setting that is off costs nothing. Holds the history that penalties need and scratch memory
    that stops growing after the first steps. One request, one thread at a time: a second caller
    gets `RuntimeError`. Every argument out of range is a `ValueError` with the value and the range.
    """

    def __init__(
        self,
        vocab_size: int,
        *,
        isa: str | None = None,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        min_p: float = 0.0,
        typical_p: float = 1.0,
        top_n_sigma: float = 0.0,
        xtc_probability: float = 0.0,
        xtc_threshold: float = 0.1,
        mirostat_tau: float = 0.0,
        mirostat_eta: float = 0.1,
        repetition_penalty: float = 1.0,
        frequency_penalty: float = 0.0,
        presence_penalty: float = 0.0,
        penalty_window: int = 0,
        dry_multiplier: float = 0.0,
        dry_base: float = 1.75,
        dry_allowed_length: int = 2,
        dry_window: int = 0,
        dry_breaker_ids: Sequence[int] = ...,
        no_repeat_ngram_size: int = 0,
        logit_bias: Mapping[int, float] = ...,
        banned_ids: Sequence[int] = ...,
        bad_words_ids: Sequence[Sequence[int]] = ...,
        min_tokens: int = 0,
        end_ids: Sequence[int] = ...,
        forced_ids: Sequence[int] = ...,
        seed: int = 0,
    ) -> None:
        """`isa` picks one of `supported_isas()`; None is the one in use. All draw the same.

        Raises TypeError for an unknown setting or a value of the wrong type.
        """
    @property
    def vocab_size(self) -> int: ...
    @property
    def seed(self) -> int: ...
    def observe_prompt(self, ids: Sequence[int] | NDArray[np.integer[Any]]) -> None:
        """Notes prompt tokens, for the repetition penalty."""
    def observe(self, id: int) -> None:
        """Notes one token of the output, for all three penalties."""
    def sample(
        self,
        logits: NDArray[np.float32],
        position: int,
        allowed: NDArray[np.uint32] | None = None,
    ) -> int:
        """The token id drawn at `position` (0 ... 2^63 - 1, a part of the random key).

        `logits`: float32, shape (vocab_size,), contiguous. Where bias, bans or penalties are set,
        single values change during the call and are put back; a read-only array is copied instead.
        `allowed`: uint32, shape (ceil(vocab_size / 32),); bit i % 32 of word i // 32 is token i.

        Raises ValueError for NaN, for +inf, and when no token is left.

        >>> import numpy as np
        >>> Sampler(4, temperature=0).sample(np.array([0, 3, 1, 3], np.float32), position=0)
        1
        """
    def logprobs(
        self, logits: NDArray[np.float32], id: int, top_n: int = 0
    ) -> tuple[float, list[tuple[int, float]]]:
        """Natural log-probabilities of `id` and of the `top_n` most probable tokens, best first.

        They are the model's own, before every setting of this sampler (vLLM's `raw_logprobs`).
        Tokens at -inf are left out of the list, which may then be shorter.
        """
    def final_logprobs(
        self,
        logits: NDArray[np.float32],
        position: int,
        id: int,
        top_n: int = 0,
        allowed: NDArray[np.uint32] | None = None,
    ) -> tuple[float, list[tuple[int, float]]]:
        """The same after every setting: the distribution that `sample` draws from at `position`.

        vLLM's `processed_logprobs`. A token that was cut is at -inf and not in the list; a greedy
        or forced one is at 0. Call it before `observe`. Makes its cuts outright: slower than
        `sample`, and not for every step of a fast loop.
        """

def sample_batch(
    samplers: Sequence[Sampler],
    logits: NDArray[np.float32],
    positions: Sequence[int],
    allowed: NDArray[np.uint32] | None = None,
) -> list[int]:
    """One token for each row: what `samplers[i].sample(logits[i], positions[i], ...)` draws.

    `logits`: shape (rows, vocab_size); `allowed`: shape (rows, ceil(vocab_size / 32)). Each row has
    its own settings and history; the GIL is given back once for all. An error names its row.
    """

def weights(drops: NDArray[np.float32], *, scale: float, isa: str | None = None) -> list[int]:
    """round(2^30 * 2^(drop * scale)) of each drop <= 0: the exponential behind every draw."""

ROW_BYTES: int
EDIT_BYTES: int
DRAW_BYTES: int

@final
class StepPlan:
    """What a device needs to draw one token for each of several samplers (kernels/cuda/api.h).

    Made anew for every step; keeps its memory. Needs no device itself.
    """

    def __init__(self) -> None: ...
    def make(
        self, samplers: Sequence[Sampler], positions: Sequence[int], *, logprobs: bool = False
    ) -> None:
        """Replaces the plan; row i is `samplers[i]` at `positions[i]`. Reads the histories."""
    @property
    def bytes(self) -> int:
        """Size of the plan: ROW_BYTES a row, then EDIT_BYTES a change to a single logit."""
    @property
    def flags(self) -> int:
        """What any row asks for, EDGEWARD_* of api.h."""
    def write(self, to: NDArray[np.uint8]) -> None:
        """Copies the plan to the beginning of `to`; ValueError when that is too small."""

def settle_step(samplers: Sequence[Sampler], draws: NDArray[np.uint8]) -> list[int]:
    """The tokens in a device's answer, DRAW_BYTES a row, told to the samplers that asked.

    Raises ValueError as `sample` does, naming the row.
    """

def draw_logprobs(draws: NDArray[np.uint8], rows: int) -> list[float]:
    """Raw log-probabilities of the drawn tokens, as `Sampler.logprobs` gives them."""

@final
class Splitter:
    def __init__(self, json: bytes, known_splits: bool = True) -> None: ...
    def cut(self, text: bytes) -> list[tuple[int, int]]: ...

@final
class Encoding:
    """A text or a pair as a model is given it. Lists are made when asked."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        """TypeError: only `encode_full` makes one."""
    def __len__(self) -> int: ...
    @property
    def ids(self) -> list[int]: ...
    @property
    def offsets(self) -> list[tuple[int, int]]:
        """Characters of the text each token comes from, half open; (0, 0) for added ones."""
    @property
    def type_ids(self) -> list[int]: ...
    @property
    def sequence_ids(self) -> list[int | None]:
        """0 or 1 for tokens of the first or second text, None for others."""
    @property
    def word_ids(self) -> list[int | None]:
        """Number of the pre-token each token comes from, None for added ones."""
    @property
    def special_tokens_mask(self) -> list[int]:
        """1 for tokens that were added."""
    @property
    def attention_mask(self) -> list[int]:
        """0 for padding."""
    @property
    def overflowing(self) -> list[Encoding]:
        """What truncation cut off, in parts of the same length."""

def encode_full(
    tokenizer: Tokenizer,
    text: str | bytes,
    pair: str | bytes | None = None,
    add_special_tokens: bool = True,
) -> Encoding: ...

@final
class Tokenizer:
    def __init__(self, json: bytes, cache: bool = True) -> None: ...
    @staticmethod
    def from_compiled(path: str, source: bytes, cache: bool = True) -> Tokenizer: ...
    def compile(self, json_without_tables: bytes, source: bytes) -> bytes: ...
    def encode(self, text: str | bytes, add_special_tokens: bool = True) -> list[int]: ...
    def encode_batch(
        self, texts: Sequence[str | bytes], add_special_tokens: bool = True, threads: int = 1
    ) -> list[list[int]]: ...
    def encode_array(
        self, text: str | bytes, add_special_tokens: bool = True
    ) -> NDArray[np.uint32]: ...
    def encode_batch_arrays(
        self, texts: Sequence[str | bytes], add_special_tokens: bool = True, threads: int = 1
    ) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
    def encode_with_offsets(
        self, text: str | bytes, add_special_tokens: bool = True
    ) -> tuple[list[int], list[tuple[int, int]]]: ...
    def offsets(
        self, text: str | bytes, add_special_tokens: bool = True
    ) -> list[tuple[int, int]]: ...
    def decode(self, ids: Sequence[int], skip_special_tokens: bool = True) -> str: ...
    def token_bytes(self, id: int) -> bytes: ...
    def id_to_token(self, id: int) -> str | None: ...
    def token_to_id(self, token: str) -> int | None: ...
    def is_special(self, id: int) -> bool: ...
    def stream_table(
        self,
    ) -> tuple[bytes, bytes, bytes, bytes, bytes, bool, str, int, bool, bool]: ...
    @property
    def vocab_size(self) -> int: ...
    @property
    def end_id(self) -> int: ...
    @property
    def added_tokens(self) -> list[tuple[int, str, bool]]: ...

def safety_normalize(
    text: str | bytes,
) -> tuple[str, NDArray[np.int32], list[tuple[str, str, int, int]]]:
    """Text as safety checks read it, offsets, and alternatives: edgeward.safety.normalize."""

@final
class NormalizeStream:
    """Normalizes a text that comes in parts, exactly as the whole. One thread at a time."""

    def __init__(self) -> None: ...
    def push(self, text: str | bytes) -> str:
        """What has become final with `text`; the pieces joined are the normalized whole."""
    def pending(self) -> str:
        """What `finish` would give now; changes nothing."""
    def finish(self) -> str:
        """The rest. The stream is as new after it."""

@final
class SafetyStream:
    """A text that grows, scored as it does. Threads take turns."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        """TypeError: only `SafetyModel.stream` makes one."""
    def push(self, text: str | bytes) -> NDArray[np.float32]:
        """Append `text`; the probabilities of all text so far, bit for bit those of `score`.

        Costs time in `text` alone, however much came before, plus about 2 us.
        """

@final
class SafetyModel:
    """Calibrated probabilities that a text is unsafe. Immutable; frees the GIL."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        """TypeError: only `SafetyModel.from_bytes` makes one."""
    @staticmethod
    def from_bytes(bytes: bytes) -> SafetyModel:
        """A model from the bytes of its file (docs/safety-models.md).

        ValueError when they are no such file or a damaged one; says where and what is wrong.
        """
    @property
    def heads(self) -> list[str]:
        """What is scored, in the order of the probabilities: "toxicity", "jailbreak"."""
    def score(self, text: str | bytes) -> NDArray[np.float32]:
        """Probabilities (heads,) in [0, 1]; zeros for a text without words.

        Linear time, constant memory. What is not UTF-8 is read as U+FFFD. The text need not be
        normalized; what hides it (look-alike letters, codes) is the normalizer's matter.
        """
    def score_meaning(self, text: str | bytes) -> tuple[NDArray[np.float32], list[int]]:
        """`score` of the normalized text, or of a decoded piece of it where that is higher.

        The list says for each head which: the place in `safety_normalize(text)[2]`, or -1.
        """
    def score_batch(self, texts: Sequence[str | bytes]) -> NDArray[np.float32]:
        """(texts, heads), each row as `score` gives it."""
    def threshold(self, head: str, level: str) -> float:
        """The probability from which `head` flags at `level`: strict, balanced or permissive.

        ValueError for an unknown head or level.
        """
    def false_positive_rate(self, head: str, level: str) -> float:
        """The share of benign prompts that `threshold` was set to flag. Raises as it does."""
    def stream(self) -> SafetyStream:
        """An empty text of this model's."""

def safety_features(
    text: str | bytes,
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]:
    """What the scorers see: features, words, starts, pieces, as 32-bit hashes.

    Features come with repeats. The pieces of word i are pieces[starts[i]:starts[i + 1]]; a sign has
    none.
    """

def find_pii(text: str | bytes) -> list[tuple[str, int, int]]:
    """Personal data and keys: (kind, begin, end), characters, in order, without overlaps."""

def pii_kinds() -> tuple[str, ...]:
    """The names of all kinds that `find_pii` may give."""

def pii_settled(text: str | bytes) -> int:
    """Characters from the beginning that nothing said later can make part of a finding."""

@final
class PhraseStream:
    """Phrases in a text that comes in parts. One thread at a time."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        """TypeError: only `Phrases.stream` makes one."""
    def push(self, text: str | bytes) -> list[tuple[int, int, int]]:
        """Take the next part; the matches that are certain by now."""
    def finish(self) -> list[tuple[int, int, int]]:
        """The text has ended: the other matches."""
    @property
    def settled(self) -> int:
        """Characters from the beginning that no later text can make part of a match."""

@final
class Phrases:
    """Phrases to object to, and phrases that excuse those inside them. Immutable.

    Texts and phrases are normalized (`safety_normalize`); a line break is a space.
    """

    def __init__(
        self, block: Sequence[str], allow: Sequence[str] = ..., whole_words: bool = True
    ) -> None:
        """ValueError for a phrase without visible characters, and for 64 MiB of phrases."""
    @property
    def longest(self) -> int:
        """Characters of the longest phrase."""
    def find(self, text: str | bytes) -> list[tuple[int, int, int]]:
        """(index into `block`, begin, end), characters of the text; the longest at each end."""
    def stream(self) -> PhraseStream: ...

# Rounding blocks of weights (kernels/rounding/blocks.h). A block is float32 (32, rows), C order;
# what is said to change changes in place. Raises ValueError for shapes that do not fit and codes
# that are no range, TypeError for arrays that would have to be converted.
def fit_block(
    x: NDArray[np.float32],
    weights: NDArray[np.float32],
    low: int,
    high: int,
    minimum: bool,
    half: bool,
    scales: NDArray[np.float32],
    minima: NDArray[np.float32],
) -> None:
    """Into `scales` and `minima` (rows,): the least error weighted by `weights` (32,)."""

def feed_block(
    x: NDArray[np.float32],
    upper: NDArray[np.float32],
    low: int,
    high: int,
    scales: NDArray[np.float32],
    minima: NDArray[np.float32],
    codes: NDArray[np.float32],
    errors: NDArray[np.float32],
) -> None:
    """GPTQ inside a block: changes `x`, fills `codes` and `errors`; `upper` is (32, 32)."""

def descend_block(
    codes: NDArray[np.float32],
    h: NDArray[np.float32],
    low: int,
    high: int,
    minimum: bool,
    half: bool,
    slope: NDArray[np.float32],
    scales: NDArray[np.float32],
    minima: NDArray[np.float32],
    change: NDArray[np.float32],
) -> None:
    """Coordinate descent inside a block: all but `h` (32, 32) changes, `change` by how much."""
