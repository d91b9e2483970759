"""No answer leaves that a power cut could still take back: what a device was told of its tokens must hold."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from host_tools.authority.log_sync import LogSync


class DurableAnswers:
    """Around the application. Answers that were ready by the same sync leave together."""

    def __init__(self, app: ASGIApp, log: LogSync) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def durable(message: Message) -> None:
            if message["type"] == "http.response.start" and self._log.is_due:
                await self._log.done()
            await send(message)

        await self._app(scope, receive, durable)
