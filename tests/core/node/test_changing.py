"""Settings and plugins changed by a command: tried, written with their comments, journaled with the person."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wanmi_casework
from wanmi.errors import BadInput, Conflict, NotFound, SettingsError
from wanmi.node import Node, run_action
from wanmi.node.changing import HIDDEN, changed
from wanmi.node.recorded import host_account, record_settings
from wanmi.node.trial import Trial, write_trial
from wanmi.settings import FILE
from wanmi.testing import small_node

PERSON = "p-7"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = small_node(tmp_path / "node", plugins=[wanmi_casework], sections={"database": {}})
    record_settings(made, host_account())
    with made:
        yield made


def act(node: Node, action: str, /, **args: object) -> dict[str, object]:
    return [dict(one) for one in run_action(node, action, args) if isinstance(one, dict)][-1]


def told(node: Node) -> list[tuple[str, str | None, dict[str, object]]]:
    kinds = ("settings.changed", "plugin.switched")
    found = [one.entry for one in node.journal.read(node.code, 0) if one.entry is not None]
    return [(one.kind, one.actor, dict(one.body)) for one in found if one.kind in kinds][1:]


def test_a_setting_is_changed_by_a_person(node: Node) -> None:
    path = node.dir / FILE
    path.write_text(path.read_text() + "\n[watch]\n# patience\nhook = 11.0\n")
    record_settings(node, host_account())
    assert act(node, "settings.set", key="log.level", value="debug", actor=PERSON)["holds"] == "at the next start"
    text = path.read_text()
    assert "# patience" in text
    assert tomllib.loads(text)["log"] == {**tomllib.loads(text)["log"], "level": "debug"}
    by_hand, [last] = told(node)[:-1], told(node)[-1:]
    assert [(actor, body["section"]) for _, actor, body in by_hand] == [(host_account(), "watch")]
    assert (last[0], last[1], last[2]["section"], last[2]["keys"]) == ("settings.changed", PERSON, "log", ["level"])
    assert "debug" not in str(last)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("web.port", "99999"), ("web.port", "no"), ("web.nothing", "1"), ("casework.radius", "'far'"), ("nobody.at", "1"),
        ("web", "1"), ("node.code", "210103"), ("web.port\n[x]", "1"), ("log.level", "'x'\nplugins = []"),
    ],
)  # fmt: skip
def test_what_does_not_fit_changes_nothing(node: Node, key: str, value: str) -> None:
    before = (node.dir / FILE).read_bytes()
    with pytest.raises((SettingsError, BadInput)):
        act(node, "settings.set", key=key, value=value, actor=PERSON)
    assert (node.dir / FILE).read_bytes() == before
    assert told(node) == []


def test_a_setting_in_a_table_of_a_table(node: Node) -> None:
    text = "[edge]\nx = 1\n\n[edge.mqtt]  # the broker\nport = 0\n\n[log]\nlevel = 'info'\n"
    assert changed(text, "edge.mqtt", "port", 1883) == text.replace("port = 0", "port = 1883")
    assert tomllib.loads(changed("[log]\n", "edge.mqtt", "port", 1))["edge"] == {"mqtt": {"port": 1}}
    with pytest.raises(SettingsError, match="level is a value"):
        changed("[log]\nlevel = 'info'\n", "log.level", "x", 1)


def test_nothing_is_changed_here_while_a_change_of_the_district_is_on_trial(node: Node) -> None:
    write_trial(node.dir, Trial("210102", "c-1", "p", "trying", "", "", 60))
    before = (node.dir / FILE).read_bytes()
    with pytest.raises(Conflict, match="c-1"):
        act(node, "settings.set", key="log.level", value="debug")
    assert (node.dir / FILE).read_bytes() == before


def test_plugins_are_switched_by_a_person(node: Node, tmp_path: Path) -> None:
    assert act(node, "plugin.switch", name="gis", on=True, actor=PERSON)["enabled"] is True
    assert ("plugin.switched", PERSON, "gis", True) in [(k, a, b.get("plugin"), b.get("on")) for k, a, b in told(node)]
    assert tomllib.loads((node.dir / FILE).read_text())["plugins"] == ["casework", "gis"]
    with pytest.raises(BadInput, match="enabled already"):
        act(node, "plugin.switch", name="gis", on=True)
    with pytest.raises(NotFound, match="not installed"):
        act(node, "plugin.switch", name="nothing", on=True)
    act(node, "plugin.switch", name="gis", on=False, actor=PERSON)
    assert told(node)[-1][1] == PERSON
    assert tomllib.loads((node.dir / FILE).read_text())["plugins"] == ["casework"]


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    with small_node(tmp_path / "node", plugins=[wanmi_casework]) as node:
        url = f"sqlite:///{tmp_path}/secret-word.db"
        act(node, "settings.set", key="database.url", value=f'"{url}"', actor=PERSON)
        assert "secret-word" not in str(told(node))
    with Node.open(tmp_path / "node") as node:
        shown = act(node, "settings.show")["settings"]
        assert shown["database"] == {"url": HIDDEN}  # type: ignore[index]
        assert "secret-word" not in str(shown)


@given(
    st.dictionaries(st.sampled_from(("a", "b", "c")), st.integers() | st.text(max_size=9), max_size=3),
    st.sampled_from(("", "web", "other")), st.sampled_from(("a", "b", "new")), st.integers() | st.text(max_size=20),
)  # fmt: skip
def test_one_value_changes_and_nothing_else(values: dict[str, object], section: str, key: str, value: object) -> None:
    from wanmi.settings import toml_value

    lines = [f"{name} = {toml_value(one)}  # of {name}" for name, one in values.items()]
    text = "\n".join(["# first", "top = 1", "[web] # of web", *lines, "[last]", "a = 1", ""])
    new = changed(text, section, key, value)
    before, after = tomllib.loads(text), tomllib.loads(new)
    (before.setdefault(section, {}) if section else before)[key] = value
    assert after == before
    assert "# first" in new
    assert "# of web" in new
