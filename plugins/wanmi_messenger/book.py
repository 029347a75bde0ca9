"""The book: which entries are told to whom, by which channel, in which words; one TOML document. Pure.

A book comes with the program (version 0); a city's own is activated by an entry and holds from then on.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from wanmi.codes import Lang
from wanmi.errors import BadInput
from wanmi_messenger.wording import check

Channel = Literal["smtp", "sms", "webhook"]
LONGEST_BOOK = 40_000
"""Bytes of a book: it must fit an entry."""
EVENTS = (
    "case.opened", "case.stepped", "case.became_overdue", "case.request_made", "case.request_decided", "case.resumed",
    "department.left", "order.issued", "order.answered",
)  # fmt: skip
"""Kinds of entries that a rule may be about."""
VALUES = frozenset(
    {
        "event", "about", "case", "node", "at", "post", "unit", "department", "step", "state", "stage", "from_state",
        "category", "category_name", "district", "grid", "deadline", "what", "level", "demand", "reply_by", "until",
        "granted", "order", "link", "test",
    }
)  # fmt: skip
"""What a template may say; each is text, empty where the entry has none."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Recipient(_Part):
    """Who is told: whoever is on duty in ``post`` (of ``unit``), or one ``person``.

    ``unit`` empty: of any unit; ``case``: the unit or department that the entry names; else a unit's code.
    """

    post: str = ""
    unit: str = ""
    person: str = ""

    @model_validator(mode="after")
    def _names_somebody(self) -> Recipient:
        if bool(self.post) == bool(self.person):
            raise ValueError("name a post (with or without a unit) or a person")
        return self


class Rule(_Part):
    """When an entry of kind ``event`` fits ``when``, those in ``to`` are told by ``channels``.

    ``when`` compares fields of the entry's body with lists of values. ``of``: ``own`` entries of this node, or
    ``any`` that reach it. ``urgent`` messages leave in quiet hours too.
    """

    name: Name
    event: str
    template: Name
    to: Annotated[list[Recipient], Field(min_length=1, max_length=20)]
    channels: Annotated[list[Channel], Field(min_length=1)]
    when: dict[str, list[str | int]] = Field(default_factory=dict)
    of: Literal["own", "any"] = "own"
    urgent: bool = False

    @field_validator("event")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value not in EVENTS:
            raise ValueError(f"{value!r} is none of {', '.join(EVENTS)}")
        return value

    def fits(self, kind: str, body: Mapping[str, Any], own: bool) -> bool:
        """Whether the entry is one that this rule is about."""
        if kind != self.event or (self.of == "own" and not own):
            return False
        return all(body.get(key) in wanted for key, wanted in self.when.items())


class Template(_Part):
    """Words of a message in one language; ``subject`` is used by mail and webhooks."""

    name: Name
    lang: Lang
    subject: str
    text: str

    @field_validator("subject", "text")
    @classmethod
    def _is_template(cls, value: str) -> str:
        try:
            check(value, VALUES)
        except BadInput as error:
            raise ValueError(str(error)) from None
        return value


class _Document(_Part):
    rule: list[Rule] = Field(default_factory=list)
    template: list[Template] = Field(default_factory=list)

    @model_validator(mode="after")
    def _fits_together(self) -> _Document:
        named = [one.name for one in self.rule]
        twice = [name for name in named if named.count(name) > 1]
        if twice:
            raise ValueError(f"two rules are called {twice[0]}")
        keys = [(one.name, one.lang) for one in self.template]
        doubled = [key for key in keys if keys.count(key) > 1]
        if doubled:
            raise ValueError(f"template {doubled[0][0]} is there twice in {doubled[0][1]}")
        for name in {*(one.template for one in self.rule), "test"}:
            missing = [lang for lang in ("zh", "en") if (name, lang) not in keys]
            if missing:
                raise ValueError(f"template {name} is not there in {' and '.join(missing)}")
        return self


@dataclass(frozen=True)
class Book:
    """A checked book; ``version`` 0 came with the program, ``digest`` is the SHA-256 of ``text``."""

    version: int
    digest: str
    text: str
    rules: tuple[Rule, ...]
    templates: Mapping[tuple[str, Lang], Template]

    def template(self, name: str, lang: Lang) -> Template:
        """A template; BadInput when the book has none of that name."""
        try:
            return self.templates[name, lang]
        except KeyError:
            known = ", ".join(sorted({known for known, _ in self.templates}))
            raise BadInput(f"template {name} is not in the book; it has {known}") from None


def read_book(text: str, version: int = 0) -> Book:
    """The book in a TOML document; BadInput names what is wrong with it and where."""
    size = len(text.encode())
    if size > LONGEST_BOOK:
        raise BadInput(f"the book has {size} bytes, at most {LONGEST_BOOK} fit an entry")
    try:
        document = _Document.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"the book is no TOML: {error}") from error
    except ValidationError as error:
        raise BadInput("; ".join(_told(dict(one)) for one in error.errors())) from error
    templates = {(one.name, one.lang): one for one in document.template}
    return Book(version, hashlib.sha256(text.encode()).hexdigest(), text, tuple(document.rule), templates)


@lru_cache(maxsize=1)
def first_book() -> Book:
    """The book that comes with the program."""
    return read_book((files("wanmi_messenger") / "data" / "book.toml").read_text(encoding="utf-8"))


def _told(error: Mapping[str, Any]) -> str:
    where = re.sub(r"\.(\d+)", lambda found: f"[{int(found[1]) + 1}]", ".".join(map(str, error["loc"])))
    return f"{where or 'book'}: {str(error['msg']).removeprefix('Value error, ')}"
