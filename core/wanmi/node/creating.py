"""Make a new node: its directory, keys, settings, CA and founding entry; all of it or nothing."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from wanmi.clock import Clock, SystemClock
from wanmi.codes import Divisions, NodeCode
from wanmi.errors import BadInput, Conflict, StoreError
from wanmi.identity import Identity, NodeKeys, ParentUrl, founding, make_token
from wanmi.identity.enrolment import check_belongs
from wanmi.ids import Ids, SystemIds
from wanmi.kinds import Role
from wanmi.node.node import Node
from wanmi.node.running import RUN_FILE
from wanmi.plugins import Plugin
from wanmi.settings import Settings, read_settings, write_node_toml

ROLE_WORDS: dict[Role, str] = {"city": "{}平台", "district": "{}平台", "edge": "{}边缘节点{}"}
PARENT_ROLE: dict[Role, Role] = {"district": "city", "edge": "district"}


@dataclass(frozen=True)
class NewNode:
    """What ``wanmi init`` is told. ``web`` is HOST:PORT, ``listen`` tcp://HOST:PORT, ``parent`` its URL with keys.

    ``plugins`` None: the role's. ``sections``: more tables for node.toml, the plugins' or the core's.
    """

    role: Role
    code: str
    name: str = ""
    parent: str = ""
    web: str = ""
    listen: str = ""
    database: str = ""
    plugins: tuple[str, ...] | None = None
    sections: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@dataclass(frozen=True)
class Created:
    """A new node; ``token`` for its parent (empty without one), ``card`` the URL for its children (or empty)."""

    dir: Path
    who: Identity
    keys: NodeKeys
    token: str
    card: str


def create_node(
    dir: Path, new: NewNode, *, clock: Clock | None = None, ids: Ids | None = None, given: Sequence[Plugin] = ()
) -> Created:
    """Make the node in ``dir``, which must not be there or be empty; ``given`` as in ``Node.open``.

    Raises BadInput and NotAllowed (code, parent), Conflict (something is there), SettingsError, StoreError.
    """
    clock, ids = clock or SystemClock(), ids or SystemIds()
    who, parent = _checked(new)
    if dir.exists() and (not dir.is_dir() or any(dir.iterdir())):
        raise Conflict(f"{dir}: something is there already; a node is made in a new or empty directory")
    building = dir.absolute().with_name(f".{dir.absolute().name}.new")
    shutil.rmtree(building, ignore_errors=True)
    try:
        keys = _fill(building, new, who, parent, clock, ids, given)
        building.replace(dir)
    except OSError as error:
        raise StoreError(f"{dir}: the node cannot be made: {error.strerror or error}") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    token = make_token(who, parent.code, keys, ids, clock.now()) if parent is not None else ""
    return Created(dir, who, keys, token, node_card(dir))


def node_card(dir: Path, host: str = "") -> str:
    """The URL that a child is given: where this node listens, with its keys; empty when it does not listen.

    ``host`` is the name that children reach it by; by default the listening address, or the machine's name.
    """
    settings = read_settings(dir)
    endpoint = _endpoint(dir, settings)
    if not endpoint:
        return ""
    parts = urlsplit(endpoint)
    where = host or parts.hostname or ""
    if where in ("0.0.0.0", "::", "*", ""):  # noqa: S104 - compared, not bound
        where = socket.gethostname()
    keys = NodeKeys.load(dir)
    address = f"[{where}]" if ":" in where else where
    return str(ParentUrl(f"tcp://{address}:{parts.port}", settings.node.code, keys.sign_public, keys.curve_public))


def read_run_file(dir: Path) -> dict[str, str | int]:
    """What the running node of a directory says of itself (pid, places); empty when none runs."""
    try:
        facts = json.loads((dir / RUN_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return dict(facts) if isinstance(facts, dict) else {}


def _endpoint(dir: Path, settings: Settings) -> str:
    """Where it listens: as the running node announced it, else as the settings say, if they say a port."""
    announced = str(read_run_file(dir).get("link", ""))
    if announced:
        return announced
    listen = settings.link.listen
    return "" if listen.endswith((":0", ":*")) else listen


def _checked(new: NewNode) -> tuple[Identity, ParentUrl | None]:
    NodeCode.parse(new.code)
    if (len(new.code) == 8) != (new.role == "edge"):
        raise BadInput(f"code {new.code}: a {new.role} has {8 if new.role == 'edge' else 6} digits")
    division = Divisions.load().get(new.code[:6])
    if division is None or (new.role == "city") != (division.level == "city"):
        raise BadInput(
            f"code {new.code}: {new.code[:6]} is no {'city' if new.role == 'city' else 'district'} known here"
        )
    name = new.name or ROLE_WORDS[new.role].format(division.name, new.code[6:])
    parent = ParentUrl.parse(new.parent) if new.parent else None
    if parent is not None:
        if new.role == "city":
            raise BadInput("a city has no parent; leave --parent out")
        check_belongs(parent.code, PARENT_ROLE[new.role], new.code, new.role)
    return Identity(new.code, new.role, name, new.code[:6]), parent


def _fill(
    dir: Path, new: NewNode, who: Identity, parent: ParentUrl | None, clock: Clock, ids: Ids, given: Sequence[Plugin]
) -> NodeKeys:
    from wanmi.identity.ca import certificate_names, ensure_tls

    dir.mkdir(mode=0o700, parents=True)
    for folder in ("blobs", "spool", "log", "broker"):
        (dir / folder).mkdir()
    keys = NodeKeys.create(dir, ids)
    write_node_toml(dir, _tables(new, who, parent), new.plugins)
    web = read_settings(dir).web
    ensure_tls(dir, who.code, certificate_names(web.host, web.names), clock.now())
    with Node.open(dir, clock=clock, ids=ids, plugins=given) as node:
        node.journal.append(founding(who, keys)).result()
    return keys


def _tables(new: NewNode, who: Identity, parent: ParentUrl | None) -> dict[str, dict[str, object]]:
    node = {"code": who.code, "role": who.role, "name": who.name, "region": who.region}
    tables: dict[str, dict[str, object]] = {"node": {**node, **({"parent": parent.code} if parent else {})}}
    if new.database:
        tables["database"] = {"url": new.database}
    if new.web:
        tables["web"] = _web(new.web)
    link = {"listen": new.listen, "parent": new.parent}
    if any(link.values()):
        tables["link"] = {key: value for key, value in link.items() if value}
    for name, more in new.sections.items():
        tables[name] = {**tables.get(name, {}), **more}
    return tables


def _web(text: str) -> dict[str, object]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise BadInput(f"--web {text!r} is not HOST:PORT")
    return {"host": host.strip("[]"), "port": int(port)}
