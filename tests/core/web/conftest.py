"""A town at the city's web app, built once for these tests, and browsers before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI

from support.browser import Browser
from support.small_town import PASSWORD
from support.town_fixture import Shown, shown_town
from wanmi.identity import add_token
from wanmi.node import Node
from wanmi.web import build_app

Machine = Callable[..., Browser]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    built = shown_town(tmp_path_factory.mktemp("town"))
    yield built
    built.town.close()


@pytest.fixture(scope="module")
def city(shown: Shown) -> Node:
    return shown.town.nodes["210100"]


@pytest.fixture(scope="module")
def app(city: Node) -> FastAPI:
    return build_app(city)


@pytest.fixture
def stranger(app: FastAPI) -> Iterator[Browser]:
    with Browser(app) as browser:
        yield browser


@pytest.fixture
def operator(app: FastAPI) -> Iterator[Browser]:
    with Browser(app) as browser:
        assert browser.log_in("wangmin", PASSWORD).status_code == 303
        yield browser


@pytest.fixture
def machine(app: FastAPI, city: Node) -> Iterator[Machine]:
    """Make machines with a token of the given scopes."""
    made: list[Browser] = []

    def make(*scopes: str) -> Browser:
        made.append(Browser(app, token=add_token(city, name="a test", scopes=scopes).secret))
        return made[-1]

    yield make
    for one in made:
        one.close()
