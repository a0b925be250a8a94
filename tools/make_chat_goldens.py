"""Write tests/data/golden/chat_templates.json.gz: what transformers renders of chat templates.

    python tools/make_chat_goldens.py FOLDER ...

Each FOLDER holds a tokenizer_config.json with a chat_template; give only those whose licence lets
the template be kept here (its name and licence go into tests/data/README.md). Run by hand in an
environment with transformers; the tests read the result without it.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import transformers
from transformers.utils.chat_template_utils import _compile_jinja_template

OUT = Path(__file__).resolve().parents[1] / "tests/data/golden/chat_templates.json.gz"
FAILED = "\x00failed"

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": 'Weather <b>now</b> & "later"',
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Stadt \u00e9"},
                "days": {"type": "integer", "default": 1},
            },
            "required": ["city"],
        },
    },
}
CALL = {"name": "get_weather", "arguments": {"city": "Z\u00fcrich", "days": 2}}

# Templates of our own for what the models' do not use.
OWN = {
    "loop controls": "{% for m in messages %}{% if m.role == 'system' %}{% continue %}{% endif %}"
    "{% if loop.index > 3 %}{% break %}{% endif %}\n  {{ m.role }}: {{ m.content | tojson }}\n"
    "{% endfor %}{% if tools %}{{ tools | tojson(indent=2) }}{% endif %}"
    "{% for d in documents or [] %}[{{ d.title }}]{{ d.text | trim }}{% endfor %}",
    "generation": "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}\n"
    "{{ m.content }}\n{% set x = 1 %}{{ x }}{% endgeneration %}\n{% else %}{{ m.content }}"
    "{% endif %}{% endfor %}",
    "raise": "{% if messages | length == 0 or messages[0].role != 'user' %}"
    "{{ raise_exception('needs a user') }}{% endif %}{{ messages[0]['content'] }}",
    "namespace and macros": "{% set ns = namespace(a=0, s='') %}{% for m in messages %}"
    "{% set ns.a = ns.a + 1 %}{% set ns.s = ns.s ~ (m.content or '') | string | upper %}"
    "{% endfor %}{{ ns.a }}{{ ns.s }}{%- macro f(x) -%}<{{ x }}>{%- endmacro -%}{{ f('y') }}"
    "{{ {'b': 1, 'a': [1.5, none, true]} | tojson }}{{ 'a,b'.split(',')[::-1] }}{{ nothing }}"
    "{{ strftime_now('no directive') }}",
}


def turn(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


CONVERSATIONS: list[list[dict[str, Any]]] = [
    [],
    [turn("user", "Hi")],
    [turn("system", "Be brief."), turn("user", "Hi")],
    [turn("user", "Hi"), turn("assistant", "Hello"), turn("user", "  spaced \n")],
    [turn("user", ""), turn("user", "<|im_end|> {{ x }}")],
    [turn("assistant", "first")],
    [turn("system", "a"), turn("system", "b"), turn("user", "c")],
    [
        turn("user", "w?"),
        turn("assistant", "", tool_calls=[{"id": "1", "type": "function", "function": CALL}]),
        turn("tool", '{"t": 20}', name="get_weather", tool_call_id="1"),
        turn("user", "ok"),
    ],
    [turn("user", "think"), turn("assistant", "<think>\nhm\n</think>\n\nyes"), turn("user", "on")],
    [turn("user", "q"), turn("assistant", "x", reasoning_content="because")],
    [turn("user", [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}])],
    [turn("odd", "x")],
    [turn("user", "\u65e5\u672c\u8a9e \U0001f98a"), turn("assistant", "\u00e9\u2028")],
]
VARIABLES: list[dict[str, Any]] = [
    {"add_generation_prompt": False},
    {"add_generation_prompt": True},
    {"add_generation_prompt": True, "tools": [TOOL]},
    {"add_generation_prompt": False, "documents": [{"title": "A", "text": "one\n"}]},
    {"add_generation_prompt": True, "enable_thinking": False},
]


def render(template: str, **variables: Any) -> str:
    try:
        return str(_compile_jinja_template(template).render(**variables))
    except Exception:  # whatever a template does; the test wants a TemplateError
        return FAILED


def main() -> None:
    templates: dict[str, tuple[str, dict[str, str]]] = {n: (t, {}) for n, t in OWN.items()}
    for folder in map(Path, sys.argv[1:]):
        config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        named = {
            key: value["content"] if isinstance(value, dict) else value
            for key, value in config.items()
            if key in ("bos_token", "eos_token", "unk_token", "pad_token") and value
        }
        templates[folder.name] = (config["chat_template"], named)
    cases = [
        {
            "template": name,
            "conversation": c,
            "variables": v,
            "text": render(
                source,
                **{"tools": None, **named, **VARIABLES[v], "messages": CONVERSATIONS[c]},
            ),
        }
        for name, (source, named) in templates.items()
        for c in range(len(CONVERSATIONS))
        for v in range(len(VARIABLES))
    ]
    said = {
        "transformers": transformers.__version__,
        "templates": {n: {"source": s, "named": k} for n, (s, k) in templates.items()},
        "conversations": CONVERSATIONS,
        "variables": VARIABLES,
        "cases": cases,
    }
    OUT.write_bytes(gzip.compress(json.dumps(said).encode(), mtime=0))
    failed = sum(case["text"] == FAILED for case in cases)
    print(f"{len(cases)} cases, {failed} refused, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
