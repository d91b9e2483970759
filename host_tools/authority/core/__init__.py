"""The authorization server without HTTP: users, clients, grants, tokens, sessions, on one injected clock.

Rule 1: nothing here knows a status code, a header, a path or a page; the dialects and pages translate.
Rule 2: time is read from the injected clock only, as an int of nanoseconds since 1970 UTC; a field that holds
        a time ends in `_at`, a field that holds a length ends in `_s` and is in seconds.
Rule 3: what a bearer could use (device code, refresh token, session id) is stored as its SHA-256 only.
Rule 4: a refusal that changes state (expiry told, family revoked) commits before it is raised.
"""
