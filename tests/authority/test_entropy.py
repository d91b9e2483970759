"""Ten thousand codes and tokens as they are issued: none comes twice, and each place has all its signs.

That is what can be seen of randomness from outside; that it is the operating system's (`secrets`) is in the code.
"""

from __future__ import annotations

import base64
import string
from collections.abc import Collection

from host_tools.authority.core.access_tokens import Subject
from host_tools.authority.core.records import Client, DeviceGrant
from host_tools.authority.core.token_endpoint import Credentials

ISSUED = 10_000  # that a sign of 64 is missing somewhere has a chance of 64 * 60 * (63/64)**10_000, or 2**-215
URL_SAFE = set(string.ascii_letters + string.digits + "-_")  # RFC 4648 5
CONSONANTS = set("BCDFGHJKLMNPQRSTVWXZ")  # RFC 8628 6.1


def places(texts: Collection[str]) -> list[set[str]]:
    """The signs that have stood at each place."""
    return [set(signs) for signs in zip(*texts, strict=True)]


def test_device_codes_and_user_codes(authority, store, tenant):
    asking = Credentials(tenant.client_id)
    begun = [authority.tokens.authorize_device(asking, None, None) for _ in range(ISSUED)]
    codes = {each.device_code for each in begun}
    assert len(codes) == ISSUED
    *whole, last = places(codes)
    assert (len(whole), {*map(frozenset, whole)}) == (42, {frozenset(URL_SAFE)})
    # 43 signs of six bits for 32 bytes: the last one carries four, and 256 bits are in all.
    assert last == {base64.urlsafe_b64encode(bytes([0, bits])).decode()[2] for bits in range(16)}
    letters = {each.user_code.replace("-", "") for each in begun}
    assert len(letters) == len(store.find(DeviceGrant)) == ISSUED
    assert places(letters) == [CONSONANTS] * 8


def test_refresh_tokens(authority, store, tenant):
    client = store.get(Client, tenant.client_id)
    _, first = authority.refresh_tokens.begin_family(client, Subject("u", client.client_id, "a", "s", 0, "pwd"))
    tokens = [first]
    while len(tokens) < ISSUED:
        tokens.append(authority.refresh_tokens.use(authority.refresh_tokens.presented(tokens[-1], client), client))
    assert len(set(tokens)) == ISSUED
    assert {token[:3] for token in tokens} == {"v1."}
    assert places([token[3:] for token in tokens]) == [URL_SAFE] * 60  # 360 bits
