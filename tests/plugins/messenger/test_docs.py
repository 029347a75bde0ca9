"""What docs/messenger.md shows is what the program takes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from wanmi_messenger.book import VALUES, first_book, read_book
from wanmi_messenger.roster import read_addresses, read_roster
from wanmi_messenger.settings import MessengerSettings
from wanmi_messenger.wording import FILTERS

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "messenger.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_the_settings_are_settings() -> None:
    first, _, gateway = (tomllib.loads(block) for block in blocks("toml"))
    shown = MessengerSettings.model_validate(first["messenger"])
    assert shown.smtp is not None
    assert "archive" in shown.webhooks
    assert MessengerSettings.model_validate(gateway["messenger"]).sms is not None


def test_the_book_is_a_book() -> None:
    rule = blocks("toml")[1].replace('name = "work-for-department"', 'name = "shown"')
    text = first_book().text + rule.replace('name = "work"', 'name = "shown"')
    assert read_book(text).rules[-1].name == "shown"


def test_the_files_are_files() -> None:
    addresses, roster = blocks("csv")
    assert len(read_addresses(addresses)) == 3
    assert len(read_roster(roster)) == 3


def test_every_value_and_filter_is_told() -> None:
    words = set(re.findall(r"[a-z_]+", TEXT))
    assert {*VALUES, *FILTERS} - words == set()
