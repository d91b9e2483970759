"""The system's Chromium, headless, one for each file; a page in it on a desktop's and on a phone's screen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

# Chromium's own traffic is off, so that the only requests are the person's.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 375, "height": 812}  # the narrowest that is common
RIGHTLY_TOLD = (
    # A form was answered with a 4xx.
    "responded with a status of 4",
    # A test on a busy machine typed before the browser came to the page's autofocus.
    "Autofocus processing was blocked because a document already has a focused element",
)


def chromium_path() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    assert path, f"no browser found: install one of {', '.join(names)}"
    return path


# One for each file: while Playwright runs, no other event loop can in its thread, and other tests have theirs.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(params=["desktop", "phone"])
def context(request, chromium) -> Iterator[BrowserContext]:
    phone = request.param == "phone"
    opened = chromium.new_context(viewport=PHONE if phone else DESKTOP, has_touch=phone)
    opened.set_default_timeout(10_000)
    yield opened
    opened.close()


@pytest.fixture
def page(context) -> Iterator[Page]:
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    yield opened
    # Anything else (a CSP violation, say) is a defect.
    assert [text for text in complaints if not any(told in text for told in RIGHTLY_TOLD)] == []


@pytest.fixture
def picture(page, request):
    """Keep a picture of the page where STOA_PICTURES names a folder, for a look at how it looks."""
    folder = os.environ.get("STOA_PICTURES")

    def take(name: str) -> None:
        # A page wider than its window would have to be pushed about with a thumb.
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        if folder:
            size = "phone" if page.viewport_size == PHONE else "desktop"
            page.screenshot(path=Path(folder) / f"{name}-{size}.png", full_page=True)

    return take
