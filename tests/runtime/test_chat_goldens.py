"""Chat templates of three models and of our own against what transformers renders of them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from edgeward.chat_template import ChatTemplate
from edgeward.errors import TemplateError

FILE = Path(__file__).resolve().parents[1] / "data/golden/chat_templates.json.gz"
GOLDEN = json.loads(gzip.decompress(FILE.read_bytes()))
FAILED = "\x00failed"


@pytest.mark.parametrize("name", GOLDEN["templates"])
def test_every_conversation_is_rendered_as_transformers_renders_it(name):
    template = ChatTemplate(GOLDEN["templates"][name]["source"])
    cases = [case for case in GOLDEN["cases"] if case["template"] == name]
    assert len(cases) == len(GOLDEN["conversations"]) * len(GOLDEN["variables"])
    for case in cases:
        variables = {
            "tools": None,
            **GOLDEN["templates"][name]["named"],
            **GOLDEN["variables"][case["variables"]],
            "messages": GOLDEN["conversations"][case["conversation"]],
        }
        if case["text"] == FAILED:
            with pytest.raises(TemplateError):
                template.render(**variables)
        else:
            assert template.render(**variables) == case["text"], case
