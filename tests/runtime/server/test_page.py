"""The page is one file that fetches nothing from elsewhere, and does what a person asks of it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from http_server import Address

import edgeward


@pytest.fixture
def html(server: Address) -> str:
    return server.ask("GET", "/")[2].decode()


class Tags(HTMLParser):
    """All start tags with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(html)
    return parser.found


def test_its_own_script_and_style_may_run_and_nothing_else(server: Address, html: str) -> None:
    status, headers, _ = server.ask("GET", "/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_nothing_is_fetched_from_elsewhere(html: str) -> None:
    assert not re.findall(r"(?:https?:)?//[a-z]", html)
    assert not [a for _, a in tags(html) if "src" in a or "onclick" in a or "style" in a]
    assert "innerHTML" not in html


def test_every_field_and_button_has_a_name(html: str) -> None:
    found = tags(html)
    labels = {a.get("for") for tag, a in found if tag == "label"}
    fields = {a.get("id") for tag, a in found if tag in ("textarea", "input")}
    assert fields == labels
    assert ("html", {"lang": "en"}) in found
    assert any(a.get("aria-live") == "polite" for _, a in found)
    assert "prefers-color-scheme: dark" in html
    assert ":focus-visible" in html


def contrast(one: str, other: str) -> float:
    """Of two colours, as WCAG 2 defines it."""

    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_text_can_be_read_in_light_and_dark(html: str) -> None:
    schemes = re.findall(r":root \{(.*?)\}", html, flags=re.DOTALL)
    assert len(schemes) == 2
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", scheme))
        for ink in ("ink", "soft", "good", "bad"):
            assert contrast(colours[ink], colours["card"]) >= 4.5, ink
        assert contrast(colours["ink"], colours["mine"]) >= 4.5
        assert contrast(colours["soft"], colours["mine"]) >= 4.5
        assert contrast(colours["ground"], colours["mark"]) >= 4.5


@pytest.mark.skipif(shutil.which("node") is None, reason="the page's script needs node to run")
def test_asking_rating_retrying_and_stopping(server: Address, service: edgeward.Service) -> None:
    program = Path(__file__).with_name("page_user.mjs")
    run = subprocess.run(
        ["node", str(program), f"http://127.0.0.1:{server.port}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    shown = json.loads(run.stdout)
    asked = [body for body in shown["asked"] if "messages" in body]
    (rated,) = [body for body in shown["asked"] if "score" in body]
    assert shown["first"]
    assert shown["rated"]["aria-pressed"] == "true"
    assert rated["receipt"] in {e.receipt for e in service._opinions.feedback.entries()}
    assert asked[0]["messages"] == asked[1]["messages"] == [{"role": "user", "content": "hello"}]
    assert shown["entries"] == 2  # one question, one answer: the retried one took its place
    assert [m["role"] for m in asked[2]["messages"]] == ["user", "assistant", "user"]
    assert shown["figures"]["ended"] in ("you", "stop", "length")
    assert shown["figures"]["budget"] == "none set"
