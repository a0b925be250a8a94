"""Whatever is sent, the answer is the right status and a clear sentence, and the server goes on."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest
from http_server import Address, serving

import edgeward
from edgeward.server import listen as listening
from edgeward.server.app import MOST_BODY

CHAT = "/v1/chat/completions"


@pytest.fixture
def good(service: edgeward.Service) -> dict[str, Any]:
    name = service.model.info.name
    return {"model": name, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 2}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b'{"model": "\xff"}', b"null", b"[]", b"7", b"[" * 100_000],
)
def test_what_is_no_request_is_refused(server: Address, body: bytes) -> None:
    status, _, answer = server.ask("POST", CHAT, body)
    assert status == 400
    assert json.loads(answer)["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"messages": "hello"}, "messages"),
        ({"messages": []}, "messages is empty"),
        ({"messages": [{"content": "x"}]}, "role"),
        ({"messages": [{"role": "user", "content": 7}]}, "content"),
        ({"temperature": "hot"}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 10**30}, "max_tokens"),
        ({"top_p": 7}, "top_p"),
        ({"seed": -1}, "seed"),
        ({"stop": [""]}, "stop"),
        ({"logit_bias": {"x": 1}}, "logit_bias"),
        ({"top_logprobs": 3}, "logprobs"),
        ({"stream_options": {"x": 1}}, "unrecognized field `x`"),
        ({"response_format": {"type": "poem"}}, "response_format"),
        ({"tools": [{}]}, "tool"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}], "parallel_tool_calls": False},
         "parallel_tool_calls"),
        ({"store": True}, "store"),
        ({"max_completion_tokens": 3}, "max_completion_tokens"),
        ({"edgeward": {"session": "../x"}}, "letters, digits"),
        ({"edgeward": {"priority": "urgent"}}, "'high', 'normal' or 'low'"),
        ({"edgeward": {"latency_budget": {"on_miss": "x"}}}, "on_miss"),
        ({"edgeward": {"latency_budget": -3}}, "first_token"),
        ({"edgeward": {"speed": 1}}, "unrecognized field `speed`"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(
    server: Address, good: dict[str, Any], changes: dict[str, Any], says: str
) -> None:
    status, answer = server.post(CHAT, {**good, **changes})
    assert status == 400
    assert says in answer["error"]["message"]


def test_a_stream_that_cannot_begin_is_a_plain_error(server: Address, good: dict[str, Any]) -> None:
    status, answer = server.post(CHAT, {**good, "stream": True, "temperature": -1})
    assert status == 400
    assert "temperature" in answer["error"]["message"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v1/files",
        "/v1/../etc/passwd",
        "/%2e%2e/etc/passwd",
        "/v1/models/",
        "//x",
        "/\\",
    ],
)
def test_other_paths_are_not_there(server: Address, path: str) -> None:
    status, _, answer = server.ask("GET", path)
    assert status == 404
    assert b"root" not in answer


def test_other_methods_are_refused_with_those_there_are(server: Address) -> None:
    status, headers, _ = server.ask("GET", CHAT)
    assert (status, headers["allow"]) == (405, "POST")
    status, headers, _ = server.ask("OPTIONS", CHAT)
    assert status == 405
    assert not [name for name in headers if name.startswith("access-control")]


def test_a_body_that_is_too_large_is_refused_unread(server: Address) -> None:
    status, headers, answer = server.ask("POST", CHAT, b"", content_length=str(MOST_BODY + 1))
    assert status == 413
    assert headers["connection"] == "close"
    assert str(MOST_BODY) in json.loads(answer)["error"]["message"]


def test_a_body_of_unstated_size_is_bounded_too(server: Address) -> None:
    head = (
        f"POST {CHAT} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"transfer-encoding: chunked\r\n\r\n"
    ).encode()
    piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(head)
        try:
            for _ in range(MOST_BODY // 0x10000 + 2):
                client.sendall(piece)
            answer = client.recv(65536)
        except (BrokenPipeError, ConnectionResetError):
            return  # refused and closed while we were still sending
    assert b" 413 " in answer.split(b"\r\n")[0]


def test_only_json_is_taken_so_that_no_page_can_send_it_unasked(
    server: Address, good: dict[str, Any]
) -> None:
    status, answer = server.post(CHAT, good, content_type="text/plain")
    assert status == 415
    assert "application/json" in answer["error"]["message"]


def test_pages_of_other_sites_are_refused(server: Address, good: dict[str, Any]) -> None:
    status, answer = server.post(CHAT, good, origin="https://evil.example")
    assert (status, "evil.example" in answer["error"]["message"]) == (403, True)
    status, _ = server.post(CHAT, good, origin=f"http://127.0.0.1:{server.port}")
    assert status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_a_name_that_is_not_ours_is_refused(server: Address, host: str) -> None:
    status, _, _ = server.ask("GET", "/v1/models", host=host)
    assert status == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9", "[::1]:9", "127.0.0.1"])
def test_names_of_this_machine_are_ours(server: Address, host: str) -> None:
    assert server.ask("GET", "/v1/models", host=host)[0] == 200


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * 100 + b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\n" + b"x: " + b"y" * 200_000 + b"\r\n\r\n",
        b"POST /v1/models HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_http_harms_nobody(server: Address, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        answer = client.recv(65536)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert server.ask("GET", "/health")[0] == 200


def test_a_client_that_sends_no_head_is_not_waited_for(
    service: edgeward.Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "HEADERS_SECONDS", 0.3)
    with serving(service) as server:
        for start in (b"", b"GET /v1/mod"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
                client.sendall(start)
                assert client.recv(100) == b""
        keep = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
            client.sendall(keep)
            answer = b""
            while not answer.endswith(b'{"status":"ok"}'):
                answer += client.recv(65536)
            assert b" 200 " in answer
            client.sendall(keep[:20])
            assert client.recv(65536) == b""


def test_a_client_that_sends_half_a_body_is_not_waited_for(
    service: edgeward.Service, good: dict[str, Any]
) -> None:
    with serving(service) as server:
        app = server.server.config.app
        object.__setattr__(app.settings, "body_seconds", 0.2)
        status, headers, _ = server.ask("POST", CHAT, b"{", content_length="100")
    assert (status, headers["connection"]) == (408, "close")


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_frees_its_place(
    server: Address, service: edgeward.Service, good: dict[str, Any], stream: bool
) -> None:
    asked = {**good, "max_tokens": 1900, "ignore_eos": True, "stream": stream}
    body = json.dumps(asked).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        if stream:
            client.recv(1000)
        until(lambda: service.stats()["running"] == 1)
    until(lambda: service.stats()["running"] == 0, seconds=1.0)


def until(condition: Any, seconds: float = 10.0) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.005)


def test_a_server_that_is_full_says_when_to_come_back(tiny_pack: Any) -> None:
    with (
        edgeward.serve(tiny_pack, threads=1, max_active=1, max_queue=0) as service,
        serving(service) as server,
    ):
        held = service.generate("hello", stream=True)
        asked = {"model": service.model.info.name, "prompt": "hello", "max_tokens": 2}
        status, headers, answer = server.ask("POST", "/v1/completions", json.dumps(asked).encode())
        assert status == 429
        assert int(headers["retry-after"]) >= 1
        assert json.loads(answer)["error"]["code"] == "overloaded"
        held.close()
        assert server.post("/v1/completions", asked)[0] == 200


def test_each_client_may_ask_so_often(service: edgeward.Service) -> None:
    with serving(service, rate=3) as server:
        statuses = [server.ask("GET", "/v1/models")[0] for _ in range(5)]
        _, headers, _ = server.ask("GET", "/v1/models")
        assert server.ask("GET", "/health")[0] == 200
    assert statuses == [200, 200, 200, 429, 429]
    assert 1 <= int(headers["retry-after"]) <= 20


def test_every_answer_forbids_guessing_framing_and_keeping(server: Address) -> None:
    _, headers, _ = server.ask("GET", "/v1/models")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers
    assert not [name for name in headers if name.startswith("access-control")]


def test_the_log_has_no_text(
    server: Address, good: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    secret = "my grandmother's maiden name"
    with caplog.at_level("INFO", logger="edgeward.server"):
        server.post(CHAT, {**good, "messages": [{"role": "user", "content": secret}]})
        server.post(CHAT, {**good, "messages": [{"role": secret, "content": 7}]})
        server.ask("GET", "/grandmother")
        # The line of a request before these may come late.
        until(
            lambda: {200, 400, 404} <= {line["status"] for line in map(json.loads, caplog.messages)}
        )
    assert "grandmother" not in caplog.text
    lines = [json.loads(message) for message in caplog.messages]
    assert (CHAT, 200, "length") in [
        (line["path"], line["status"], line.get("end")) for line in lines
    ]


def test_feedback_and_metrics_have_their_paths(
    server: Address, service: edgeward.Service, good: dict[str, Any]
) -> None:
    _, answer = server.post(CHAT, good)
    receipt = answer["edgeward"]["receipt"]["id"]
    assert server.post("/v1/feedback", {"receipt": receipt, "score": -1}) == (200, {"kept": True})
    assert server.post("/v1/feedback", {"receipt": "x", "score": 1})[0] == 400
    assert server.post("/v1/feedback", {"receipt": receipt, "score": 9})[0] == 400
    status, headers, text = server.ask("GET", "/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain")
    assert b"gen_ai_server_time_to_first_token_seconds_bucket" in text
    assert json.loads(server.ask("GET", "/v1/stats")[2])["requests"] > 0
