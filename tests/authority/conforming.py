"""A client that holds every reply against the OpenAPI document."""

from __future__ import annotations

import re
from typing import Any

import schemathesis
from starlette.testclient import TestClient


class Conforming(TestClient):
    """Follows no redirect. `answered` has the status, and the error of a refusal, of each described reply."""

    def __init__(self, app: Any, base_url: str, document: dict[str, Any]) -> None:
        super().__init__(app, base_url, follow_redirects=False)
        self._document = schemathesis.openapi.from_dict(document)
        self._paths = {path: re.compile(re.sub("{.*?}", "[^/]+", path)) for path in document["paths"]}
        self.answered: set[tuple[int, str]] = set()

    def request(self, method: str, url: Any, **options: Any) -> Any:
        reply = super().request(method, url, **options)
        for path, pattern in self._paths.items():
            if pattern.fullmatch(reply.request.url.path) and reply.status_code != 405:
                self._check(self._document[path][method], reply)
        return reply

    def _check(self, operation: schemathesis.APIOperation, reply: Any) -> None:
        told = operation.definition.raw["responses"].get(str(reply.status_code))
        assert told is not None, f"{operation.label} is not said to answer {reply.status_code}: {reply.text}"
        assert bool(reply.content) == ("content" in told)
        assert {name for name, each in told.get("headers", {}).items() if each["required"]} <= {*reply.headers}
        operation.validate_response(reply)
        self.answered.add((reply.status_code, reply.json().get("error", "") if reply.status_code >= 400 else ""))
