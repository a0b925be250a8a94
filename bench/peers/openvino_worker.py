"""Worker for OpenVINO GenAI: a GGUF file or a folder of its own. Needs openvino-genai and numpy."""

import json
import sys

import numpy as np
import openvino as ov
import openvino_genai as genai


def main() -> None:
    path, threads = sys.argv[1], int(sys.argv[2])
    model = genai.LLMPipeline(path, "CPU", INFERENCE_NUM_THREADS=threads)
    say({"version": genai.__version__.split("-")[0]})
    for line in sys.stdin:
        request = json.loads(line)
        say(answer(model, request["ids"], request["generate"]))


def answer(model: genai.LLMPipeline, ids: list[int], generate: int) -> dict[str, object]:
    config = genai.GenerationConfig()
    config.max_new_tokens = generate
    config.ignore_eos = True
    config.do_sample = False
    prompt = np.asarray([ids], dtype=np.int64)
    inputs = genai.TokenizedInputs(ov.Tensor(prompt), ov.Tensor(np.ones_like(prompt)))
    result = model.generate(inputs, config)
    # Its own clock, in milliseconds: to the first token, and between tokens.
    first = result.perf_metrics.get_ttft().mean / 1000
    each = result.perf_metrics.get_tpot().mean / 1000
    made = [int(i) for i in result.tokens[0]]
    return {"prefill_s": first, "decode_s": each * (generate - 1), "ids": made}


def say(answer: dict[str, object]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
