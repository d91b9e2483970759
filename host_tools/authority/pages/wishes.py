"""What a scope means to the person who grants it; one we do not know is shown by its name."""

from __future__ import annotations

_SENTENCES = {
    "read:quotes": "read the quote of the day",
    "offline_access": "stay connected without asking you each day",
    "profile": "know your name",
    "email": "know your e-mail address",
}
_UNSAID = ("openid",)  # that it is you is what the page is about


def wishes_of(scope: str) -> list[str]:
    return [_SENTENCES.get(word, word) for word in scope.split() if word not in _UNSAID]
