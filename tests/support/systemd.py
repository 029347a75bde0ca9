"""A systemd of its own: process 1 of new namespaces, with nothing but the unit of a node and empty targets to start.

The whole of the machine's file tree is read-only inside; what must be written lies in memory. The tree's Python is laid
under /opt, since the unit may look neither into /home nor into /root. Needs root and a kernel that mounts a cgroup
hierarchy by name; where that is refused, ``Systemd`` fails with what the kernel said.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from support.live import ROOT, SHELVES, until

UNIT = ROOT / "packaging/systemd/wanmi@.service"
TARGETS = ("sysinit", "basic", "shutdown", "network-online", "time-sync", "multi-user")
PATHS = [ROOT / shelf for shelf in (*SHELVES, "hardware", "tui")]

OUTER = """
set -eu
mount --make-rprivate /
mkdir -p "$HOME_OF_IT/groups"
mount -t cgroup -o none,name=systemd cgroup "$HOME_OF_IT/groups"
group="$HOME_OF_IT/groups/wanmi-test-$$"
mkdir "$group"
leave() {
  echo 0 > "$HOME_OF_IT/groups/cgroup.procs"
  find "$group" -depth -type d -exec rmdir {} +
}
trap leave EXIT
echo 0 > "$group/cgroup.procs"
unshare --fork --pid --mount --mount-proc --cgroup --uts --ipc --kill-child bash "$HOME_OF_IT/inner.sh" || true
"""
"""A group of its own, so that this systemd sees no other's; taken away when it ends."""

INNER = """
set -eu
mount --make-rprivate /
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
mkdir /sys/fs/cgroup/systemd
mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
mount -t tmpfs -o mode=755 tmpfs /opt
mkdir /opt/python /opt/packages /opt/tree /opt/units
mount --bind "$BASE" /opt/python
mount --bind "$PACKAGES" /opt/packages
mount --bind "$TREE" /opt/tree
cp "$HOME_OF_IT"/units/* /opt/units/
mkdir /opt/units/wanmi@.service.d
mv /opt/units/tried.conf /opt/units/wanmi@.service.d/
LD_LIBRARY_PATH=/opt/python/lib /opt/python/bin/python3 -m venv --without-pip /opt/wanmi
cp "$HOME_OF_IT/tree.pth" /opt/wanmi/lib/python*/site-packages/
install -m 755 "$HOME_OF_IT/wanmi" /opt/wanmi/bin/wanmi
for file in passwd group; do
  cp "/etc/$file" "/opt/$file"
  grep -q ^wanmi: "/opt/$file" || cat "$HOME_OF_IT/$file" >> "/opt/$file"
  mount --bind "/opt/$file" "/etc/$file"
done
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/lib
mount -t tmpfs -o mode=1777 tmpfs /var/tmp
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -o remount,bind,ro /
export container=wanmi SYSTEMD_UNIT_PATH=/opt/units SYSTEMD_GENERATOR_PATH=/opt/none
exec /lib/systemd/systemd --system --unit=multi-user.target --log-target=null --show-status=no
"""
"""Process 1's file tree. Its own unit path: none of the machine's units (that would clean /tmp, say) is ever known."""


class Systemd:
    """``with Systemd(dir) as systemd:`` — a system manager; ends with everything that it started."""

    def __init__(self, dir: Path, dropin: str) -> None:
        self._dir = dir
        self._dropin = dropin
        self._outer: subprocess.Popen[bytes] | None = None
        self._pid = 0

    def __enter__(self) -> Self:
        self._write()
        env = {"PATH": os.environ["PATH"], "HOME_OF_IT": str(self._dir), **self._python()}
        log = (self._dir / "systemd.txt").open("wb")
        self._outer = subprocess.Popen(
            ["unshare", "--mount", "bash", str(self._dir / "outer.sh")], env=env, stdout=log, stderr=log
        )
        try:
            self._pid = until(self._process_1, seconds=30)
            until(lambda: self.run("systemctl", "show", check=False).returncode == 0, seconds=30)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        assert self._outer is not None
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
        elif self._outer.poll() is None:
            self._outer.terminate()
        self._outer.wait(30)

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command inside."""
        enter = ["nsenter", "-t", str(self._pid), "--pid", "--mount", "--cgroup", "--uts", "--ipc"]
        made = subprocess.run([*enter, *command], capture_output=True, text=True, timeout=150, check=False)
        assert not check or made.returncode == 0, f"{shlex.join(command)}: {made.stdout}{made.stderr}"
        return made

    def show(self, unit: str) -> Mapping[str, str]:
        """Its properties."""
        return dict(line.partition("=")[::2] for line in self.run("systemctl", "show", unit).stdout.splitlines())

    def _process_1(self) -> int:
        """The id of the manager outside; fails with what was said when the namespaces could not be made."""
        assert self._outer is not None
        said = (self._dir / "systemd.txt").read_text(errors="replace")
        assert self._outer.poll() is None, f"no systemd can be run on this machine (root? cgroups?): {said}"
        return next((pid for pid in _below(self._outer.pid) if _command(pid) == "systemd"), 0)

    def _python(self) -> dict[str, str]:
        return {"BASE": sys.base_prefix, "PACKAGES": sysconfig.get_path("purelib"), "TREE": str(ROOT)}

    def _write(self) -> None:
        units = self._dir / "units"
        units.mkdir(parents=True)
        for name in TARGETS:
            (units / f"{name}.target").write_text(f"[Unit]\nDescription={name}\nDefaultDependencies=no\n")
        (units / UNIT.name).write_bytes(UNIT.read_bytes())
        (units / "tried.conf").write_text(self._dropin)
        shelves = [f"/opt/tree/{path.relative_to(ROOT)}" for path in PATHS]
        (self._dir / "tree.pth").write_text("\n".join(["/opt/packages", *shelves, ""]))
        (self._dir / "wanmi").write_text("#!/opt/wanmi/bin/python\nfrom wanmi.cli import main\nmain()\n")
        (self._dir / "passwd").write_text("wanmi:x:64231:64231::/nonexistent:/usr/sbin/nologin\n")
        (self._dir / "group").write_text("wanmi:x:64231:\n")
        (self._dir / "outer.sh").write_text(OUTER)
        (self._dir / "inner.sh").write_text(INNER)


def _below(pid: int) -> list[int]:
    """Children, and theirs."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, path.read_text().split()):
            found += [child, *_below(child)]
    return found


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()
