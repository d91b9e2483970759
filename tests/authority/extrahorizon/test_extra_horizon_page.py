"""docs/extra-horizon.md says what is so."""

from __future__ import annotations

import re
from pathlib import Path

from host_tools.authority.core.reattempt_delay import delay_s
from host_tools.authority.dialects.extrahorizon import ENDPOINTS
from host_tools.authority.dialects.extrahorizon_refusals import REFUSALS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "extra-horizon.md").read_text(encoding="utf-8")


def rows(first: str) -> list[list[str]]:
    """The rows of the table whose head begins so, without its rule."""
    table = PAGE.partition(f"| {first} |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_the_waits():
    failures, _, (name, *seconds) = rows("wrong codes in a row")
    assert name == "seconds" and len(failures) == len(seconds)
    for told, waited in zip(failures, seconds, strict=True):
        assert delay_s(int(told.split()[0])) == int(waited.replace(",", ""))
    assert failures[-1] == "32 and more" and delay_s(33) == delay_s(32)


def test_the_refusals():
    _, _, *lines = rows("code")
    told = set()
    for codes, names, statuses, _ in lines:
        numbered = zip(codes.split(", "), re.findall("[A-Z0-9_]{5,}", names), strict=True)
        told |= {(int(code), name, status) for code, name in numbered for status in statuses.split(", ")}
    assert told - {(26, "ILLEGAL_ARGUMENT_EXCEPTION", "405")} == {
        (each.code, each.name, str(each.status)) for each in REFUSALS.values()
    }


def test_the_addresses():
    last_words = {path.rpartition("/")[2] for path in ENDPOINTS} - {"{user_id}"}
    assert [word for word in last_words if f"/{word}`" not in PAGE] == []
