"""Worker for onnxruntime-genai: a folder made by its model builder. Needs only that package."""

import json
import sys
import time

import onnxruntime_genai as og


def main() -> None:
    folder, threads = sys.argv[1], int(sys.argv[2])
    config = og.Config(folder)
    session = {"intra_op_num_threads": threads}
    config.overlay(json.dumps({"model": {"decoder": {"session_options": session}}}))
    model = og.Model(config)
    say({"version": og.__version__})
    for line in sys.stdin:
        request = json.loads(line)
        say(answer(model, request["ids"], request["generate"]))


def answer(model: og.Model, ids: list[int], generate: int) -> dict[str, object]:
    params = og.GeneratorParams(model)
    # min_length keeps it going past the end token: every run does the same work.
    length = len(ids) + generate
    params.set_search_options(do_sample=False, max_length=length, min_length=length)
    generator = og.Generator(model, params)
    began = time.perf_counter()
    generator.append_tokens(ids)
    prefilled = time.perf_counter()
    generator.generate_next_token()
    first = time.perf_counter()
    for _ in range(generate - 1):
        generator.generate_next_token()
    done = time.perf_counter()
    made = [int(i) for i in generator.get_sequence(0)[len(ids) :]]
    return {"prefill_s": prefilled - began, "decode_s": done - first, "ids": made}


def say(answer: dict[str, object]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
