"""A signal ends the server, not the answers that run: they finish, or end with the text so far."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import sys
import edgeward
from edgeward.server.listen import make_server
service = edgeward.serve(sys.argv[1], threads=1)
server = make_server(service, "127.0.0.1", 0, keys=None, hosts=None, rate=None,
                     grace=float(sys.argv[2]))
startup = server.startup
async def told(sockets=None):
    await startup(sockets)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
server.startup = told
server.run()
service.close()
print("closed", flush=True)
"""


def begin(pack: Path, home: Path, grace: float) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(pack), str(grace)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "EDGEWARD_HOME": str(home)},
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


@pytest.mark.parametrize(
    ("grace", "tokens", "ends"), [(20.0, 300, {"length"}), (0.0, 1900, {"cancelled"})]
)
def test_sigterm_in_mid_stream(
    tiny_pack: Path, store: Path, grace: float, tokens: int, ends: set[str]
) -> None:
    process, port = begin(tiny_pack, store, grace)
    try:
        asked = {"model": "tiny", "prompt": "hello", "stream": True, "ignore_eos": True}
        body = json.dumps({**asked, "max_tokens": tokens}).encode()
        head = "POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json"
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(f"{head}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
            parts = [client.recv(2000)]
            process.send_signal(signal.SIGTERM)
            while part := client.recv(65536):
                parts.append(part)
        answer = b"".join(parts).decode()
        events = [json.loads(e) for e in re.findall(r"^data: (\{.*)$", answer, re.MULTILINE)]
        assert events[-1]["edgeward"]["finish_reason"] in ends
        assert "data: [DONE]" in answer
        out, err = process.communicate(timeout=30)
        assert (out.strip(), process.returncode) == ("closed", 0)
        assert "Traceback" not in err
    finally:
        process.kill()
        process.wait()


def test_the_command_serves_and_ends(tiny_pack: Path, store: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", "from edgeward.cli import main; main()", "serve", str(tiny_pack),
         "--port", str(port), "--threads", "1", "--first-token", "5000"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "EDGEWARD_HOME": str(store)},
    )  # fmt: skip
    try:
        ends = time.monotonic() + 30
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                    client.sendall(
                        b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
                    )
                    assert b" 200 " in client.recv(65536)
                break
            except ConnectionRefusedError:
                assert time.monotonic() < ends
                time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert f"http://127.0.0.1:{port}/v1" in err
        assert '"path":"/v1/models","status":200' in err
        assert "Traceback" not in err
    finally:
        process.kill()
        process.wait()
