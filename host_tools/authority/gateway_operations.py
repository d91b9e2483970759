"""What the quote API takes and answers, for the OpenAPI document."""

from __future__ import annotations

from host_tools.authority.openapi_operation import TEXT, Operation, Reply, Security, members, parameter, refusal

_ACCESS_TOKEN = Security(
    "access_token",
    {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "With the scope `read:quotes`."},
)
_CACHED = {"cache-control": True, "etag": True}
_CHALLENGED = {"cache-control": True, "www-authenticate": True}
_QUOTE = members(
    {"date": {"type": "string", "format": "date"}, **dict.fromkeys(("text", "author", "work", "locus"), TEXT)}
)

OPERATIONS = (
    Operation(
        "Quotes",
        "GET",
        "/api/quotes/today",
        "Today's quote, by UTC",
        {
            200: Reply("The quote", (_QUOTE,), _CACHED),
            304: Reply("It is the one whose ETag was sent", headers=_CACHED),
            400: Reply(
                "More than one Authorization header, or a malformed one", (refusal(["invalid_request"]),), _CHALLENGED
            ),
            401: Reply(
                "No token, or one that is not good here",
                (members({"message": TEXT}), refusal(["invalid_token"])),
                {"cache-control": False, "www-authenticate": True},
            ),
            403: Reply("A token without the scope", (refusal(["insufficient_scope"]),), _CHALLENGED),
        },
        parameters=(parameter("header", "If-None-Match", "RFC 9110 13.1.2", TEXT),),
        security=(_ACCESS_TOKEN,),
    ),
)
