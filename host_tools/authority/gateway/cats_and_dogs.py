"""The API of seeds/004: a door that is open, dogs behind a token, cats behind a second factor of just now."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse

from host_tools.authority.gateway.guarded import Act, Prepare, Served

_NO_STORE = {"Cache-Control": "no-store"}
_ANIMALS = {
    "/": ("dogs", "cats"),
    "/dogs/": ("Argos", "Cerberus", "Maira"),
    "/cats/": ("Bastet", "Felix", "Tybalt"),
}


def cats_and_dogs() -> tuple[Served, ...]:
    """GET /, GET /dogs/, GET /cats/: "the trailing slashes are required"."""
    return tuple(Served("GET", path, _prepare(animals)) for path, animals in _ANIMALS.items())


def _prepare(animals: tuple[str, ...]) -> Prepare:
    def prepare(request: Request, body: bytes) -> Act:
        return lambda claims: JSONResponse({"animals": list(animals)}, headers=_NO_STORE)

    return prepare
