"""The small CA: certificates that strict clients take, made anew in time, and only then."""

from __future__ import annotations

import http.server
import shutil
import ssl
import subprocess
import threading
from pathlib import Path

import pytest
from cryptography import x509

from wanmi.clock import SECOND, SystemClock
from wanmi.errors import StoreError
from wanmi.identity.ca import TlsFiles, certificate_names, ensure_tls

NOW = 1_790_000_000 * SECOND
DAY = 24 * 3600 * SECOND
NAMES = ["localhost", "127.0.0.1", "::1", "node.example"]


def serial(files: TlsFiles) -> int:
    return x509.load_pem_x509_certificate(files.cert.read_bytes()).serial_number


def test_nothing_is_made_again_without_need(tmp_path: Path) -> None:
    first = ensure_tls(tmp_path, "210100", NAMES, NOW)
    before = {path.name: path.read_bytes() for path in (tmp_path / "tls").iterdir()}
    assert set(before) == {"ca.crt", "ca.key", "server.crt", "server.key"}
    assert ensure_tls(tmp_path, "210100", list(reversed(NAMES)), NOW + 300 * DAY) == first
    assert {path.name: path.read_bytes() for path in (tmp_path / "tls").iterdir()} == before


@pytest.mark.parametrize("path", ["ca.key", "server.key"])
def test_private_keys_are_their_owners_alone(tmp_path: Path, path: str) -> None:
    ensure_tls(tmp_path, "210100", NAMES, NOW)
    assert (tmp_path / "tls" / path).stat().st_mode & 0o777 == 0o600


def test_the_certificate_is_renewed_before_its_end_by_the_same_ca(tmp_path: Path) -> None:
    files = ensure_tls(tmp_path, "210100", NAMES, NOW)
    ca, before = files.ca.read_bytes(), serial(files)
    ensure_tls(tmp_path, "210100", NAMES, NOW + 370 * DAY)
    assert serial(files) != before
    assert files.ca.read_bytes() == ca
    cert = x509.load_pem_x509_certificate(files.cert.read_bytes())
    assert (cert.not_valid_after_utc.timestamp() - NOW / SECOND) / 86400 == pytest.approx(370 + 397)


def test_the_ca_is_renewed_before_its_end(tmp_path: Path) -> None:
    files = ensure_tls(tmp_path, "210100", NAMES, NOW)
    ca = files.ca.read_bytes()
    ensure_tls(tmp_path, "210100", NAMES, NOW + 3400 * DAY)
    assert files.ca.read_bytes() != ca
    _verify_with_openssl(files, NOW + 3400 * DAY)


def test_other_names_make_another_certificate(tmp_path: Path) -> None:
    files = ensure_tls(tmp_path, "210100", NAMES, NOW)
    before = serial(files)
    ensure_tls(tmp_path, "210100", [*NAMES, "10.0.0.7"], NOW)
    assert serial(files) != before


def test_a_certificate_of_another_ca_is_replaced(tmp_path: Path) -> None:
    files = ensure_tls(tmp_path, "210100", NAMES, NOW)
    other = ensure_tls(tmp_path / "other", "210100", NAMES, NOW)
    shutil.copy(other.cert, files.cert)
    shutil.copy(other.key, files.key)
    foreign = serial(files)
    ensure_tls(tmp_path, "210100", NAMES, NOW)
    assert serial(files) != foreign
    _verify_with_openssl(files, NOW)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    files = ensure_tls(tmp_path, "210100", NAMES, NOW)
    files.cert.write_text("nonsense")
    with pytest.raises(StoreError, match=r"server\.crt: not a certificate"):
        ensure_tls(tmp_path, "210100", NAMES, NOW)


def test_openssl_verifies_it_strictly_for_its_names(tmp_path: Path) -> None:
    _verify_with_openssl(ensure_tls(tmp_path, "210100", NAMES, NOW), NOW)


def test_curl_takes_it_with_the_ca_and_only_with_it(tmp_path: Path) -> None:
    files = ensure_tls(tmp_path, "210100", NAMES, SystemClock().now())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.cert, files.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"https://localhost:{server.server_address[1]}/"
    trusting = subprocess.run(["curl", "-sS", "-o", "/dev/null", "--cacert", str(files.ca), url], check=False)
    doubting = subprocess.run(["curl", "-sS", "-o", "/dev/null", url], capture_output=True, check=False)
    server.shutdown()
    assert trusting.returncode == 0
    assert doubting.returncode == 60


def test_names_of_a_node_are_its_own_and_loopback() -> None:
    names = certificate_names("0.0.0.0", ("a.example",))
    assert "0.0.0.0" not in names
    assert {"a.example", "localhost", "127.0.0.1", "::1"} <= set(names)
    assert certificate_names("10.1.2.3")[0] == "10.1.2.3"


def _verify_with_openssl(files: TlsFiles, now: int) -> None:
    for wanted in (["-verify_hostname", "node.example"], ["-verify_ip", "127.0.0.1"], ["-verify_ip", "::1"]):
        command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-attime", str(now // SECOND)]
        done = subprocess.run(
            [*command, *wanted, "-CAfile", str(files.ca), str(files.cert)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
