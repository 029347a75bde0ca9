"""Nodes with certificates of their own CA: what is trusted, and what is said of what is not."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from wanmi.clock import SystemClock
from wanmi.errors import BadInput
from wanmi.identity import add_token
from wanmi.identity.ca import ensure_tls
from wanmi.testing import running, small_node
from wanmi_tui.client import NodeClient, Unreached
from wanmi_tui.words import T

LONG_AGO = 1_577_836_800_000_000
"""2020-01-01, µs UTC: a certificate of then is over."""


class Site:
    """A running node that speaks HTTPS, and a token of it."""

    def __init__(self, url: str, dir: Path, token: str) -> None:
        self.port, self.ca, self.token = url.rpartition(":")[2], str(dir / "tls" / "ca.crt"), token

    def says(self, url: str, ca: str = "") -> str | Unreached:
        """The node's code, or why it was not reached."""

        async def ask() -> str | Unreached:
            client = NodeClient(url, self.token, ca)
            try:
                return (await client.own_node()).code
            except Unreached as error:
                return error
            finally:
                await client.close()

        return asyncio.run(ask())

    def url(self, host: str = "127.0.0.1", scheme: str = "https") -> str:
        return f"{scheme}://{host}:{self.port}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    dir = tmp_path_factory.mktemp("tls") / "edge"
    web = {"web": {"host": "0.0.0.0", "port": 0, "tls": "on"}}
    with small_node(dir, role="edge", code="21010201", sections=web, clock=SystemClock()) as node:
        token = add_token(node, name="technician", scopes=["nodes:read", "devices:read"]).secret
        with running(node, web=True) as places:
            yield Site(places["web"], dir, token)


def test_the_nodes_own_ca_is_trusted(site: Site) -> None:
    assert site.says(site.url(), site.ca) == "21010201"
    assert site.says(site.url("localhost"), site.ca) == "21010201"


def test_a_file_may_hold_the_cas_of_several_nodes(site: Site, tmp_path: Path) -> None:
    other = ensure_tls(tmp_path / "other", "21010202", ("127.0.0.1",), SystemClock().now())
    both = tmp_path / "cas.pem"
    both.write_bytes((tmp_path / "other" / "tls" / "ca.crt").read_bytes() + Path(site.ca).read_bytes())
    assert other is not None
    assert site.says(site.url(), str(both)) == "21010201"


def test_what_is_not_trusted_is_named_with_what_to_do(site: Site, tmp_path: Path) -> None:
    ensure_tls(tmp_path / "other", "21010202", ("127.0.0.1",), SystemClock().now())
    for url, ca, why, words in (
        (site.url(), "", T.not_signed, "copy the node's DIR/tls/ca.crt"),
        (site.url(), str(tmp_path / "other" / "tls" / "ca.crt"), T.not_signed_by, "not signed by --ca ca.crt"),
        (site.url("127.0.0.2"), site.ca, T.certificate_of_another, "not for 127.0.0.2"),
        (site.url(scheme="http"), "", T.hung_up, "use https://"),
    ):
        said = site.says(url, ca)
        assert isinstance(said, Unreached), url
        assert said.why is why
        assert words in str(said)
        if url.startswith("https"):
            assert "Wanmi node 21010201" in str(said), "which certificate"


def test_a_certificate_that_is_over(site: Site, tmp_path: Path) -> None:
    files = ensure_tls(tmp_path / "old", "21010201", ("127.0.0.1",), LONG_AGO)

    async def play() -> Unreached:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.cert, files.key)
        server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0, ssl=context)
        client = NodeClient(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", "t", str(files.ca))
        async with server:
            with pytest.raises(Unreached) as caught:
                await client.own_node()
        await client.close()
        return caught.value

    said = asyncio.run(play())
    assert said.why is T.certificate_expired
    assert "2021-" in str(said)


def test_https_where_plain_http_is_spoken(site: Site, tmp_path: Path) -> None:
    with small_node(tmp_path / "plain", role="edge", code="21010203", clock=SystemClock()) as node, running(node, web=True) as places:  # fmt: skip
        said = site.says(places["web"].replace("http://", "https://"))
    assert isinstance(said, Unreached)
    assert said.why is T.speaks_plain


def test_a_ca_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("nothing")
    with pytest.raises(BadInput, match="no certificate"):
        NodeClient("https://127.0.0.1:1", "t", str(tmp_path / "no.pem"))
    with pytest.raises(BadInput, match="No such file"):
        NodeClient("https://127.0.0.1:1", "t", str(tmp_path / "nowhere.pem"))
