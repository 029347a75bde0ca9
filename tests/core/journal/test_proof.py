"""The tamper suite: every kind of damage is named with origin and seq; nothing raises a traceback."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.journals import Make, admission, counted, key, open_bench, public, ship, sqlite_url
from wanmi.entries import chain_hash, decode, encode, raw_digest, sign_head
from wanmi.journal.proof import Finding, database_source, export_bundle, verify_paths

Tamper = Callable[[sqlite3.Connection], None]


def node_dir(tmp_path: Path, entries: int = 9) -> Path:
    """A district's directory with a chain of its own, each entry in a commit of its own."""
    bench = open_bench("210102", sqlite_url(tmp_path / "node"), seed=2)
    bench.journal.append(admission("210102", 2)).result()
    for n in range(entries):
        bench.clock.advance(1_000_000)
        bench.journal.append(counted(n)).result()
    bench.close()
    return tmp_path / "node"


def damage(folder: Path, *statements: str | tuple[str, tuple[object, ...]]) -> list[Finding]:
    with sqlite3.connect(folder / "journal.db") as connection:
        for statement in statements:
            if isinstance(statement, str):
                connection.execute(statement)
            else:
                connection.execute(*statement)
    connection.close()
    return verify_paths([folder]).findings


def named(findings: list[Finding]) -> set[tuple[str, int, str]]:
    return {(f.origin, f.seq, f.damage) for f in findings}


def raw_of(folder: Path, seq: int) -> bytes:
    with sqlite3.connect(folder / "journal.db") as connection:
        raw = connection.execute("SELECT raw FROM entry WHERE seq = ?", (seq,)).fetchone()[0]
    connection.close()
    return bytes(raw)


def test_an_honest_chain_verifies(tmp_path: Path) -> None:
    report = verify_paths([node_dir(tmp_path)])
    assert report.ok
    (chain,) = report.chains
    assert (chain.origin, chain.entries, chain.head_seq, chain.signed_seq) == ("210102", 10, 10, 10)


def test_one_flipped_byte_in_raw(tmp_path: Path) -> None:
    folder = node_dir(tmp_path)
    raw = bytearray(raw_of(folder, 5))
    raw[-3] ^= 1
    assert ("210102", 5, "flipped") in named(damage(folder, ("UPDATE entry SET raw = ? WHERE seq = 5", (bytes(raw),))))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(2, 10), st.integers(0, 250), st.integers(1, 255))
def test_any_flipped_byte_anywhere_is_found_at_its_place(
    tmp_path_factory: pytest.TempPathFactory, seq: int, place: int, change: int
) -> None:
    folder = node_dir(tmp_path_factory.mktemp("flip"))
    raw = bytearray(raw_of(folder, seq))
    raw[place % len(raw)] ^= change
    findings = damage(folder, ("UPDATE entry SET raw = ? WHERE seq = ?", (bytes(raw), seq)))
    assert findings
    assert all(f.origin == "210102" for f in findings)
    assert seq in {f.seq for f in findings}


@pytest.mark.parametrize("columns", ["raw = NULL", "raw = NULL, kind = NULL, v = NULL, body = NULL, salt = NULL"])
def test_bytes_that_were_wiped_out(tmp_path: Path, columns: str) -> None:
    folder = node_dir(tmp_path)
    (folder / "node.toml").write_text('[node]\ncode = "210102"\nrole = "district"\n')
    assert named(damage(folder, f"UPDATE entry SET {columns} WHERE seq = 6")) == {("210102", 6, "erased")}


def test_a_dropped_entry(tmp_path: Path) -> None:
    assert named(damage(node_dir(tmp_path), "DELETE FROM entry WHERE seq = 4")) == {("210102", 4, "dropped")}


def test_reordered_bytes(tmp_path: Path) -> None:
    folder = node_dir(tmp_path)
    fourth, fifth = raw_of(folder, 4), raw_of(folder, 5)
    findings = damage(
        folder,
        ("UPDATE entry SET raw = ? WHERE seq = 4", (fifth,)),
        ("UPDATE entry SET raw = ? WHERE seq = 5", (fourth,)),
    )
    assert {(seq, kind) for _, seq, kind in named(findings) if kind == "reordered"} >= {(4, "reordered")}


def test_reordered_rows(tmp_path: Path) -> None:
    findings = damage(
        node_dir(tmp_path),
        "UPDATE entry SET seq = 99 WHERE seq = 4",
        "UPDATE entry SET seq = 4 WHERE seq = 5",
        "UPDATE entry SET seq = 5 WHERE seq = 99",
    )
    assert ("210102", 4, "reordered") in named(findings)


