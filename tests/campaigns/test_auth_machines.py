"""The auth core's machines: never two polls too close, never a token deleted wrongly, and always an end."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.campaign import extent
from tests.campaigns.device_grant_machine import DeviceGrant
from tests.campaigns.push_machine import Push
from tests.campaigns.refresh_machine import Refresh

pytestmark = pytest.mark.timeout(extent(quick=120, deep=600))
# 20 parts of 600 examples for each of three machines make 36,000 in the deep profile.
CAMPAIGN = settings(
    max_examples=extent(quick=100, deep=600),
    stateful_step_count=40,
    # Explaining traces each line, for minutes: what fails would be told as a time-out.
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)

# In parts, each with examples of its own: in one run of thousands Hypothesis remembers them all, a gigabyte.
PARTS = range(extent(quick=1, deep=20))


@pytest.mark.parametrize("machine", [DeviceGrant, Push, Refresh])
@pytest.mark.parametrize("part", PARTS)
def test_any_sequence(machine, part):
    seeded = seed(part)(type(machine.__name__, (machine,), {}))
    run_state_machine_as_test(seeded, settings=CAMPAIGN)
