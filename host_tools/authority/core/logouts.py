"""Signing a browser out for an application: Auth0's Logout, and OpenID Connect RP-Initiated Logout 1.0.

What was issued before stays good: access tokens to their end, refresh tokens until they are revoked, as Auth0 has it.
"""

from __future__ import annotations

from dataclasses import dataclass

from host_tools.authority.core.access_tokens import TokenVerifier
from host_tools.authority.core.errors import InvalidToken
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.records import Client, LoginSession
from host_tools.authority.core.sessions import LoginSessions
from host_tools.authority.core.storage import Store

_LONGEST_STATE = 2000  # it comes back in an address


@dataclass(frozen=True)
class Logout:
    """What is asked for. client: who asks, where that is known. address: one of its own, to send the browser back to.

    problem: why there is none, a sentence for a person. user_id: of whom the ID token speaks that came along.
    """

    client: Client | None
    address: str | None
    problem: str | None
    user_id: str | None
    state: str


class Logouts:
    """verifier: takes a token of this issuer for any audience."""

    def __init__(self, store: Store, verifier: TokenVerifier, sessions: LoginSessions, events: EventLog) -> None:
        self._store = store
        self._verifier = verifier
        self._sessions = sessions
        self._events = events

    def asked(
        self,
        client_id: str | None,
        address: str | None,
        state: str = "",
        id_token: str | None = None,
        leads_on: bool = False,
    ) -> Logout:
        """leads_on: who names no address is sent to the first that the client may name.

        RP-Initiated Logout 4: what cannot be verified is not used. An ID token that is not ours counts for none, and
        nobody is sent to an address that is not the client's; a person may be signed out all the same.
        """
        issued_to, user_id = self._hinted(id_token)
        client = self._store.get(Client, client_id or issued_to or "")
        if client_id and issued_to and client_id != issued_to:  # 2: MUST verify that they match
            return Logout(None, None, "What the application sent does not fit together.", None, "")
        if client is None:
            named = client_id or address
            return Logout(
                None, None, "The application that sent you here is not known." if named else None, user_id, ""
            )
        allowed = client.logout_uris.split()
        if address is None:
            return Logout(client, allowed[0] if allowed and leads_on else None, None, user_id, "")
        if address not in allowed:  # 3: exactly one of those registered
            problem = f"{client.name} named an address to go on to that is not one of its own."
            return Logout(client, None, problem, user_id, "")
        if len(state) > _LONGEST_STATE:
            return Logout(client, None, f"{client.name} sent a state that is too long.", user_id, "")
        return Logout(client, address, None, user_id, state)

    def end(self, session: LoginSession, logout: Logout) -> tuple[str, LoginSession]:
        """Nobody is signed in any more in this browser: the secret it has from now on. Raises SessionEnded."""
        client_id = logout.client.client_id if logout.client else None
        with self._store.transaction():
            renewed = self._sessions.sign_out(self._sessions.let_go(session))
            self._events.add("logout_succeeded", client_id, session.user_id)
        return renewed

    def _hinted(self, id_token: str | None) -> tuple[str | None, str | None]:
        """The client and the user of an ID token. RP-Initiated Logout 2: one that has expired should do."""
        if id_token is None:
            return None, None
        try:
            claims = self._verifier.id_token(id_token)
        except InvalidToken:
            return None, None
        return str(claims["aud"]), str(claims["sub"])
