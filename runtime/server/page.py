"""The chat page at `/`: one file, nothing fetched from anywhere else.

Its own script and style are allowed by their hashes, and nothing besides: text of a model that got
into the page as markup would still not run.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from importlib import resources


@functools.cache
def page() -> tuple[bytes, str]:
    """The page, and the policy it is sent with."""
    content = (resources.files(__package__) / "page.html").read_bytes()
    script = _hashes(content, b"script")
    style = _hashes(content, b"style")
    policy = (
        f"default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return content, policy


def _hashes(content: bytes, tag: bytes) -> str:
    found = re.findall(rb"<%s>(.*?)</%s>" % (tag, tag), content, flags=re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(text).digest()).decode() for text in found)
    return " ".join(f"'sha256-{digest}'" for digest in digests)
