"""Worker for llama.cpp: a GGUF file. Needs llama-cpp-python only."""

import json
import sys
import time

import llama_cpp
import numpy as np


def main() -> None:
    path, threads = sys.argv[1], int(sys.argv[2])
    model = llama_cpp.Llama(
        path, n_ctx=4096, n_batch=512, n_threads=threads, n_threads_batch=threads, verbose=False
    )
    say({"version": llama_cpp.__version__})
    for line in sys.stdin:
        request = json.loads(line)
        say(answer(model, request["ids"], request["generate"]))


def answer(model: llama_cpp.Llama, ids: list[int], generate: int) -> dict[str, object]:
    model.reset()
    began = time.perf_counter()
    model.eval(ids)
    made = [best(model)]
    first = time.perf_counter()
    while len(made) < generate:
        model.eval([made[-1]])
        made.append(best(model))
    return {"prefill_s": first - began, "decode_s": time.perf_counter() - first, "ids": made}


def best(model: llama_cpp.Llama) -> int:
    # The library's own sampling would be timed too; this is the cheapest there is.
    logits = llama_cpp.llama_get_logits_ith(model.ctx, -1)
    return int(np.ctypeslib.as_array(logits, shape=(model.n_vocab(),)).argmax())


def say(answer: dict[str, object]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
