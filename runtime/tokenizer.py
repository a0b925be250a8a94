"""The public tokenizer: a `tokenizer.json` with its chat template, as one object.

Knows: the calls. Does not know: how text becomes ids (edgeward.kernels), what lies beside the file
(tokenizer_config), packs, models, requests.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeward.kernels import _native

from .errors import TokenizerError
from .tokenizer_config import END_OF_TURN, TokenizerConfig, read_file
from .vocabularies.sources import is_container, read

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeward.kernels._native import Encoding
    from edgeward.kernels._text import Detokenizer, TokenTable


class Tokenizer:
    """Text to token ids and back, for one model. Immutable and safe from any thread.

    Ids, character offsets and decoded text are those of Hugging Face's `tokenizers` 0.23 for the
    same file. Nothing in a text raises: a lone surrogate in a str is read as U+FFFD, bytes that are
    not UTF-8 as `bytes.decode("utf-8", "replace")` reads them.

    Args:
        tokenizer_json: the content of a `tokenizer.json`.
        config: the parsed `tokenizer_config.json`, for the names of special tokens.
        chat_template: Jinja source; from the config if None.
        cache: remember words that are not tokens themselves, in at most 4 MiB shared by all
            threads. The ids are the same without it, and text seen before takes longer.

    Raises:
        TokenizerError: the file is damaged, or has a part that is not supported (it is named).

    Example:
        >>> tokenizer = Tokenizer.from_file("smollm2-135m")
        >>> tokenizer.encode("Hello world")
        [19556, 905]
        >>> tokenizer.decode([19556, 905])
        'Hello world'
    """

    def __init__(
        self,
        tokenizer_json: bytes,
        *,
        config: Mapping[str, Any] | None = None,
        chat_template: str | None = None,
        cache: bool = True,
    ) -> None:
        try:
            self._native = _native.Tokenizer(tokenizer_json, cache)
        except ValueError as error:
            raise TokenizerError(str(error)) from error
        self._config = TokenizerConfig(config or {}, chat_template)
        self._origin = "tokenizer.json"

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Tokenizer:
        """Reads a `tokenizer.json`, or the folder that holds one, or a SentencePiece `.model`.

        Beside it, `tokenizer_config.json` and `chat_template.jinja` are read where they exist.
        The ids of a `.model` are those of SentencePiece itself: nothing is added around a text, and
        control symbols written in it are plain text.
        Raises TokenizerError if a file is missing, too large or damaged, or of a kind whose ids
        could not be given exactly.
        """
        path = Path(path)
        folder = path if path.is_dir() else path.parent
        file = path / "tokenizer.json" if path.is_dir() else path
        config = TokenizerConfig.beside(folder)
        try:
            content = read_file(file)
            if is_container(file):
                source = read(file, content)
                content = source.tokenizer_json
                config = config.over(source.config, source.chat_template)
            tokenizer = cls(content)
        except TokenizerError as error:
            raise TokenizerError(f"{file}: {error}") from error
        tokenizer._config = config
        tokenizer._origin = file.name
        return tokenizer

    @classmethod
    def from_compiled(
        cls,
        path: str | os.PathLike[str],
        tokenizer_json: str | os.PathLike[str],
        sha256: str,
    ) -> Tokenizer:
        """Maps the compiled form of a `tokenizer.json`, read only and shared between processes.

        Every index in the file is checked before it is used. Where the file is missing, damaged, of
        another version or made from another tokenizer.json, the tokenizer.json is read instead;
        `origin` says which it was, and why.

        The file must not be changed while the tokenizer lives: replace it by renaming another one,
        as packs are replaced.

        Args:
            path: what `edgeward.vocabularies.compiled.compile_tokenizer` made, as a file.
            tokenizer_json: the file it was made from; files beside it are read as by `from_file`.
            sha256: of the tokenizer.json, in hexadecimal digits.
        """
        file = Path(tokenizer_json)
        try:
            native = _native.Tokenizer.from_compiled(os.fspath(path), bytes.fromhex(sha256))
        except (OSError, ValueError) as error:
            tokenizer = cls.from_file(file)
            tokenizer._origin = f"{file.name}, because of {Path(path).name}: {error}"
            return tokenizer
        tokenizer = cls.__new__(cls)
        tokenizer._native = native
        tokenizer._config = TokenizerConfig.beside(file.parent)
        tokenizer._origin = Path(path).name
        return tokenizer

    @property
    def origin(self) -> str:
        """The kind of file this was made from; behind a compiled one's failure, what failed."""
        return self._origin

    def encode(
        self,
        text: str | bytes,
        add_special_tokens: bool = True,
        *,
        pair: str | bytes | None = None,
    ) -> list[int]:
        """The ids of `text`, with the model's own special tokens around it if it has any.

        Special tokens written in the text are recognized as such, whatever `add_special_tokens`.
        With `pair`, those of two texts that belong together, such as a question and a passage.
        Raises TokenizerError for a text above 1 GiB.
        """
        if pair is not None:
            return self.encode_full(text, add_special_tokens, pair=pair).ids
        try:
            return self._native.encode(text, add_special_tokens)
        except ValueError as error:
            raise TokenizerError(str(error)) from error

    def encode_batch(
        self,
        texts: Sequence[str | bytes],
        add_special_tokens: bool = True,
        threads: int | None = None,
    ) -> list[list[int]]:
        """`encode` of each text, on `threads` threads (None: one a processor of this process)."""
        count = min(len(os.sched_getaffinity(0)), 256) if threads is None else threads
        try:
            return self._native.encode_batch(texts, add_special_tokens, count)
        except ValueError as error:
            raise TokenizerError(str(error)) from error

    def encode_array(
        self, text: str | bytes, add_special_tokens: bool = True
    ) -> NDArray[np.uint32]:
        """`encode` as an array that takes the ids over without a copy.

        They are uint32, as they are inside: half the memory of int64, and no id is negative. A
        graph that wants int64 takes `ids.astype(np.int64)`.

        Example:
            >>> tokenizer.encode_array("Hello world")
            array([19556,   905], dtype=uint32)
        """
        try:
            return self._native.encode_array(text, add_special_tokens)
        except ValueError as error:
            raise TokenizerError(str(error)) from error

    def encode_batch_arrays(
        self,
        texts: Sequence[str | bytes],
        add_special_tokens: bool = True,
        threads: int | None = None,
    ) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """`encode_batch` as two arrays: all ids one after the other, and where each text begins.

        The ids of text `i` are `ids[splits[i] : splits[i + 1]]`; one split more than texts.
        """
        count = min(len(os.sched_getaffinity(0)), 256) if threads is None else threads
        try:
            return self._native.encode_batch_arrays(texts, add_special_tokens, count)
        except ValueError as error:
            raise TokenizerError(str(error)) from error

    def offsets(self, text: str | bytes, add_special_tokens: bool = True) -> list[tuple[int, int]]:
        """For each id of `encode`, the characters of `text` it stands for, half open.

        A token that holds part of a character gets the whole character; a special token that was
        added gets (0, 0).
        """
        try:
            return self._native.offsets(text, add_special_tokens)
        except ValueError as error:
            raise TokenizerError(str(error)) from error

    def encode_full(
        self,
        text: str | bytes,
        add_special_tokens: bool = True,
        *,
        pair: str | bytes | None = None,
    ) -> Encoding:
        """All that a model may want to know of `text`, or of `text` and `pair` together: `ids`,
        `offsets`, `type_ids`, `sequence_ids`, `word_ids`, `special_tokens_mask`, `attention_mask`,
        one of each a token, and in `overflowing` the same of what the file's truncation cut off.

        Raises TokenizerError for a text above 1 GiB, or one that the file's truncation cannot cut.

        Example:
            >>> bert.encode_full("who?", pair="me").type_ids
            [0, 0, 0, 0, 1, 1]
        """
        try:
            return _native.encode_full(self._native, text, pair, add_special_tokens)
        except ValueError as error:
            raise TokenizerError(str(error)) from error

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = True) -> str:
        """The text of `ids`. Ids that are no token are left out; bytes that make no character
        become U+FFFD. Raises TokenizerError for an id that is negative or above 2**32 - 1.
        """
        try:
            return self._native.decode(ids, skip_special_tokens)
        except ValueError as error:
            raise TokenizerError(str(error)) from error

    def stream(self, *, stop: Iterable[str] = (), skip_special_tokens: bool = True) -> Detokenizer:
        """A stream that takes ids one by one: `push(id)` and `finish()` return pieces of text.

        The pieces make together what `decode` returns, cut before the first of the `stop` strings.

        Example:
            >>> stream = tokenizer.stream(stop=["STOP"])
            >>> "".join([stream.push(i) for i in tokenizer.encode("go on STOP here")])
            'go on '
            >>> stream.stopped
            'STOP'
        """
        from edgeward.kernels._text import Detokenizer

        try:
            return Detokenizer(self._table, stop=stop, skip_special_tokens=skip_special_tokens)
        except ValueError as error:
            raise TokenizerError(str(error)) from error

    def apply_chat_template(
        self,
        messages: Iterable[Mapping[str, Any]],
        add_generation_prompt: bool = True,
        tools: Sequence[Mapping[str, Any]] | None = None,
        **variables: Any,
    ) -> str:
        """`messages` as one prompt, in the form this model was trained on.

        The result holds the special tokens already: encode it with `add_special_tokens=False`.

        Args:
            messages: mappings with "role" and "content", oldest first.
            add_generation_prompt: end with the opening of the assistant's answer.
            tools: JSON schemas of functions the model may call.
            variables: further variables some templates read (`enable_thinking`, `documents`, ...).

        Raises TemplateError if the model has no template, or it refuses the messages or fails.
        """
        from .chat_template import check_messages

        checked = check_messages(messages)
        return self._config.template(tools is not None).render(
            **{
                **self.named_tokens,
                **variables,
                "messages": checked,
                "tools": tools,
                "add_generation_prompt": add_generation_prompt,
            }
        )

    @property
    def chat_template(self) -> str | None:
        """Jinja source of the chat template, None if the model has none."""
        return self._config.sources.get("default")

    @property
    def tool_template(self) -> str | None:
        """Jinja source of the template used with tools: one of its own, or the chat template."""
        return self._config.sources.get("tool_use", self.chat_template)

    @property
    def vocab_size(self) -> int:
        """Number of tokens, added ones included."""
        return self._native.vocab_size

    def token_to_id(self, token: str) -> int | None:
        """The id of a token's string, None if there is none."""
        return self._native.token_to_id(token)

    def id_to_token(self, id: int) -> str | None:
        """The string of an id (byte-level models spell bytes as characters), None if unknown."""
        return self._native.id_to_token(id) if 0 <= id < self._native.end_id else None

    def token_bytes(self, id: int) -> bytes:
        """The bytes an id adds to a decoded text; empty if unknown."""
        return self._native.token_bytes(id) if 0 <= id < self._native.end_id else b""

    def is_special(self, id: int) -> bool:
        """True for a special token, which `decode` skips by default."""
        return 0 <= id < self._native.end_id and self._native.is_special(id)

    @property
    def named_tokens(self) -> dict[str, str]:
        """Special tokens by the names chat templates use: `bos_token`, `eos_token`, ..."""
        return self._config.named_tokens

    @cached_property
    def bos_id(self) -> int | None:
        """Id of the token that starts a text, where tokenizer_config.json names one."""
        return self._named_id("bos_token")

    @cached_property
    def eos_id(self) -> int | None:
        """Id of the token that ends a text, where tokenizer_config.json names one."""
        return self._named_id("eos_token")

    @cached_property
    def eot_ids(self) -> tuple[int, ...]:
        """Ids that end an answer: the end of the text and of a turn, in ascending order."""
        ids = {self.eos_id} - {None}
        for token in END_OF_TURN:
            id = self.token_to_id(token)
            if id is not None and self.is_special(id):
                ids.add(id)
        return tuple(sorted(id for id in ids if id is not None))

    def __repr__(self) -> str:
        return f"<Tokenizer of {self.vocab_size} tokens>"

    def _named_id(self, name: str) -> int | None:
        token = self.named_tokens.get(name)
        return None if token is None else self.token_to_id(token)

    @cached_property
    def _table(self) -> TokenTable:
        from edgeward.kernels._text import TokenTable

        return TokenTable(self._native)
