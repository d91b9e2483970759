"""Pages of an authority in this process, shown in Chromium without a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urljoin

from playwright.sync_api import Browser, Page, Route

from host_tools.authority.core.records import SigningKey
from tests.authority.conftest import ISSUER
from tests.authority.form_pages import SIGHTS, Names, Reply, Scene, scene


class Shown:
    """A reply of an authority in this process, in a browser. What is sent from there leads nowhere."""

    def __init__(self, page: Page, at: Scene, reply: Reply) -> None:
        self.page = page
        self._at = at
        self._reply = reply
        self._shown = False
        page.context.route("**/*", self._answered)
        page.goto(urljoin(ISSUER, reply.url.path))

    def _answered(self, route: Route) -> None:
        request = route.request
        if request.resource_type == "stylesheet":
            style = self._at.http.get(request.url)
            route.fulfill(status=style.status_code, headers=dict(style.headers), body=style.content)
        elif not self._shown:
            self._shown = True
            route.fulfill(status=self._reply.status_code, headers=dict(self._reply.headers), body=self._reply.content)
        else:
            route.fulfill(status=204)  # the browser stays where it is


@contextmanager
def shown(
    browser: Browser,
    key: SigningKey,
    name: str,
    scheme: str,
    size: dict[str, int],
    names: Names | None = None,
    **options: bool,
) -> Iterator[Shown]:
    """Of the page of this name. options: of the browser's context."""
    context = browser.new_context(viewport=size, color_scheme=scheme, **options)
    context.set_default_timeout(10_000)
    with scene(key, names) as at:
        yield Shown(context.new_page(), at, SIGHTS[name].reach(at))
    context.close()
