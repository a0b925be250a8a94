"""Nothing leaves the device: the system calls of a whole session are counted from below.

A small library is put in front of the C library's socket() and connect(); it writes a line for
each call, whoever makes it: Python, ONNX Runtime, or anything either loads.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void note(const char* what, size_t length) {
    const char* path = getenv("SOCKET_LOG");
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file < 0 || write(file, what, length) < 0) abort();
    close(file);
}
int socket(int domain, int type, int protocol) {
    note("socket\n", 7);
    int (*next)(int, int, int) = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
    return next(domain, type, protocol);
}
int connect(int fd, const struct sockaddr* address, socklen_t length) {
    note("connect\n", 8);
    int (*next)(int, const struct sockaddr*, socklen_t) =
        (int (*)(int, const struct sockaddr*, socklen_t))dlsym(RTLD_NEXT, "connect");
    return next(fd, address, length);
}
"""

SESSION = """
import sys, time
import edgeward
model = edgeward.load(sys.argv[1])
model.generate("hello", max_tokens=4)
model.chat("hello", max_tokens=4)
with edgeward.serve(model, keep_text=True, audit=True) as service:
    reply = service.chat("hello", max_tokens=4, session="one")
    service.feedback(reply.receipt.id, 1, "good")
time.sleep(1)  # a reporter in the background would have its chance
model.close()
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler to build the shim with")
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(SHIM)
    library = folder / "shim.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", library, folder / "shim.c", "-ldl"], check=True
    )
    return library


def calls(shim: Path, log: Path, program: str, *arguments: str) -> list[str]:
    environment = {**os.environ, "LD_PRELOAD": str(shim), "SOCKET_LOG": str(log)}
    environment["EDGEWARD_HOME"] = str(log.parent / "home")
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-c", program, *arguments], env=environment, check=True)
    return log.read_text().splitlines() if log.exists() else []


def test_load_generate_chat_and_serve_open_no_socket(
    shim: Path, tmp_path: Path, tiny_pack: Path
) -> None:
    assert calls(shim, tmp_path / "log", SESSION, str(tiny_pack)) == []


def test_the_counter_counts(shim: Path, tmp_path: Path) -> None:
    program = "import socket; s = socket.socket(); s.connect_ex(('127.0.0.1', 9))"
    assert calls(shim, tmp_path / "log", program) == ["socket", "connect"]


def test_telemetry_is_off_before_onnxruntime_can_be_imported() -> None:
    program = (
        "import os, sys; os.environ['ORT_DISABLE_TELEMETRY'] = '0'; import edgeward;"
        "assert 'onnxruntime' not in sys.modules; assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
