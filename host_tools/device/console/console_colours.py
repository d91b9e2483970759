"""The colours of a board's console: what goes well is quiet, what needs somebody is not."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rich.text import Text

from host_tools.console_log import LogLine, parse

# Of firmware/stoa's log events; one that is not here is plain.
EVENTS: Mapping[str, str] = {
    "wake": "bold cyan",
    "screen": "bold",
    "refresh": "green",
    "push": "green",
    "pairing": "green",
    "vault": "",
    "sleep": "cyan",
    "sleep_memory": "yellow",
    "memory": "dim",
    "battery": "yellow",
    "wiped": "magenta",
    "obstacle": "yellow",
    "panel": "bold red",
    "defect": "bold red",
}
# (event, field, value) -> colour, where the value says more than the event.
VALUES: Mapping[tuple[str, str, str], str] = {
    ("refresh", "outcome", "retry_later"): "yellow",
    ("refresh", "outcome", "needs_human"): "bold yellow",
    ("refresh", "outcome", "misconfigured"): "bold red",
    ("pairing", "outcome", "expired"): "yellow",
    ("pairing", "outcome", "denied"): "yellow",
    ("pairing", "outcome", "unavailable"): "yellow",
    ("pairing", "outcome", "refused"): "bold red",
    ("vault", "held_by", "none"): "bold red",
    ("vault", "held_by", "file"): "yellow",
    ("vault", "held_by", "nvm"): "yellow",
    ("obstacle", "cause", "misconfigured"): "bold red",
}
# What a person has to do something with.
_FOR_PEOPLE = re.compile(r' (?:user_code|verification_uri(?:_complete)?)=("[^"]*"|\S+)')
_PYTHON_ERROR = re.compile(r'Traceback \(|\s+File "|\w*(?:Error|Exception|Timeout)\b|KeyboardInterrupt')


def coloured(line: str) -> Text:
    """A line of the console as it is shown."""
    text = Text(line)
    log = parse(line)
    if log is None:
        text.stylize("red" if _PYTHON_ERROR.match(line) else "dim")
        return text
    after_event = len("stoa ") + len(log.event)
    text.stylize("dim", 0, len("stoa"))
    text.stylize(_style(log), len("stoa "), after_event)
    for field in re.finditer(r' (\w+=)(?:"(?:[^"\\]|\\.)*"|\S*)', line[after_event:]):
        text.stylize("dim", after_event + field.start(1), after_event + field.end(1))
    for shown in _FOR_PEOPLE.finditer(line):
        text.stylize("bold", *shown.span(1))
    return text


def _style(log: LogLine) -> str:
    said = (VALUES.get((log.event, field, value)) for field, value in log.fields.items())
    return next((style for style in said if style), EVENTS.get(log.event, ""))
