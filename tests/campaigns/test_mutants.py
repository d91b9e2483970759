"""Each row of each table changed once is noticed by the unit tests: a sample each time, all with STOA_CAMPAIGN=deep."""

from __future__ import annotations

import re

import pytest

from tests.campaign import extent
from tests.campaigns.mutants import EQUIVALENT, TABLES, is_equivalent, is_noticed, mutants

pytestmark = pytest.mark.timeout(extent(quick=120, deep=1800))


@pytest.mark.parametrize("name", TABLES)
def test_no_mutant_survives(name):
    tested = TABLES[name]
    made = [(what, change) for what, change in mutants(tested) if not is_equivalent(name, what)]
    assert len(made) >= 2 * len(tested.table)
    sample = made[:: extent(quick=max(len(made) // 3, 1), deep=1)]
    survivors = [what for what, change in sample if not is_noticed(tested, change)]
    assert not survivors, "\n".join(survivors)


@pytest.mark.parametrize("name", TABLES)
def test_what_is_not_changed_is_not_noticed(name):
    # Else every mutant would look noticed, for whatever reason the tests fail.
    assert not is_noticed(TABLES[name], lambda table: None)


@pytest.mark.parametrize("table, pattern, why", EQUIVALENT)
def test_what_is_called_equivalent_is_a_mutant_there_is(table, pattern, why):
    assert [what for what, _ in mutants(TABLES[table]) if re.fullmatch(pattern, what)], why
