"""The vault's campaign: a sample each time, the whole of it with STOA_CAMPAIGN=deep."""

from __future__ import annotations

import re

import pytest

from stoa import vault
from tests.campaign import extent
from tests.campaigns import broken_vaults
from tests.campaigns.vault import (
    OPERATIONS,
    REFRESHES,
    SEEDS,
    VaultLost,
    cut_everything,
    cut_on_and_on,
    cut_twice,
    replay,
)
from tests.unit.flash import HOWS

pytestmark = pytest.mark.timeout(extent(quick=120, deep=600))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_flash_operation_of_a_random_history_may_be_cut_in_each_way(seed):
    every = extent(quick=10, deep=1)
    figures = cut_everything(seed, OPERATIONS, every=every)
    assert figures.operations >= OPERATIONS
    assert figures.cuts >= figures.operations * len(HOWS) // every
    assert min(figures.calls[name] for name in ("clear", "wipe", "computer takes the drive")) >= 5, figures.calls


@pytest.mark.parametrize("seed", SEEDS)
def test_all_pairs_of_cuts_within_one_refresh(seed):
    figures = cut_twice(seed, extent(quick=3, deep=REFRESHES))
    assert figures.pairs > extent(quick=300, deep=5000)


@pytest.mark.parametrize("seed", SEEDS)
def test_damage_that_adds_up(seed):
    cuts = extent(quick=100, deep=2000)
    figures = cut_on_and_on(seed, cuts)
    assert figures.cuts == cuts
    assert figures.both_folders_gone >= cuts // 100


@pytest.mark.parametrize(
    ("kind", "campaign", "extent"),
    [
        (broken_vaults.nvm_alone, cut_everything, OPERATIONS),
        (broken_vaults.one_slot_alone, cut_everything, OPERATIONS),
        (broken_vaults.NoChecksum, cut_everything, OPERATIONS),
        (broken_vaults.clears_the_newest_first, cut_everything, OPERATIONS),
        (broken_vaults.temporary_and_rename, cut_twice, REFRESHES),
        (broken_vaults.one_folder, cut_twice, REFRESHES),
        (broken_vaults.nvm_alone, cut_on_and_on, 2000),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_vault_that_is_broken_fails_and_its_token_replays_the_failure(kind, campaign, extent):
    with pytest.raises(VaultLost) as lost:
        campaign(1, extent, kind)
    said = str(lost.value)
    token = re.match(r"\d+:\d+(:\d+:[a-z-]+)+(?=: )|\d+:on-and-on:\d+(?=: )", said)
    assert token, said
    with pytest.raises(VaultLost) as again:
        replay(token.group(), kind)
    assert str(again.value) == said
    replay(token.group(), vault.Vault)
