"""What a page may hold: read as a browser reads it, and held against what our own templates make.

Rule: nothing of what somebody typed or a system sent may become an element, an attribute or a place to go.
"""

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

# What else could run or load something.
NEVER = {"style", "iframe", "object", "embed", "base", "frame", "template", "foreignobject", "animate", "set", "img"}
PLACES = {
    "href",
    "src",
    "action",
    "formaction",
    "data-events",
    "hx-get",
    "hx-post",
    "hx-put",
    "hx-delete",
    "xlink:href",
}
RUNS = ("on", "hx-on", "hx-vars", "data-hx-", "x-on", "srcdoc", "style", "ping", "background")


@dataclass
class Form:
    """A form: where it goes, how, and what it holds as it stands."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict[str, str])


class Page(HTMLParser):
    """A page that was read; `faults`: what should not be in it."""

    def __init__(self, text: str, elsewhere: tuple[str, ...] = ()) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.places: set[str] = set()
        self.text = ""
        self.forms: list[Form] = []
        self._elsewhere = elsewhere
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See HTMLParser."""
        given = {name: value or "" for name, value in attrs}
        if tag in NEVER or (tag == "script" and not given.get("src", "").startswith("/static/")):
            self.faults.append(f"<{tag}> {given}")
        if tag == "meta" and given.get("http-equiv", "").lower() not in ("", "refresh"):
            self.faults.append(f"<meta> {given}")
        self._note_form(tag, given)
        for name, value in given.items():
            if name.startswith(RUNS) or "<" in name or '"' in name or "pwn" in name:
                self.faults.append(f"<{tag} {name}=…>")
            if name == "hx-vals" and not _is_data(value):
                self.faults.append(f"<{tag} hx-vals={value[:200]!r}>")
            if name in PLACES:
                self._look(tag, name, value)
            self.text += f" {value}"

    def _note_form(self, tag: str, given: dict[str, str]) -> None:
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        if tag in ("input", "select", "textarea", "button") and given.get("name") and self.forms:
            self.forms[-1].fields.setdefault(given["name"], given.get("value", ""))

    def handle_data(self, data: str) -> None:
        """See HTMLParser."""
        self.text += data

    @property
    def forms_of_nobody(self) -> list[str]:
        """Forms that change something and do not say whose they are."""
        return [one.action for one in self.forms if one.method == "post" and "csrf" not in one.fields]

    def _look(self, tag: str, name: str, place: str) -> None:
        self.places.add(place)
        own = place.startswith(("/", "#", "?")) and not place.startswith(("//", "/\\")) and place.isprintable()
        there = urlsplit(place)
        if not own and not (name == "href" and there.scheme in ("http", "https") and there.hostname in self._elsewhere):
            self.faults.append(f"<{tag} {name}={place[:200]!r}>")


def _is_data(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
