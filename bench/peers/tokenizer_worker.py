"""Worker for one tokenizer: loads a tokenizer.json and times itself, one JSON line for each.

Needs nothing but the tokenizer's own package, so that it can run under another Python. Asked on
standard input, a JSON object a line:

    {"do": "load"}                                -> {"cpu_s", "private_bytes", "version"}
    {"do": "encode", "file": f, "passes": n}      -> {"cpu_s": [...], "bytes", "tokens", "ids"}
    {"do": "messages", "file": f, "passes": n}    -> {"cpu_s": [...], "bytes": [...], "ids"}
    {"do": "decode" | "stream" | "offsets", "file": f, "passes": n} -> {"cpu_s": [...], ...}

Times are CPU seconds of the whole process (all threads) and include making the Python result. `ids`
is a hash of the ids. What a package cannot do is answered with {"missing": reason}.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any


class Edgeward:
    package = "edgeward"

    @staticmethod
    def prepare() -> None:
        import numpy  # noqa: F401

        import edgeward

        # What a package imports when it is first used.
        edgeward.Tokenizer  # noqa: B018

    def __init__(self, path: str) -> None:
        import edgeward

        self.it = edgeward.Tokenizer.from_file(path)

    def encode(self, text: str) -> Any:
        return self.it.encode(text, False)

    def decode(self, ids: Any) -> Any:
        return self.it.decode(ids, False)

    def offsets(self, text: str) -> Any:
        return self.it.offsets(text, False)

    def stream(self, ids: list[int]) -> None:
        stream = self.it.stream(skip_special_tokens=False)
        push = stream.push
        for i in ids:
            push(i)
        stream.finish()


class EdgewardArray(Edgeward):
    def encode(self, text: str) -> Any:
        return self.it.encode_array(text, False)


class HuggingFace:
    package = "tokenizers"

    def __init__(self, path: str) -> None:
        import tokenizers

        self.it = tokenizers.Tokenizer.from_file(path)
        self.it.no_truncation()
        self.it.no_padding()

    def encode(self, text: str) -> Any:
        return self.it.encode(text, add_special_tokens=False).ids

    def decode(self, ids: Any) -> Any:
        return self.it.decode(ids, skip_special_tokens=False)

    def offsets(self, text: str) -> Any:
        return self.it.encode(text, add_special_tokens=False).offsets

    def stream(self, ids: list[int]) -> None:
        from tokenizers.decoders import DecodeStream

        stream = DecodeStream(skip_special_tokens=False)
        step, it = stream.step, self.it
        for i in ids:
            step(it, i)


class Tiktoken:
    """The split pattern and ranks of a byte-level BPE file; only where those are all it has."""

    package = "tiktoken"

    def __init__(self, path: str) -> None:
        import tiktoken

        with open(path, encoding="utf-8") as stream:
            file = json.load(stream)
        if file.get("normalizer") or file["model"].get("type", "BPE") != "BPE":
            raise ValueError("tiktoken knows no normalizers, and BPE only")
        pattern = tiktoken_pattern(file["pre_tokenizer"])
        to_byte = {c: b for b, c in byte_characters().items()}
        special = {t["content"] for t in file["added_tokens"]}
        ranks = {
            bytes(to_byte[c] for c in token): id
            for token, id in file["model"]["vocab"].items()
            if token not in special
        }
        if any(bytes([b]) not in ranks for b in range(256)):
            raise ValueError("the vocabulary lacks a byte")
        self.it = tiktoken.Encoding(
            "bench", pat_str=pattern, mergeable_ranks=ranks, special_tokens={}
        )

    def encode(self, text: str) -> Any:
        return self.it.encode_ordinary(text)

    def decode(self, ids: Any) -> Any:
        return self.it.decode(ids)


GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def tiktoken_pattern(pre: dict[str, Any]) -> str:
    if pre["type"] == "ByteLevel" and not pre.get("add_prefix_space"):
        return GPT2
    parts = pre.get("pretokenizers", [])
    if len(parts) == 2 and parts[0]["type"] == "Split" and parts[1]["type"] == "ByteLevel":
        return str(parts[0]["pattern"]["Regex"])
    raise ValueError("more than one split pattern")


def byte_characters() -> dict[int, str]:
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    other = [b for b in range(256) if b not in plain]
    return {b: chr(b) for b in plain} | {b: chr(256 + n) for n, b in enumerate(other)}


class Gigatoken:
    package = "gigatoken"

    def __init__(self, path: str) -> None:
        import gigatoken

        self.it = gigatoken.Tokenizer(path)

    def encode(self, text: str) -> Any:
        return self.it.encode(text)

    def decode(self, ids: Any) -> Any:
        return self.it.decode(ids).decode("utf-8", "replace")


class Fastokens:
    package = "fastokens"

    def __init__(self, path: str) -> None:
        import fastokens

        self.it = fastokens.Tokenizer.from_file(path)
        self.it.no_truncation()
        self.it.no_padding()

    def encode(self, text: str) -> Any:
        return self.it.encode(text, False).ids

    def decode(self, ids: Any) -> Any:
        return self.it.decode(ids, False)


class Splintr:
    package = "splintr-rs"

    def __init__(self, path: str) -> None:
        import splintr

        self.it = splintr.from_json(path)

    def encode(self, text: str) -> Any:
        return self.it.encode_raw(text)

    def decode(self, ids: Any) -> Any:
        return self.it.decode(ids)

    def stream(self, ids: list[int]) -> None:
        stream = self.it.streaming_decoder()
        push = stream.add_token
        for i in ids:
            push(i)
        stream.flush()


class Tuetoken:
    package = "tuetoken"

    def __init__(self, path: str) -> None:
        import tuetoken

        self.it = tuetoken.AutoTokenizer.from_file(path)

    def encode(self, text: str) -> Any:
        return self.it.encode(text, add_special_tokens=False)

    def decode(self, ids: Any) -> Any:
        return self.it.decode(ids)


class Tokie:
    package = "tokie"

    def __init__(self, path: str) -> None:
        import tokie

        self.it = tokie.Tokenizer.from_json(path)
        self.it.no_truncation()
        self.it.no_padding()

    def encode(self, text: str) -> Any:
        return self.it.encode(text, False).ids

    def decode(self, ids: Any) -> Any:
        return self.it.decode(ids)

    def offsets(self, text: str) -> Any:
        return self.it.encode_with_offsets(text, False).offsets


class Kitoken:
    package = "kitoken"

    def __init__(self, path: str) -> None:
        import kitoken

        self.it = kitoken.Kitoken.from_tokenizers_file(path)

    def encode(self, text: str) -> Any:
        return self.it.encode(text)

    def decode(self, ids: Any) -> Any:
        return self.it.decode(ids).decode("utf-8", "replace")


class Iree:
    package = "iree-tokenizer"

    def __init__(self, path: str) -> None:
        from iree import tokenizer

        self.it = tokenizer.Tokenizer.from_file(path)

    def encode(self, text: str) -> Any:
        return self.it.encode(text)

    def decode(self, ids: Any) -> Any:
        return self.it.decode(ids)


TOOLS: dict[str, Any] = {
    "edgeward": Edgeward,
    "edgeward-array": EdgewardArray,
    "hf": HuggingFace,
    "tiktoken": Tiktoken,
    "gigatoken": Gigatoken,
    "fastokens": Fastokens,
    "splintr": Splintr,
    "tuetoken": Tuetoken,
    "tokie": Tokie,
    "kitoken": Kitoken,
    "iree": Iree,
}


class Worker:
    def __init__(self, name: str, path: str) -> None:
        self.tool, self.path = TOOLS[name], path
        version(self.tool.package)  # fails when it is not installed
        self.it: Any = None

    def load(self, _: dict[str, Any]) -> dict[str, Any]:
        # Importing a package is not part of loading a tokenizer.
        __import__(
            {"iree-tokenizer": "iree.tokenizer", "splintr-rs": "splintr"}.get(
                self.tool.package, self.tool.package
            )
        )
        if hasattr(self.tool, "prepare"):
            self.tool.prepare()
        before = private_bytes()
        began = time.process_time()
        self.it = self.tool(self.path)
        self.it.encode("word")
        took = time.process_time() - began
        gc.collect()
        return {
            "cpu_s": took,
            "private_bytes": private_bytes() - before,
            "version": version(self.tool.package),
        }

    def encode(self, request: dict[str, Any]) -> dict[str, Any]:
        text = read(request["file"])
        times, ids = timed(lambda: self.it.encode(text), request["passes"])
        return {"cpu_s": times, "bytes": len(text.encode()), "tokens": len(ids), "ids": digest(ids)}

    def messages(self, request: dict[str, Any]) -> dict[str, Any]:
        texts = json.loads(read(request["file"]))
        every, all_ids = [], []
        for text in texts:
            times, ids = timed(partial(self.it.encode, text), request["passes"])
            every.append(min(times))
            all_ids += [*map(int, ids), -1]
        sizes = [len(text.encode()) for text in texts]
        return {
            "cpu_s": every,
            "bytes": sizes,
            "ids": hashlib.sha256(str(all_ids).encode()).hexdigest(),
        }

    def decode(self, request: dict[str, Any]) -> dict[str, Any]:
        text = read(request["file"])
        ids = self.it.encode(text)
        times, made = timed(lambda: self.it.decode(ids), request["passes"])
        return {"cpu_s": times, "bytes": len(made.encode())}

    def stream(self, request: dict[str, Any]) -> dict[str, Any]:
        if not hasattr(self.it, "stream"):
            return {"missing": "no stream"}
        ids = [*map(int, self.it.encode(read(request["file"])))]
        times, _ = timed(lambda: self.it.stream(ids), request["passes"])
        return {"cpu_s": times, "tokens": len(ids)}

    def offsets(self, request: dict[str, Any]) -> dict[str, Any]:
        if not hasattr(self.it, "offsets"):
            return {"missing": "no offsets"}
        text = read(request["file"])
        times, made = timed(lambda: self.it.offsets(text), request["passes"])
        said = str([tuple(pair) for pair in made]).encode()
        return {
            "cpu_s": times,
            "bytes": len(text.encode()),
            "ids": hashlib.sha256(said).hexdigest(),
        }


def timed(run: Callable[[], Any], passes: int) -> tuple[list[float], Any]:
    """CPU seconds of each pass; fewer passes of what takes over a second."""
    times = []
    for _ in range(passes):
        began = time.process_time()
        result = run()
        times.append(time.process_time() - began)
        if sum(times) > 2:
            break
    return times, result


def digest(ids: Any) -> str:
    return hashlib.sha256(str([*map(int, ids)]).encode()).hexdigest()


def read(file: str) -> str:
    with open(file, encoding="utf-8", newline="") as stream:
        return stream.read()


def private_bytes() -> int:
    with open("/proc/self/smaps_rollup") as stream:
        return sum(int(line.split()[1]) * 1024 for line in stream if line.startswith("Private_"))


def main() -> None:
    name, path = sys.argv[1:]
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    # Whatever a package prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            worker = worker or Worker(name, path)
            answer = getattr(worker, request["do"])(request)
        except BaseException as error:  # some packages' panics are no Exception
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            answer = {"missing": f"{type(error).__name__}: {error}"[:200]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
