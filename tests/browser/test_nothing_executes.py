"""Scripts in whatever people and tenants have named, and the pages show again, in a browser that would run them."""

from __future__ import annotations

import html

import pytest
from playwright.sync_api import Page

from host_tools.authority.pages.rendering import WEB_MESSAGE_SCRIPT
from tests.authority.conftest import cheap_passwords, key_record  # noqa: F401
from tests.authority.form_pages import SIGHTS, Names
from tests.campaign import sample

from .conftest import DESKTOP
from .showing import shown

SCRIPT = "\"><script>window.ran='a script'</script><img src=x onerror=\"window.ran='an image'\">{{ran}}"
HOSTILE = Names(**dict.fromkeys(Names.__annotations__, SCRIPT))


def what_ran(page: Page) -> str | None:
    page.wait_for_load_state("load")
    return page.evaluate("window.ran || null")


@pytest.mark.parametrize("name", sample(SIGHTS, 2))
def test_nothing_that_is_shown_again_runs(chromium, key_record, name):  # noqa: F811
    """Without the page's policy, which would stop a script that was let through."""
    with shown(chromium, key_record, name, "light", DESKTOP, HOSTILE, bypass_csp=True) as at:
        assert what_ran(at.page) is None
        # One page has a script of its own, which is always the same.
        scripts = [WEB_MESSAGE_SCRIPT] if SIGHTS[name].template == "web_message.html" else []
        assert at.page.eval_on_selector_all("script", "all => all.map(each => each.textContent)") == scripts
        assert at.page.query_selector_all("img, [onerror]") == []


def test_it_would_run_if_it_were_let_through(chromium, key_record):  # noqa: F811
    with shown(chromium, key_record, "consent", "light", DESKTOP, HOSTILE, bypass_csp=True) as at:
        let_through = html.unescape(at.page.content())
        assert SCRIPT in let_through
        at.page.set_content(let_through)
        assert what_ran(at.page) is not None
