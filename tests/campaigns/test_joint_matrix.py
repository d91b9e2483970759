"""The joint matrix of power and reply: a sample each time, every cell with STOA_CAMPAIGN=deep."""

from __future__ import annotations

import pytest

from tests.campaign import extent
from tests.campaigns.joint_matrix import ANSWERS, GRACES_S, LOST, Cell, campaign, matrix
from tests.campaigns.power_cuts import cuts


@pytest.mark.timeout(extent(quick=120, deep=1800))
def test_it_ends_with_a_token_that_works_or_asks_a_person_once():
    done = campaign(every=extent(quick=29, deep=1))
    assert not done.failures
    assert done.outcomes["asked"] and done.outcomes["by itself"]
    assert sum(done.outcomes.values()) >= extent(quick=30, deep=1000)


def test_no_cut_of_a_rotation_costs_a_token_that_was_whole_in_flash():
    """The cells that found the directory entry's rewrite: power lost, and no grace at all."""
    with matrix() as made:
        uncut = Cell("cut-first", None, "none", 0, "token")
        ends = {
            str(cut): made.run(Cell("cut-first", cut, "none", 0, "token")) for cut in cuts(0, made.operations(uncut))
        }
    assert len(ends) == 20
    assert not [(cut, wrong) for cut, (outcome, wrong) in ends.items() if outcome == "failed"]


def test_every_failure_of_the_server_alone():
    """Nothing is cut: what a person is asked for is MFA, or a token whose reply was lost for good."""
    with matrix() as made:
        asked = {
            (lost, grace_s, answer)
            for lost in LOST
            for grace_s in GRACES_S
            for answer in ANSWERS
            if made.run(Cell("reply-first", None, lost, grace_s, answer))[0] == "asked"
        }
    always = {(lost, grace_s, "mfa_required") for lost in LOST for grace_s in GRACES_S}
    # Rotated, the reply lost, and the repetition too late: at once for no grace, a minute later after 429.
    in_vain = {("after", 0, "token")} | {("after", grace_s, "429") for grace_s in GRACES_S}
    assert asked == always | in_vain
