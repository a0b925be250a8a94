# Two commands for a fresh machine: `make demo` and `make test`. Everything happens in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CUDA_ARCHS ?= 90
QUESTION ?= What is the capital of France?
# Left to itself this model is as likely to answer a question about France in French.
SYSTEM ?= Answer in one short English sentence.

SOURCES := $(shell find runtime kernels quantize bench -name '*.py' -o -name '*.pyx' -o -name '*.pyi' -o -name '*.cpp' -o -name '*.h' -o -name '*.inc' 2>/dev/null) setup.py pyproject.toml
CPP := $(shell find kernels tests/kernels -name '*.cpp' -o -name '*.h' -o -name '*.cu' -o -name '*.cuh')

.PHONY: demo test test-portable sanitize-operators check lint types format wheel wheel-check wheel-cuda ray-check gpu gpu-check neon ort-matrix sanitize fuzz fuzz-intake clean

demo: $(VENV)/.demo
	$(BIN)/edgeward pull smollm2-135m
	$(BIN)/edgeward run smollm2-135m "$(QUESTION)" --system "$(SYSTEM)" --stats

test: $(VENV)/.test
	$(BIN)/python -m pytest -q $(PYTEST)

# The runtime's tests once more, on the graph that runs where the operator library does not.
test-portable: $(VENV)/.test
	EDGEWARD_TEST_GRAPH=portable $(BIN)/python -m pytest -q tests/runtime $(PYTEST)

check: lint types

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run --Werror $(CPP)

# mypy does not follow editable installs, so it is given a view of the folders as one package.
types: $(VENV)/.dev
	mkdir -p build/view/edgeward
	ln -sfn $(CURDIR)/runtime/* $(CURDIR)/kernels $(CURDIR)/quantize $(CURDIR)/bench build/view/edgeward/
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest edgeward.kernels._native edgeward.kernels._text --mypy-config-file pyproject.toml

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CPP)

wheel: $(VENV)/.dev
	rm -rf dist
	$(BIN)/python -m build

# The wheel, alone in an empty environment: imports, reports, and knows its version.
wheel-check: wheel
	rm -rf build/empty
	$(PYTHON) -m venv build/empty
	build/empty/bin/pip install -q dist/*.whl
	cd build && empty/bin/edgeward doctor --json > /dev/null && empty/bin/edgeward --version

# edgeward-cuda: the same source under another name, for onnxruntime-gpu. Needs nvcc.
wheel-cuda: $(VENV)/.dev
	$(BIN)/python tools/cuda_project.py build/cuda-project
	cd build/cuda-project && EDGEWARD_CUDA=1 ../../$(BIN)/python -m build --wheel --outdir ../../dist

# `edgeward batch --engine ray` on three nodes on this machine, an actor killed in mid-run.
ray-check: $(VENV)/.test
	$(BIN)/pip install -q "ray[data]>=2.40"
	RAY_USAGE_STATS_ENABLED=0 RAY_AUTH_MODE=disabled $(BIN)/python -m pytest -q tests/runtime/bulk/test_on_ray.py

# The sampler on a GPU against the CPU's, as one program without Python: made here, run there.
gpu-check: $(VENV)/.test
	$(BIN)/python tests/support/device_check.py build/device-check $(CUDA_ARCHS)

# What only a machine with an NVIDIA GPU can show. Needs nvcc, and torch for memory on the device.
gpu:
	$(PYTHON) -m venv --system-site-packages build/gpu
	EDGEWARD_CUDA=1 EDGEWARD_CUDA_ARCHS="$(CUDA_ARCHS)" build/gpu/bin/pip install -q ".[test]"
	build/gpu/bin/python -m pytest -q tests/kernels/cuda $(PYTEST)
	build/gpu/bin/edgeward bench sampling --device cuda

# A million recorded choices, and every operator, by the ARM builds under an emulator; says what is missing where it is.
neon: $(VENV)/.test
	$(BIN)/python tests/support/isa_record.py neon
	$(BIN)/python tests/support/ops_record.py

# The fused operators under the oldest ONNX Runtime they run on, one between and the newest.
ort-matrix: $(VENV)/.test
	$(BIN)/python -P tools/ort_matrix.py

# The kernels under AddressSanitizer and UndefinedBehaviorSanitizer, in an environment of their own.
sanitize:
	$(PYTHON) -m venv build/sanitize
	EDGEWARD_SANITIZE=address,undefined build/sanitize/bin/pip install -q ".[test]"
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	build/sanitize/bin/python -m pytest -q tests/kernels $(PYTEST)

# The operator library as ONNX Runtime drives it, without ONNX Runtime, so that sanitizers see all of
# it: addresses and undefined behaviour, then races. make sanitize-operators SECONDS=600
sanitize-operators:
	$(PYTHON) tests/support/decoder_stress.py address,undefined --seconds $(SECONDS)
	$(PYTHON) tests/support/decoder_stress.py thread --seconds $(SECONDS) --isa generic

# The tokenizer on damaged files and against the reference, the safety kernels on damaged files and
# texts, each for SECONDS under the same sanitizers: make fuzz
# SECONDS=3600. What it finds is left in build/fuzz.
SECONDS ?= 60
fuzz:
	$(PYTHON) -m venv build/sanitize
	EDGEWARD_SANITIZE=address,undefined build/sanitize/bin/pip install -q ".[test]"
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	sh -c 'for fuzzer in tokenizer safety places; do \
	    build/sanitize/bin/python tests/fuzz/$${fuzzer}_fuzz.py --seconds $(SECONDS) || exit 1; done'

clean:
	rm -rf build dist *.egg-info

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --upgrade "pip>=24"

$(VENV)/.demo: $(BIN)/python $(SOURCES)
	$(BIN)/pip install -q ".[quantize]"
	touch $@

$(VENV)/.test: $(BIN)/python $(SOURCES)
	EDGEWARD_WERROR=1 $(BIN)/pip install -q ".[test]"
	touch $@

$(VENV)/.dev: $(VENV)/.test
	$(BIN)/pip install -q ".[dev]"
	touch $@
