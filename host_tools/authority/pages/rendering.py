"""Templates to responses, with the headers every page carries."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from host_tools.authority.core.authorization_requests import origin_of

_HERE = Path(__file__).parent
_STYLE = (_HERE / "assets" / "stoa.css").read_bytes()
# The name changes with the content, so that a browser may keep it.
_STYLE_PATH = f"/assets/stoa-{hashlib.sha256(_STYLE).hexdigest()[:12]}.css"
# The one script there is, of the page that posts an answer to a window: always this text, for the policy has its hash.
WEB_MESSAGE_SCRIPT = (_HERE / "assets" / "web_message.js").read_text(encoding="utf-8")
_SCRIPT_HASH = base64.b64encode(hashlib.sha256(WEB_MESSAGE_SCRIPT.encode()).digest()).decode()

# No script, no image, no frame, nothing from elsewhere; the one style sheet and forms to ourselves.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the address may hold a user code
    "X-Content-Type-Options": "nosniff",
}

_templates = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
)
_templates.globals["style_path"] = _STYLE_PATH
_templates.globals["web_message_script"] = Markup(WEB_MESSAGE_SCRIPT)


def page(template: str, status: int = 200, **content: Any) -> HTMLResponse:
    """A template as a response. `problem` is the sentence shown in its alert, or None."""
    content.setdefault("problem", None)
    return HTMLResponse(_templates.get_template(template).render(content), status, _HEADERS)


def form_may_lead_to(reply: Response, address: str) -> None:
    """Let this page's forms end at that address too: browsers hold `form-action` against where a form is led on to.

    A page has one such address: the first that is told.
    """
    policy, origin = reply.headers.get("Content-Security-Policy"), origin_of(address)
    if policy is not None and origin is not None:
        target = f"form-action 'self' {origin};"
        reply.headers["Content-Security-Policy"] = policy.replace("form-action 'self';", target)


def posts_to(reply: Response, origin: str) -> None:
    """Let this page run its script, and windows of that origin frame it. It has no form."""
    reply.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; script-src 'sha256-{_SCRIPT_HASH}'; form-action 'none'; "
        f"frame-ancestors {origin}; base-uri 'none'"
    )


def problem(status: int, sentence: str) -> HTMLResponse:
    """A page that says what went wrong and where to begin again."""
    return page("problem.html", status, problem=sentence)


def style_route() -> Route:
    async def style(request: Request) -> Response:
        return Response(_STYLE, media_type="text/css", headers={"Cache-Control": "public, max-age=31536000, immutable"})

    return Route(_STYLE_PATH, style, methods=["GET"])


def exception_handlers() -> dict[Any, Any]:
    """Pages for what no route answered, and for our own faults."""
    return {HTTPException: _not_served, Exception: _fault}


async def _not_served(request: Request, exception: Exception) -> Response:
    status = exception.status_code if isinstance(exception, HTTPException) else 500
    reply = problem(status, "There is nothing at this address." if status == 404 else "This address is not used so.")
    headers = exception.headers if isinstance(exception, HTTPException) else None
    reply.headers.update(headers or {})
    return reply


async def _fault(request: Request, exception: Exception) -> Response:
    return problem(500, "Something went wrong here, not with you. Try again in a moment.")
