"""The gate: strangers get nothing but /healthz and the login page with its files."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from support.browser import PAGE, Browser
from support.small_town import PASSWORD, START, small_town
from support.town_fixture import Shown
from wanmi.clock import SECOND, ManualClock
from wanmi.identity import add_token, revoke_token
from wanmi.node import Node
from wanmi.web import build_app

OPEN = {"/healthz", "/login", "/login/code", "/login/enrol", "/static/console/{name}"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def paths(app: FastAPI) -> list[str]:
    """The path of every route, whoever brought it."""
    found = [context.path for context in iter_route_contexts(app.routes)]
    assert None not in found
    return sorted({str(path) for path in found})


def filled(path: str, shown: Shown) -> str:
    """A real address for a route with parameters."""
    values = {"number": shown.plain, "name": "console.css", "blob": "0" * 64}
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], "x"), path)


def test_the_app_has_the_routes_that_matter(app: FastAPI) -> None:
    expected = {
        "/", "/cases", "/cases.csv", "/cases/{number}", "/node", "/subjects", "/login", "/logout", "/post", "/healthz",
        "/metrics", "/docs", "/docs/{name}", "/openapi.json", "/static/console/{name}", "/api/v1/cases",
        "/api/v1/cases/{number}", "/api/v1/blobs/{blob}", "/api/v1/entries", "/api/v1/subjects/entries",
        "/api/v1/heads", "/api/v1/nodes", "/api/v1/links", "/api/v1/health", "/api/v1/catalogue", "/api/v1/divisions",
    }  # fmt: skip
    assert expected <= set(paths(app))


@pytest.mark.parametrize("method", METHODS)
def test_every_route_is_closed_to_strangers(app: FastAPI, stranger: Browser, shown: Shown, method: str) -> None:
    for path in paths(app):
        if path in OPEN:
            continue
        for headers in ({}, PAGE, {"authorization": "Bearer wanmi_t000000000000_" + "x" * 43}):
            answer = stranger.request(method, filled(path, shown), headers=headers)
            assert is_refusal(answer), (method, path, headers, answer.status_code)
            assert shown.outside not in answer.text


def is_refusal(answer: httpx.Response) -> bool:
    """401, or for a browser the way to the login page."""
    return answer.status_code == 401 or (
        answer.status_code == 303 and answer.headers["location"].startswith("/login?next=")
    )


@pytest.mark.parametrize(
    "path", ["/nothing/here", "/api/v1/secret", "/static/console/../pages.py", "//evil.test/", "/static/console", "/HEALTHZ", "/healthz/", "/login/x", "/docs/swagger-ui.css"]
)  # fmt: skip
def test_unknown_paths_are_closed_too(stranger: Browser, path: str) -> None:
    assert stranger.get(path).status_code == 401


def test_what_is_open_says_little(stranger: Browser, shown: Shown) -> None:
    assert stranger.get("/healthz").json() == {"status": "ok"}
    assert shown.plain not in stranger.page("/login")
    assert stranger.get("/static/console/console.css").headers["content-type"].startswith("text/css")
    for name in ("pages.py", "..%2fpages.py", "%2e%2e/pages.py", "console.css%00"):
        assert stranger.get(f"/static/console/{name}").status_code in (401, 404), name


def test_a_browser_is_sent_to_the_login_and_back(stranger: Browser) -> None:
    answer = stranger.request("GET", "/cases?district=210102&stage=file", headers=PAGE)
    assert answer.headers["location"] == "/login?next=%2Fcases%3Fdistrict%3D210102%26stage%3Dfile"
    assert 'value="/cases?district=210102&amp;stage=file"' in stranger.page(answer.headers["location"])
    back = stranger.log_in("wangmin", PASSWORD, "/cases?district=210102&stage=file")
    assert (back.status_code, back.headers["location"]) == (303, "/cases?district=210102&stage=file")


def test_a_program_is_told_how_to_be_let_in(stranger: Browser) -> None:
    answer = stranger.get("/api/v1/cases", headers=PAGE)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_opens_the_api(machine, shown: Shown) -> None:  # type: ignore[no-untyped-def]
    reader = machine("read")
    assert reader.get("/api/v1/cases").status_code == 200
    assert reader.get("/metrics").status_code == 200
    assert reader.get(f"/api/v1/cases/{shown.plain}").json()["case"]["number"] == shown.plain


@pytest.mark.parametrize("scheme", ["Basic", "Token", "", "Bearer  "])
def test_a_bad_authorization_is_not_made_good_by_a_cookie(operator: Browser, scheme: str) -> None:
    assert operator.get("/api/v1/cases").status_code == 200
    assert operator.get("/api/v1/cases", headers={"authorization": f"{scheme} nonsense"}).status_code == 401


def test_a_revoked_token_is_refused_at_once(app: FastAPI, city: Node) -> None:
    made = add_token(city, name="lost", scopes=["admin"])
    with Browser(app, token=made.secret) as browser:
        assert browser.get("/api/v1/cases").status_code == 200
        revoke_token(city, made.token.id)
        assert browser.get("/api/v1/cases").status_code == 401


def test_unsafe_methods_of_machines_need_the_right_but_no_form_token(machine) -> None:  # type: ignore[no-untyped-def]
    refused = machine("write").request("POST", "/api/v1/people/root/release")
    assert refused.status_code == 403
    assert "'admin'" in refused.json()["detail"]
    assert machine("admin").request("POST", "/api/v1/people/root/release").status_code == 204
    assert machine("admin").request("POST", "/api/v1/cases", json={}).status_code == 405


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_session_needs_the_form_token_for_every_unsafe_method(operator: Browser, method: str) -> None:
    for path in ("/logout", "/post", "/api/v1/cases"):
        assert operator.request(method, path).status_code == 403
        assert operator.request(method, path, json={"csrf_token": "x"}).status_code == 403
        assert operator.request(method, path, data={"csrf_token": "0" * 64}).status_code == 403
    assert operator.get("/api/v1/cases").status_code == 200, "still logged in"


def test_the_form_token_of_another_session_does_not_fit(app: FastAPI, operator: Browser) -> None:
    with Browser(app) as other:
        other.log_in("root", PASSWORD)
        foreign = other.form_token()
    assert operator.post("/logout", {}, foreign).status_code == 403
    own = operator.form_token()
    assert operator.request("POST", "/api/v1/cases", headers={"x-csrf-token": own}).status_code == 405
    assert operator.post("/logout", {}, own).status_code == 303
    assert operator.get("/api/v1/cases").status_code == 401


def test_the_login_form_has_a_token_of_its_own(stranger: Browser) -> None:
    fields = {"login": "wangmin", "password": PASSWORD}
    assert stranger.request("POST", "/login", data=fields).status_code == 403
    token = stranger.form_token("/login")
    stranger.client.cookies.clear()
    assert stranger.post("/login", fields, token).status_code == 403


def test_a_form_beyond_its_size_is_refused(operator: Browser) -> None:
    answer = operator.request("POST", "/post", data={"post": "x" * 70_000, "csrf_token": operator.form_token()})
    assert answer.status_code == 413


def test_a_session_cannot_be_planted(app: FastAPI, city: Node) -> None:
    with Browser(app) as victim:
        planted = "A" * 43
        victim.client.cookies.set(f"wanmi_{city.code}", planted)
        victim.log_in("wangmin", PASSWORD)
        given = [cookie.value for cookie in victim.client.cookies.jar if cookie.name == f"wanmi_{city.code}"]
        assert any(value != planted for value in given)
    with Browser(app) as attacker:
        attacker.client.cookies.set(f"wanmi_{city.code}", planted)
        assert attacker.get("/api/v1/cases").status_code == 401


def test_a_login_ends_the_session_before_it(app: FastAPI, city: Node) -> None:
    name, fields = f"wanmi_{city.code}", {"login": "wangmin", "password": PASSWORD}
    with Browser(app) as browser:
        token = browser.form_token("/login")
        form_cookie = browser.client.cookies[f"{name}_login"]
        assert browser.post("/login", fields, token).status_code == 303
        first = browser.client.cookies[name]
        browser.client.cookies.set(f"{name}_login", form_cookie, domain="node.test")
        assert browser.post("/login", fields, token).status_code == 303
        assert browser.client.cookies[name] != first
    with Browser(app) as thief:
        thief.client.cookies.set(name, first)
        assert thief.get("/api/v1/cases").status_code == 401


@pytest.fixture
def over_https(app: FastAPI) -> Iterator[Browser]:
    with Browser(app, base="https://node.test") as browser:
        yield browser


def test_cookies_are_guarded(stranger: Browser, over_https: Browser, city: Node) -> None:
    plain = stranger.log_in("wangmin", PASSWORD).headers.get_list("set-cookie")
    secure = over_https.log_in("wangmin", PASSWORD).headers.get_list("set-cookie")
    [session] = [cookie for cookie in plain if cookie.startswith(f"wanmi_{city.code}=")]
    [guarded] = [cookie for cookie in secure if cookie.startswith(f"__Host-wanmi_{city.code}=")]
    assert all(flag in session for flag in ("HttpOnly", "SameSite=lax", "Path=/"))
    assert all(flag in guarded for flag in ("HttpOnly", "SameSite=lax", "Path=/", "Secure"))
    assert "Domain" not in guarded
    assert over_https.get("/api/v1/cases").status_code == 200


def test_a_session_ends_with_its_time(tmp_path) -> None:  # type: ignore[no-untyped-def]
    town = small_town(tmp_path)
    town.person("210102", "wangmin", "王敏", "operator")
    clock = town.nodes["210102"].clock
    assert isinstance(clock, ManualClock)
    assert clock.now() >= START
    with Browser(build_app(town.nodes["210102"])) as browser:
        browser.log_in("wangmin", PASSWORD)
        clock.advance(12 * 3600 * SECOND - 1)
        assert browser.get("/api/v1/cases").status_code == 200
        clock.advance(1)
        assert browser.get("/api/v1/cases").status_code == 401
    town.close()


def test_guessing_is_slowed_down(tmp_path) -> None:  # type: ignore[no-untyped-def]
    town = small_town(tmp_path)
    town.person("210102", "wangmin", "王敏", "operator")
    with Browser(build_app(town.nodes["210102"])) as browser:
        tries = [browser.log_in("wangmin", f"wrong password {n}").status_code for n in range(6)]
        assert tries == [403] * 5 + [429]
        assert browser.log_in("wangmin", PASSWORD).status_code == 429
        town.clock.advance(900 * SECOND)
        assert browser.log_in("wangmin", PASSWORD).status_code == 303
    town.close()
