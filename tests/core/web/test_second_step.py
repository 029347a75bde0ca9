"""The login page's second step, as a browser goes through it: enrolment, code, recovery, hostile forms."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.browser import PAGE, Browser
from support.small_town import PASSWORD, Town, small_town
from wanmi.clock import SECOND
from wanmi.identity.rules import end_sessions_without_code
from wanmi.identity.totp import hotp, step_at
from wanmi.node import Node
from wanmi.settings import IdentitySettings
from wanmi.web import build_app, session_cookie

_FIELD = re.compile(r'name="(\w+)" value="([^"]*)"')
_KEY = re.compile(r'class="login-key"><code>([A-Z2-7]+)<')
_RECOVERY = re.compile(r"<code>([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})</code>")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    built = small_town(tmp_path, {"identity": {"totp_posts": ["administrator"]}})
    built.person("210102", "root", "刘洋", "administrator")
    built.person("210102", "wangmin", "王敏", "operator")
    yield built
    built.close()


@pytest.fixture
def node(town: Town) -> Node:
    return town.nodes["210102"]


@pytest.fixture
def browser(node: Node) -> Iterator[Browser]:
    with Browser(build_app(node)) as made:
        yield made


def code_for(node: Node, page: str) -> str:
    [key] = _KEY.findall(page)
    return hotp(base64.b32decode(key + "=" * (-len(key) % 8)), step_at(node.clock.now()))


def send(browser: Browser, path: str, page: str, **changed: str):  # type: ignore[no-untyped-def]
    fields = {**dict(_FIELD.findall(page)), **changed}
    return browser.request("POST", path, data=fields, headers=PAGE)


def test_a_post_that_needs_no_code_logs_in_as_before(browser: Browser) -> None:
    assert browser.log_in("wangmin", PASSWORD).status_code == 303
    assert browser.get("/api/v1/cases").status_code == 200


def test_enrolment_then_code_then_recovery(browser: Browser, node: Node, town: Town) -> None:
    page = browser.log_in("root", PASSWORD, "/node").text
    assert "<svg" in page
    assert " style=" not in page
    assert session_cookie(node, False) not in browser.client.cookies
    assert browser.get("/api/v1/cases").status_code == 401, "half a login is none"
    wrong = send(browser, "/login/enrol", page, code="12")
    assert (wrong.status_code, code_for(node, wrong.text)) == (403, code_for(node, page)), "the same secret again"
    done = send(browser, "/login/enrol", page, code=code_for(node, page))
    recovery = _RECOVERY.findall(done.text)
    assert (done.status_code, len(recovery)) == (200, 10)
    assert 'href="/node"' in done.text
    assert browser.get("/api/v1/people").json()[0]["second_factor"] is True
    browser.client.cookies.clear()

    spent = code_for(node, page)
    town.clock.advance(30 * SECOND)
    asked = browser.log_in("root", PASSWORD, "/cases").text
    assert "<svg" not in asked
    assert send(browser, "/login/code", asked, code=spent).status_code == 403, "a code is good once"
    answer = send(browser, "/login/code", asked, code=code_for(node, page))
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases")
    assert browser.get("/api/v1/cases").status_code == 200
    browser.client.cookies.clear()

    asked = browser.log_in("root", PASSWORD).text
    assert send(browser, "/login/code", asked, code=recovery[3]).status_code == 303
    browser.client.cookies.clear()
    asked = browser.log_in("root", PASSWORD).text
    assert send(browser, "/login/code", asked, code=recovery[3]).status_code == 403


def test_the_second_step_needs_its_forms_token_and_ticket(browser: Browser) -> None:
    page = browser.log_in("root", PASSWORD).text
    for path in ("/login/code", "/login/enrol"):
        assert send(browser, path, page, code="123456", csrf_token="0" * 64).status_code == 403
        for ticket in ("", "x", "A" * 43, "%00", "'; --"):
            answer = send(browser, path, page, code="123456", ticket=ticket)
            assert answer.status_code == 403, ticket
            assert "<svg" not in answer.text
        assert send(browser, path, page, code="123456", ticket="A" * 201).status_code == 422
        assert send(browser, path, page, code="1" * 201).status_code == 422
    assert browser.get("/api/v1/cases").status_code == 401


def test_the_way_on_stays_at_the_node(browser: Browser, node: Node) -> None:
    page = browser.log_in("root", PASSWORD).text
    done = send(browser, "/login/enrol", page, code=code_for(node, page), next="//evil.test/")
    assert "evil" not in done.text


def test_ones_own_second_factor_by_the_api(browser: Browser, node: Node) -> None:
    import base64

    browser.log_in("wangmin", PASSWORD)
    headers = {"x-csrf-token": browser.form_token()}
    begun = browser.request("POST", "/api/v1/self/code", headers=headers).json()
    assert begun["uri"].startswith("otpauth://totp/Wanmi%20210102:wangmin?")
    key = base64.b32decode(begun["secret"])
    refused = browser.request("POST", "/api/v1/self/code/confirm", json={"code": "x"}, headers=headers)
    assert refused.status_code == 403
    good = {"code": hotp(key, step_at(node.clock.now()))}
    recovery = browser.request("POST", "/api/v1/self/code/confirm", json=good, headers=headers)
    assert (recovery.status_code, len(recovery.json())) == (200, 10)
    assert browser.request("POST", "/api/v1/self/code", headers=headers).status_code == 409
    assert [one["login"] for one in browser.get("/api/v1/self/sessions").json()] == ["wangmin"]


def test_a_session_older_than_the_rule_is_asked_again(browser: Browser, node: Node) -> None:
    """Rules change by a start: who needs a code and has none logs in again; others go on."""
    assert browser.log_in("wangmin", PASSWORD).status_code == 303
    assert end_sessions_without_code(node, node.settings.identity) == 1, "the administrator, who has no code yet"
    assert browser.get("/api/v1/self").status_code == 200
    assert end_sessions_without_code(node, IdentitySettings(totp_posts=("operator",))) == 1
    assert browser.get("/api/v1/self").status_code == 401


def test_a_post_that_needs_a_code_asks_for_it_in_a_live_session(browser: Browser, node: Node, town: Town) -> None:
    town.person("210102", "both", "李强", "operator", "administrator")
    page = browser.log_in("both", PASSWORD).text
    key = base64.b32decode((found := _KEY.findall(page)[0]) + "=" * (-len(found) % 8))
    assert send(browser, "/login/enrol", page, code=code_for(node, page)).status_code == 200
    assert browser.get("/api/v1/self").json()["post"] == "operator"
    asked = browser.request("POST", "/post", data={"csrf_token": browser.form_token("/"), "post": "administrator"})
    assert asked.status_code == 200
    assert browser.get("/api/v1/self").json()["post"] == "operator", "not before the code"
    other = dict(_FIELD.findall(asked.text))["ticket"].replace(".administrator", ".shift_leader")
    assert send(browser, "/login/code", asked.text, ticket=other, code="123456").status_code == 403
    assert send(browser, "/login/code", asked.text, code="000000").status_code == 403
    node.clock.advance(60 * SECOND)  # type: ignore[attr-defined]
    code = hotp(key, step_at(node.clock.now()))
    assert send(browser, "/login/code", asked.text, code=code).status_code == 303
    assert browser.get("/api/v1/self").json()["post"] == "administrator"
    back = {"csrf_token": browser.form_token("/"), "post": "operator"}
    assert browser.request("POST", "/post", data=back).status_code == 303
    assert browser.get("/api/v1/self").json()["post"] == "operator"
