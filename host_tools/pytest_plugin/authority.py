"""What a test has in hand: a running authority, its clock, and a person who answers its pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from host_tools.authority import RunningAuthority, Tenant
    from host_tools.authority.control import Controls
    from host_tools.clock import Clock


class Answered(NamedTuple):
    """A request that was answered: Answered(after_s=5, method="POST", path="/oauth/token", status=403).

    after_s: whole seconds since the test began, by the authority's clock. status: 0 where the reply was lost.
    """

    after_s: int
    method: str
    path: str
    status: int


class StoaAuthority:
    """An authority for one test, with nothing in it but the tenant, and no fault set.

    running: the server itself; docs/control-api.md, "From Python".
    clock: its clock. A client under test that waits or looks at the time is given `sleep` and `time`.
    began_ns: when the test began, by that clock.
    """

    def __init__(
        self, running: RunningAuthority, clock: Clock, passwords: Mapping[str, str], answered: list[Answered]
    ) -> None:
        """passwords: of all users, by name. answered: what the server adds its requests to."""
        self.running = running
        self.clock = clock
        self.began_ns = clock.now_ns()
        self._passwords = passwords
        self._answered = answered
        self._is_over = False

    def __repr__(self) -> str:
        return f"<StoaAuthority {self.issuer}>"

    @property
    def issuer(self) -> str:
        """http://127.0.0.1:37401/; with tls=True https."""
        return self.running.issuer

    @property
    def tenant(self) -> Tenant:
        """The first client for devices and the first user, as the demo prints them."""
        return self.running.tenant

    @property
    def client_id(self) -> str:
        return self.tenant.client_id

    @property
    def audience(self) -> str:
        """https://stoa.example/quotes; the rfc dialect's clients send it as `resource`."""
        return self.tenant.audience

    @property
    def scope(self) -> str:
        """read:quotes offline_access"""
        return self.tenant.scope

    @property
    def api_url(self) -> str:
        """A resource that wants an access token: http://127.0.0.1:37401/api/quotes/today"""
        return self.tenant.quotes_url

    @property
    def username(self) -> str:
        """demo@stoa.example, or the first user of the tenant file."""
        return self.tenant.demo_user

    @property
    def password(self) -> str:
        return self._passwords[self.username]

    @property
    def ca_file(self) -> Path | None:
        """What a client must trust, PEM, where the authority has TLS."""
        return self.running.ca_file

    @property
    def control(self) -> Controls:
        """Everything that can be turned and asked: docs/control-api.md."""
        return self.running.control

    @property
    def requests(self) -> list[Answered]:
        """What has been asked since the test began, the oldest first, once those under way are answered."""
        self.running.settle()
        return list(self._answered)

    def time(self) -> float:
        """For `time.time` of a client under test: seconds since 1970, by the authority's clock."""
        return self.clock.now_ns() / 1e9

    def sleep(self, seconds: float) -> None:
        """For `time.sleep` of a client under test: on a virtual clock it takes no time, and what was left for `later`
        happens in it."""
        self.clock.sleep_ns(round(seconds * 1e9))

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Have something happen once that much time has passed: on a virtual clock, within somebody's `sleep`.

        What is still to come when the test ends never happens.
        """

        def unless_over() -> None:
            if not self._is_over:
                action()

        self.clock.schedule(round(seconds * 1e9), unless_over)

    def approve(self, user_code: str, *, username: str | None = None, password: str | None = None) -> None:
        """Be the person who opens the pages, types this code, signs in and allows the device.

        username, password: of another user than the first. Raises host_tools.rehearsal.person.PersonStuck.
        """
        self._answer(user_code, username, password, allow=True)

    def deny(self, user_code: str, *, username: str | None = None, password: str | None = None) -> None:
        """The same, and the answer is no."""
        self._answer(user_code, username, password, allow=False)

    def totp(self, username: str | None = None) -> str:
        """What the one-time code app of a user, or of the first, shows now: "492039".

        An app that is still to be confirmed shows codes too. A code is taken once (RFC 6238 5.2): who needs another
        lets 30 s pass. Raises LookupError for who has no app.
        """
        import pyotp

        name = username or self.username
        apps = [each for each in self.control.authenticators(name) if each.factor == "otp"]
        if not apps:
            raise LookupError(f"{name} has no app for one-time codes; give them one: control.enrol({name!r}, 'otp')")
        return pyotp.TOTP(max(apps, key=lambda app: app.active).secret).at(int(self.time()))

    def end(self) -> None:
        """The test is over: return once all its requests are answered. Raises NotNow if they are not."""
        self._is_over = True
        self.running.settle()

    def _answer(self, user_code: str, username: str | None, password: str | None, allow: bool) -> None:
        from host_tools.rehearsal.person import approve

        name = username or self.username
        # An unknown name has a password all the same: that it is not let in may be what is tested.
        known = self._passwords.get(name, "") if password is None else password
        approve(
            f"{self.issuer}activate",
            user_code,
            name,
            known,
            lambda: self.totp(name),
            ca_file=self.ca_file,
            allow=allow,
        )
