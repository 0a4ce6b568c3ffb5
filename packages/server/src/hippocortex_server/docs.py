"""The interactive documentation: one page that needs nothing from anywhere else.

It reads `openapi.json` and offers every operation to be tried.  The pages that FastAPI brings load
their scripts from a public server, so they stay blank where there is no way out, and what that
server sends could read the key that is typed in.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response


@cache
def _page() -> tuple[str, str]:
    """The page, and the policy that lets nothing but its own script and style run in it."""
    page = files("hippocortex_server").joinpath("docs.html").read_text(encoding="utf-8")
    policy = "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'"
    for kind, tag in (("script-src", "script"), ("style-src", "style")):
        (inline,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        policy += f"; {kind} 'sha256-{digest}'"
    return page, policy + "; frame-ancestors 'none'"


async def docs_page(_: Request) -> Response:
    """The page."""
    page, policy = _page()
    headers = {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"}
    return HTMLResponse(page, headers=headers)