def test_an_inserted_row_that_shifts_the_rest(tmp_path: Path) -> None:
    folder = node_dir(tmp_path)
    forged = raw_of(folder, 5).replace(b'"n":3', b'"n":4')
    findings = damage(
        folder,
        "UPDATE entry SET seq = seq + 1000, pos = pos + 1000 WHERE seq >= 5",
        "UPDATE entry SET seq = seq - 999, pos = pos - 999 WHERE seq >= 1000",
        (
            (
                "INSERT INTO entry SELECT 5, origin, 5, v, at, audience, kind, kind_v, subject, version, actor, by, cause,"
                " body, salt, ?, digest, hash, received_at FROM entry WHERE seq = 6"
            ),
            (forged,),
        ),
    )
    assert ("210102", 5, "inserted") in named(findings)


def test_an_entry_smuggled_in_behind_the_head(tmp_path: Path) -> None:
    folder = node_dir(tmp_path)
    assert ("210102", 11, "inserted") in named(damage(folder, *_forged_tail(folder)))


def _forged_tail(folder: Path) -> list[tuple[str, tuple[object, ...]]]:
    """A well-made eleventh entry, by somebody who can compute hashes but cannot sign."""
    with sqlite3.connect(folder / "journal.db") as connection:
        last = bytes(connection.execute("SELECT hash FROM entry WHERE seq = 10").fetchone()[0])
    connection.close()
    entry = decode(raw_of(folder, 10))
    forged = type(entry)(**{**_fields(entry), "seq": 11, "at": entry.at + 1, "version": entry.version + 1})
    raw = encode(forged)
    digest = raw_digest(raw)
    statement = (
        "INSERT INTO entry SELECT 11, origin, 11, v, ?, audience, kind, kind_v, subject, version + 1, actor, by, cause,"
        " body, salt, ?, ?, ?, received_at FROM entry WHERE seq = 10"
    )
    return [(statement, (forged.at, raw, digest, chain_hash(last, "*", digest)))]


def test_a_back_dated_entry_even_when_its_node_signs_it(tmp_path: Path) -> None:
    folder = node_dir(tmp_path)
    statements = _forged_tail(folder)
    text, (_, raw, _, _) = statements[0]
    entry = decode(raw)  # type: ignore[arg-type]
    earlier = encode(type(entry)(**{**_fields(entry), "at": entry.at - 60_000_000}))
    with sqlite3.connect(folder / "journal.db") as connection:
        last = bytes(connection.execute("SELECT hash FROM entry WHERE seq = 10").fetchone()[0])
    connection.close()
    digest = raw_digest(earlier)
    hash_ = chain_hash(last, "*", digest)
    head = sign_head(key(2), "210102", 11, hash_, entry.at)
    findings = damage(
        folder,
        (text, (entry.at - 60_000_000, earlier, digest, hash_)),
        ("INSERT INTO head VALUES (?, ?, ?, ?, ?)", ("210102", 11, hash_, head.at, head.sig)),
    )
    assert named(findings) == {("210102", 11, "back-dated")}


def test_a_back_dated_entry_in_place(tmp_path: Path) -> None:
    folder = node_dir(tmp_path)
    entry = decode(raw_of(folder, 6))
    raw = encode(type(entry)(**{**_fields(entry), "at": entry.at - 3_600_000_000}))
    assert ("210102", 6, "back-dated") in named(damage(folder, ("UPDATE entry SET raw = ? WHERE seq = 6", (raw,))))


def test_a_truncated_tail_behind_a_signed_head(tmp_path: Path) -> None:
    assert named(damage(node_dir(tmp_path), "DELETE FROM entry WHERE seq > 7")) == {("210102", 8, "truncated")}


def test_everything_gone_but_the_head(tmp_path: Path) -> None:
    assert named(damage(node_dir(tmp_path), "DELETE FROM entry")) == {("210102", 1, "truncated")}


@pytest.mark.parametrize(
    ("column", "value"),
    [("at", 5), ("kind", "case.voided"), ("subject", "sum:9"), ("actor", "P1"), ("by", "x@1"), ("version", 77),
     ("body", '{"n":99}'), ("audience", "210100"), ("salt", "f" * 32), ("cause", "210102:1"), ("kind_v", 2), ("v", 3)],
)  # fmt: skip
def test_a_column_that_disagrees_with_raw(tmp_path: Path, column: str, value: object) -> None:
    findings = damage(node_dir(tmp_path), (f'UPDATE entry SET "{column}" = ? WHERE seq = 3', (value,)))
    assert named(findings) == {("210102", 3, "column")}
    assert column in findings[0].detail


