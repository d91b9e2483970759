"""A page as a browser would take it apart: its elements, its words, its forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

Attributes = dict[str, str | None]


@dataclass
class Form:
    action: str
    hidden: dict[str, str] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)  # the fields a person fills in
    buttons: list[tuple[str, str]] = field(default_factory=list)  # those that say something: name and value

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys([*self.hidden, *self.typed, *(name for name, _ in self.buttons)]))


class Markup(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, Attributes]] = []
        self.words: list[str] = []
        self.forms: list[Form] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        self.elements.append((tag, of))
        if tag == "form":
            self.forms.append(Form(of["action"] or ""))
        elif tag == "input" and of.get("type") == "hidden":
            self.forms[-1].hidden[of["name"] or ""] = of["value"] or ""
        elif tag == "input":
            self.forms[-1].typed.append(of["name"] or "")
        elif tag == "button" and of.get("name"):
            self.forms[-1].buttons.append((of["name"] or "", of["value"] or ""))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def form_with(self, *names: str) -> Form:
        """The first that has fields or buttons of all these names."""
        return next(form for form in self.forms if set(names) <= set(form.names))
