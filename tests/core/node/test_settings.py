"""Settings: one tree from node.toml and the environment; every error names its key."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from wanmi.errors import SettingsError
from wanmi.registry import SettingsSection
from wanmi.settings import ROLE_PLUGINS, Section, is_loopback, read_all_settings, read_settings, write_node_toml


class Gauge(Section):
    """A plugin's section."""

    port: int = Field(default=1, le=9)
    must: str


SECTIONS = {"gauge": SettingsSection("gauge", Gauge, "gauge@1")}
NODE = '[node]\ncode = "210102"\nrole = "district"\n'


def wrote(dir: Path, text: str) -> Path:
    (dir / "node.toml").write_text(text, encoding="utf-8")
    return dir


def wrong(dir: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read_all_settings(wrote(dir, text), {})
    return str(caught.value)


def test_a_role_is_a_preset_of_plugins(tmp_path: Path) -> None:
    for role, code in (("city", "210100"), ("district", "210102"), ("edge", "21010201")):
        settings = read_settings(wrote(tmp_path, f'[node]\ncode = "{code}"\nrole = "{role}"\n'))
        assert settings.plugins == ROLE_PLUGINS[role]
    assert ROLE_PLUGINS["edge"] == ("edge", "hardware", "federation", "console")


def test_the_file_names_plugins_in_their_order(tmp_path: Path) -> None:
    assert read_settings(wrote(tmp_path, 'plugins = ["b", "a"]\n' + NODE)).plugins == ("b", "a")
    assert read_settings(wrote(tmp_path, "plugins = []\n" + NODE)).plugins == ()
    assert "plugins: a plugin is named twice" in wrong(tmp_path, 'plugins = ["b", "a", "b"]\n' + NODE)


def test_the_environment_wins_and_reaches_into_sections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrote(tmp_path, NODE + '[web]\nport = 1\nhost = "::1"\n[gauge]\nport = 2\n')
    monkeypatch.setenv("WANMI_WEB__PORT", "8443")
    monkeypatch.setenv("WANMI_GAUGE__MUST", "yes")
    monkeypatch.setenv("WANMI_PLUGINS", "gis, console")
    settings = read_all_settings(tmp_path, SECTIONS)
    assert (settings.web.port, settings.web.host) == (8443, "::1")
    assert settings.plugins == ("gis", "console")
    gauge = settings.section("gauge", Gauge)
    assert (gauge.port, gauge.must) == (2, "yes")


def test_a_plugins_section_is_checked_with_its_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"node\.toml: gauge\.must: must be given"):
        read_all_settings(wrote(tmp_path, NODE), SECTIONS)
    monkeypatch.setenv("WANMI_GAUGE__PORT", "10")
    with pytest.raises(SettingsError, match=r"environment WANMI_GAUGE__PORT: gauge\.port: .*less than or equal to 9"):
        read_all_settings(wrote(tmp_path, NODE + '[gauge]\nmust = "x"\n'), SECTIONS)


def test_sections_belong_to_somebody(tmp_path: Path) -> None:
    assert "gauge: no such section" in wrong(tmp_path, NODE + '[gauge]\nmust = "x"\n')
    tolerated = read_all_settings(tmp_path, {}, {"gauge"})
    with pytest.raises(SettingsError, match=r"\[gauge\] belongs to no enabled plugin"):
        tolerated.section("gauge")
    with pytest.raises(SettingsError, match="one of the core's names"):
        read_all_settings(tmp_path, {"web": SettingsSection("web", Gauge, "gauge@1")}, {"gauge"})
    with pytest.raises(SettingsError, match="is a Gauge, not a Other"):
        read_all_settings(tmp_path, SECTIONS).section("gauge", type("Other", (Section,), {}))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[node]\nrole = "district"\n', "node.code: must be given"),
        ('[node]\ncode = "2101"\nrole = "district"\n', "node.code: '2101' is no node code"),
        ('[node]\ncode = "210102"\nrole = "edge"\n', "node: the code of role edge has 8 digits"),
        (NODE + "[web]\nprot = 1\n", "web.prot: no such key"),
        (NODE + "[web]\nport = 70000\n", "web.port: "),
        (NODE + '[web]\nhost = "0.0.0.0"\ntls = "off"\n', "web: tls is off but host 0.0.0.0 is not loopback"),
        (NODE + '[link]\nlisten = "udp://x"\n', "link.listen: 'udp://x' is not of the form"),
        (NODE + '[region]\ndatum = "WGS85"\n', "region.datum: "),
        (NODE + "[region]\nbbox = [124, 41, 123, 42]\n", "region.bbox: "),
        (NODE + "[web\n", "node.toml: "),
    ],
)
def test_errors_name_their_key(tmp_path: Path, text: str, says: str) -> None:
    assert says in wrong(tmp_path, text)


def test_a_missing_file_says_how_a_node_is_made(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="wanmi init"):
        read_settings(tmp_path)


def test_errors_never_show_the_value(tmp_path: Path) -> None:
    assert "hunter2" not in wrong(tmp_path, NODE + '[database]\nurl = ["hunter2"]\n')


def test_https_is_on_off_loopback(tmp_path: Path) -> None:
    for host, tls, https in (
        ("127.0.0.1", "auto", False), ("::1", "auto", False), ("localhost", "auto", False), ("127.0.0.1", "on", True),
        ("0.0.0.0", "auto", True), ("10.0.0.1", "auto", True), ("node.example", "auto", True),
    ):  # fmt: skip
        text = NODE + f'[web]\nhost = "{host}"\ntls = "{tls}"\n'
        assert read_settings(wrote(tmp_path, text)).web.https is https, host
    assert is_loopback("[::1]")


def test_the_box_is_given_in_1e7_degree(tmp_path: Path) -> None:
    settings = read_settings(wrote(tmp_path, NODE + "[region]\nbbox = [122.4, 41.2, 123.8000001, 43.1]\n"))
    assert settings.region.bbox_e7 == (1224000000, 412000000, 1238000001, 431000000)
    assert read_settings(wrote(tmp_path, NODE)).region.bbox_e7 is None


@given(name=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    dir = tmp_path_factory.mktemp("node")
    write_node_toml(dir, {"node": {"code": "210102", "role": "district", "name": name}}, ["a"])
    settings = read_settings(dir)
    assert (settings.node.name, settings.plugins) == (name, ("a",))