def test_a_chain_written_anew_without_the_key(tmp_path: Path) -> None:
    """Every hash is recomputed, only the signature cannot be."""
    folder = node_dir(tmp_path)
    with sqlite3.connect(folder / "journal.db") as connection:
        rows = connection.execute("SELECT seq, raw FROM entry ORDER BY seq").fetchall()
        previous = bytes(32)
        for seq, raw in rows:
            changed = bytes(raw).replace(b'"n":6', b'"n":7')
            digest = raw_digest(changed)
            previous = chain_hash(previous, "*", digest)
            body = orjson.dumps(decode(changed).body, option=orjson.OPT_SORT_KEYS).decode()
            connection.execute(
                "UPDATE entry SET raw = ?, digest = ?, hash = ?, body = ? WHERE seq = ?",
                (changed, digest, previous, body, seq),
            )
    connection.close()
    assert named(verify_paths([folder]).findings) == {("210102", 10, "rewritten")}


def test_a_forged_head_signature(tmp_path: Path) -> None:
    findings = damage(node_dir(tmp_path), ("UPDATE head SET sig = ?", (bytes(64),)))
    assert ("210102", 10, "forged-head") in named(findings)


def test_a_fork_between_two_copies(make: Make, tmp_path: Path) -> None:
    first = make("210102", seed=2)
    first.journal.append(admission("210102", 2), counted(1)).result()
    other = open_bench("210102", sqlite_url(tmp_path / "other"), seed=2)
    other.journal.append(admission("210102", 2)).result()
    other.clock.advance(5)
    other.journal.append(counted(2)).result()
    other.close()
    findings = verify_paths([tmp_path / "210102", tmp_path / "other"]).findings
    assert ("210102", 2, "fork") in named(findings)


def test_kept_evidence_of_a_fork_is_told(make: Make, tmp_path: Path) -> None:
    first, city = make("210102", seed=2), make("210100", pinned={"210102": public(2)})
    first.journal.append(counted(1)).result()
    ship(first, city, "210102")
    other = open_bench("210102", sqlite_url(tmp_path / "other"), seed=2)
    other.clock.advance(5)
    other.journal.append(counted(2)).result()
    batch = other.journal.batch_for("210100", "210102", 0)
    assert batch
    assert city.journal.apply(batch, "210102").exception() is not None
    other.close()
    assert ("210102", 1, "fork") in named(verify_paths([tmp_path / "210100"]).findings)


def bundle(folder: Path, out: Path, *, hide: str | None = None) -> Path:
    source = database_source("node", f"sqlite:///{folder}/journal.db")
    redact = None if hide is None else (lambda entry: entry.kind == hide)
    text = io.StringIO()
    export_bundle(source, text, redact=redact)
    out.write_text(text.getvalue(), encoding="utf-8")
    return out


def test_a_bundle_verifies_without_the_database(tmp_path: Path) -> None:
    report = verify_paths([bundle(node_dir(tmp_path), tmp_path / "b.jsonl")])
    assert report.ok
    assert report.chains[0].entries == 10


def test_a_redacted_bundle_still_verifies(tmp_path: Path) -> None:
    path = bundle(node_dir(tmp_path), tmp_path / "b.jsonl", hide="test.counted")
    assert "sum:1" not in path.read_text(encoding="utf-8")
    report = verify_paths([path])
    assert report.ok
    assert report.chains[0].redacted == 9


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda lines: [line.replace('\\"n\\":4', '\\"n\\":5') for line in lines], (6, "flipped")),
        (lambda lines: lines[:4] + lines[5:], (4, "dropped")),
        (lambda lines: [*lines[:4], lines[5], lines[4], *lines[6:]], (4, "reordered")),
        (lambda lines: [*lines[:5], lines[4], *lines[5:]], (4, "inserted")),
        (lambda lines: [line for line in lines if '"s":10' not in line], (10, "truncated")),
    ],
)
def test_a_tampered_bundle_is_named(
    tmp_path: Path, change: Callable[[list[str]], list[str]], expected: tuple[int, str]
) -> None:
    path = bundle(node_dir(tmp_path), tmp_path / "b.jsonl")
    path.write_text("\n".join(change(path.read_text(encoding="utf-8").splitlines())) + "\n", encoding="utf-8")
    assert ("210102", *expected) in named(verify_paths([path]).findings)


def test_a_replica_shows_what_its_relay_did(make: Make, tmp_path: Path) -> None:
    """Damage at the city to a district's chain is named with the district's code."""
    district, city = make("210102", seed=2), make("210100", seed=1)
    city.journal.append(admission("210100", 1, role="city"), admission("210102", 2, parent="210100")).result()
    district.journal.append(*[counted(n) for n in range(4)]).result()
    ship(district, city, "210102")
    assert verify_paths([tmp_path / "210100"]).ok
    findings = damage(tmp_path / "210100", "DELETE FROM entry WHERE origin = '210102' AND seq = 2")
    assert named(findings) == {("210102", 2, "dropped")}


def _fields(struct: object) -> dict[str, object]:
    return {name: getattr(struct, name) for name in type(struct).__struct_fields__}  # type: ignore[attr-defined]
