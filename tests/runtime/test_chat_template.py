"""Chat templates: the words model authors use, and what a hostile template cannot do."""

from __future__ import annotations

import threading
import time

import pytest

from edgeward.chat_template import SECONDS, ChatTemplate
from edgeward.errors import TemplateError


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{% for a in [1, 2] %}{% if a == 1 %}{% continue %}{% endif %}{{ a }}{% endfor %}", "2"),
        ("{% for a in [1, 2, 3] %}{{ a }}{% break %}{% endfor %}", "1"),
        ("{% for a in 'xy' %}{{ loop.index }}{{ loop.last }}{{ loop.length }}{% endfor %}",
         "1False22True2"),
        ("{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% else %}none{% endfor %}", "a1"),
        ("{% for a in missing %}{% else %}none{% endfor %}", "none"),
        ("{% for a in [[1, [2]]] recursive %}{% if a is iterable %}({{ loop(a) }}){% else %}{{ a }}"
         "{% endif %}{% endfor %}", "(1(2))"),
        ("  {% if true %}\nx\n  {% endif %}\ny", "x\ny"),
        ("{{ {'a': '<\u00e9>', 'b': [1, none]} | tojson }}", '{"a": "<\u00e9>", "b": [1, null]}'),
        ("{{ {'b': 1} | tojson(indent=2) }}", '{\n  "b": 1\n}'),
        ("{% generation %}a{{ 1 }}{% endgeneration %}b", "a1b"),
        ("{% set ns = namespace(n=0) %}{% for i in range(4) %}{% set ns.n = ns.n + i %}{% endfor %}"
         "{{ ns.n }}", "6"),
        ("{% macro m(x) %}[{{ x }}]{% endmacro %}{{ m('a') }}", "[a]"),
        ("{{ 'a b' | replace(' ', '-') }}{{ 'ab'.replace('b', 'c') }}{{ '%s!' % 'x' }}", "a-bacx!"),
        ("{{ 'ab' * 3 }}{{ 'x' | indent(2) }}{{ ' a '.strip() }}{{ 'a,b'.split(',')[-1] }}",
         "abababxab"),
        ("{{ missing }}{{ missing is defined }}", "False"),
    ],
)  # fmt: skip
def test_what_templates_use(source, text):
    assert ChatTemplate(source).render() == text


def test_strftime_now_is_today():
    assert ChatTemplate("{{ strftime_now('%Y') }}").render() == time.strftime("%Y")


def test_raise_exception_is_an_error_with_its_message():
    with pytest.raises(TemplateError, match="roles must alternate"):
        ChatTemplate("{{ raise_exception('roles must alternate') }}").render()


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% for i in range(99999) %}{% for j in range(99999) %}{{ i }}{% endfor %}{% endfor %}",
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(90) }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{{ 'a' * 10 ** 9 }}",
        "{{ [0] * 10 ** 9 }}",
        "{{ (9 ** 9) ** 9999999 }}",
        "{{ range(10 ** 9) | list }}",
        "{{ 'x' | center(10 ** 9) }}",
        "{{ 'x'.ljust(10 ** 9) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%1000000000d' | format(1) }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ ('a' * 100000) | replace('a', 'b' * 100000) }}",
        "{{ ('a' * 100000).replace('a', 'b' * 100000) }}",
        "{{ 'x' | indent(10 ** 9) }}",
        "{% for i in 'x' * 900000 %}{% for j in 'x' * 900000 %}{% endfor %}{% endfor %}",
    ],
)
def test_a_hostile_template_ends_soon_with_an_error(source):
    start = time.monotonic()
    with pytest.raises(TemplateError):
        ChatTemplate(source).render()
    assert time.monotonic() - start < SECONDS + 5


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ messages.append(1) }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ self.__init__.__globals__['os'] }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}{{ os }}",
        "{{ (1).__class__.__base__.__subclasses__() }}",
    ],
)
def test_nothing_leaves_the_sandbox(source):
    with pytest.raises(TemplateError):
        print(ChatTemplate(source).render(messages=[{"role": "user"}]))


def test_what_is_no_template_is_refused():
    for source in ("{% for %}", "{{", "{% endfor %}", "{% if " + "(" * 5000):
        with pytest.raises(TemplateError, match="no valid Jinja template"):
            ChatTemplate(source)
    with pytest.raises(TemplateError, match="limit"):
        ChatTemplate("x" * (1 << 21))


def test_messages_are_not_changed():
    messages = [{"role": "user", "content": "x"}]
    with pytest.raises(TemplateError):
        ChatTemplate("{{ messages.clear() }}").render(messages=messages)
    assert messages == [{"role": "user", "content": "x"}]


def test_one_template_serves_many_threads():
    template = ChatTemplate("{% for i in range(300) %}{{ name }}{% endfor %}")
    wrong = []

    def work(name):
        texts = [template.render(name=name) for _ in range(20)]
        wrong.extend(text for text in texts if text != name * 300)

    threads = [threading.Thread(target=work, args=(n,)) for n in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
