"""docs/okta.md, and the dialect: each says what the other does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from host_tools.authority.core.authn_transactions import LIFETIME_S, TAKES
from host_tools.authority.core.sign_on_policy import SignOnPolicy
from host_tools.authority.dialects import okta_policy
from host_tools.authority.dialects.okta import ENDPOINTS, SERVERS
from host_tools.authority.dialects.okta_authn import LONGEST_DEVICE_TOKEN, QR
from host_tools.authority.dialects.okta_factors import KINDS
from host_tools.authority.dialects.okta_refusals import API
from host_tools.authority.dialects.okta_transactions import PATH

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "okta.md").read_text(encoding="utf-8")


def table(head: str) -> list[list[str]]:
    """The rows of the table that begins so, cell by cell."""
    [_, after] = PAGE.split(f"\n| {head} |", 1)
    rows = after.split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


@pytest.mark.parametrize("row", table("the tenant file"), ids=lambda row: row[0])
def test_a_row_of_the_policies_is_what_is_told(row):
    said, evaluated, shipped, offer = row
    mode, lifetime, unit = re.fullmatch(r"`(\w+)`(?:, (\d+) `(\w+)`)?", said).groups()
    policy = SignOnPolicy(factor_prompt_mode=mode)
    if lifetime:
        policy = SignOnPolicy(factor_prompt_mode=mode, factor_lifetime=int(lifetime), factor_lifetime_unit=unit)
    told = okta_policy.evaluation(policy, "MFA_REQUIRED", False)
    tells = told["factorPromptMode"], f'"{told["factorLifeTime"]}"', told["factorLifeTimeUnit"]
    assert evaluated == ", ".join(f"`{each}`" for each in tells)
    told = okta_policy.shipped(policy, False, {})
    allowed = str(told["allowRememberDevice"]).lower()
    assert shipped == f"`{allowed}`, {told['rememberDeviceLifetimeInMinutes']}"
    assert offer == (policy.offer() or "none")


def test_every_error_is_on_the_page_with_its_status():
    said = set()
    for codes, statuses, when in table("code"):
        codes, statuses = codes.split(", "), statuses.split(", ")
        if len(statuses) == len(codes):
            said |= set(zip(codes, statuses, strict=True))
        else:
            said |= {(code, status) for code in codes for status in statuses}
        if also := re.search(r", (E\d+)$", when):
            said.add((also[1], statuses[0]))
    said.add(("E0000032", "403"))  # with its endpoint
    assert said == {(code, str(status)) for code, status, _ in API.values()}


def test_every_endpoint_is_on_the_page():
    said = {PATH, QR}
    for paths, *_ in table("under `/api/v1/authn`"):
        for path in re.findall("`([^`]+)`", paths):
            said.add(PATH + path.replace("...", "/factors/{id}/lifecycle").replace("{id}", "{factor_id}"))
    for paths, _ in table("below `/oauth2/v1` and `/oauth2/default/v1`"):
        for path in re.findall("`([^`]+)`", paths):
            said |= {server.endpoints + path for server in SERVERS}
    documents = {path for server in SERVERS for path in server.documents}
    logout = {f"{server.endpoints}/logout" for server in SERVERS}
    assert said - logout == {*ENDPOINTS} - documents


def test_every_request_has_its_state_on_the_page():
    said = {state.strip("`"): takes for state, takes, _ in table("state")}
    for request, states in TAKES.items():
        for state in states:
            assert request.split()[-1] in said[state]


def test_figures_and_names():
    for kind in KINDS:
        assert f"`{kind.factor_type}`" in PAGE and f"`{kind.provider}`" in PAGE
    assert f"at most {LONGEST_DEVICE_TOKEN} characters" in PAGE
    assert f"for {LIFETIME_S} s after each request" in PAGE
