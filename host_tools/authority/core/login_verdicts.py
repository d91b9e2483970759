"""What the tenant's scripts say of somebody who signs in: asked once, when it is known who and what for, and kept."""

from __future__ import annotations

from dataclasses import replace

from host_tools.authority.core.errors import DeniedByScript, NothingAsked, Refusal
from host_tools.authority.core.post_login import Attempt, PostLogin
from host_tools.authority.core.records import Client, LoginSession
from host_tools.authority.core.sessions import LoginSessions
from host_tools.authority.core.storage import Store
from host_tools.authority.core.users import Users


class SignInDenied(Refusal):
    """A script said no. A device has been told already; an application is told by `reason`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"You were not let in: {reason}")


class LoginVerdicts:
    def __init__(
        self,
        store: Store,
        users: Users,
        sessions: LoginSessions,
        post_login: PostLogin,
    ) -> None:
        self._store = store
        self._users = users
        self._sessions = sessions
        self._post_login = post_login

    def settled(self, session: LoginSession, address: str, user_agent: str, keep: bool = True) -> LoginSession:
        """The session with a verdict, where scripts are there and it is due. Slow. Raises SignInDenied.

        keep: whether the session is changed by it.
        """
        if self._post_login.judge is None or session.verdict is not None:
            return session
        attempt = self._attempt(session, address, user_agent)
        if attempt is None:
            return session
        try:
            verdict = self._post_login.verdict(attempt)
        except DeniedByScript as denied:
            if keep:
                self._sessions.deny(session, denied.description)
            raise SignInDenied(denied.description) from denied
        if not keep:
            return replace(session, verdict=verdict.text())
        return self._sessions.keep_verdict(session, verdict.text())

    def _attempt(self, session: LoginSession, address: str, user_agent: str) -> Attempt | None:
        user = self._users.get(session.user_id) if session.user_id else None
        if user is None or (session.user_code is None and session.request_id is None):
            return None
        try:
            asked = self._sessions.asked_for(session)
        except NothingAsked:  # the page that is due says so
            return None
        client = self._store.get(Client, asked.client_id)
        if client is None:
            return None
        return Attempt(
            protocol=asked.protocol,
            user=user,
            client=client,
            scope=asked.scope,
            audience=asked.audience,
            amr=session.amr,
            auth_time_at=session.auth_time_at or 0,
            address=address,
            user_agent=user_agent,
            acr_values=asked.acr_values,
        )
