"""A root file system in a folder, and processes in it: what a container engine does, with Linux's own tools.

In place of a base image stand this machine's /usr, to be read only, and this Python as /usr/local, with
nothing installed but pip. Root starts it: mounts and another root are only for root.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["RootFs", "why_not_here"]

_MOUNTS = """\
set -eu
root=$1 layers=$2 site=$3 read_only=$4 python=$5 shown=$6 user=$7 work=$8 binds=$9
shift 9
mount --bind "$root" "$root"
mount --rbind /usr "$root/usr"
mount -o remount,bind,ro "$root/usr"
mount -t overlay -o "lowerdir=$python,upperdir=$layers/upper,workdir=$layers/work" overlay "$root/usr/local"
mount --bind "$layers/site" "$root/usr/local/$site"
for device in null zero full random urandom; do mount --bind "/dev/$device" "$root/dev/$device"; done
mount -t tmpfs -o mode=1777,size=64m shm "$root/dev/shm"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777,size=256m,nosuid,nodev,noexec tmp "$root/tmp"
for path in $shown; do mount --bind "$path" "$root$path"; done
[ -z "$binds" ] || mount --bind "${binds%%:*}" "$root${binds#*:}"
if [ "$read_only" = yes ]; then
  [ -z "$binds" ] || mount -o remount,bind,ro "$root${binds#*:}"
  mount -o remount,bind,ro "$root/usr/local/$site"
  mount -o remount,ro "$root/usr/local"
  mount -o remount,bind,ro "$root"
fi
cd "$root"
if [ "$user" = 0:0 ]; then exec chroot . env -i --chdir="$work" "$@"; fi
exec chroot . setpriv --reuid "${user%:*}" --regid "${user#*:}" --clear-groups --no-new-privs \\
  --bounding-set=-all --inh-caps=-all --pdeathsig KILL env -i --chdir="$work" "$@"
"""
_FOLDERS = ("dev/shm", "etc", "opt", "proc", "root", "tmp", "usr", "var")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "group": "root:x:0:\n",
    "hosts": "127.0.0.1 localhost\n",
    "nsswitch.conf": "hosts: files dns\n",
    "ld.so.conf": "/usr/local/lib\n/lib/x86_64-linux-gnu\n/lib/aarch64-linux-gnu\n",
}


def why_not_here() -> str | None:
    """What this machine lacks for it; None when it can be done."""
    if os.geteuid() != 0:
        return "mounts and another root are only for root"
    missing = [tool for tool in ("unshare", "setpriv", "chroot") if shutil.which(tool) is None]
    if missing:
        return f"there is no {missing[0]}"
    tried = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "true"],  # noqa: S607 - whichever there is
        check=False,
        capture_output=True,
    )
    return None if tried.returncode == 0 else "this machine lets nobody make namespaces"


class RootFs:
    """A root file system in `folder`; `pip` says by whose variables pip finds packages in it."""

    def __init__(self, folder: Path, pip: Mapping[str, str]) -> None:
        self.root = folder / "root"
        self._layers = folder / "python"
        self._pip = pip
        self._site = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
        self._lay_out()

    def path(self, inner: str) -> Path:
        """Where a path of the file system lies in the folder."""
        return self.root / inner.lstrip("/")

    def run(self, words: Sequence[str], *, environment: Mapping[str, str], work: str = "/") -> None:
        """Do it as root and wait; all may be written. Raises `RuntimeError` with what it said where it fails.

        The network is this machine's, and so are the files that pip is told of.
        """
        command = self._command(words, environment={**self._pip, **environment}, work=work)
        done = subprocess.run(  # noqa: S603 - our own words
            command, check=False, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")

    def start(
        self,
        words: Sequence[str],
        *,
        environment: Mapping[str, str],
        user: str,
        work: str,
        bind: tuple[Path, str] | None = None,
    ) -> subprocess.Popen[str]:
        """Start it as a container would be: nothing but /tmp is written, as a user without any privilege.

        It is the first process of its own process namespace. `bind` puts a folder of this machine at a path.
        """
        if bind is not None:
            self.path(bind[1]).mkdir(parents=True, exist_ok=True)
        command = self._command(words, environment=environment, work=work, user=user, bind=bind)
        return subprocess.Popen(  # noqa: S603 - our own words
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def _command(
        self,
        words: Sequence[str],
        *,
        environment: Mapping[str, str],
        work: str,
        user: str | None = None,
        bind: tuple[Path, str] | None = None,
    ) -> list[str]:
        arguments: list[Any] = [
            self.root,
            self._layers,
            self._site,
            "no" if user is None else "yes",
            sys.base_prefix,
            " ".join(self._shown) if user is None else "",
            user or "0:0",
            work,
            f"{bind[0]}:{bind[1]}" if bind else "",
        ]
        given = [f"{name}={value}" for name, value in environment.items()]
        unshared = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _MOUNTS, "sh"]
        return [*unshared, *map(str, arguments), *given, *words]

    @property
    def _shown(self) -> list[str]:
        """Folders and files of this machine that pip's variables name."""
        told = "\n".join(self._pip.values())
        indexes = [
            str(Path(one).parent) for one in re.findall(r"file://(/\S+)", told)
        ]  # files lie beside them
        named = [*indexes, *re.findall(r"(?:^|\s)(/\S+)", told)]
        return sorted({one for one in named if Path(one).exists() and not one.startswith("/dev/")})

    def _lay_out(self) -> None:
        for name in _FOLDERS:
            self.path(name).mkdir(parents=True, exist_ok=True)
        for name in ("bin", "sbin", "lib", "lib64"):
            self.path(name).symlink_to(f"usr/{name}")
        for name in _DEVICES:
            self.path(f"dev/{name}").touch()
        for name in self._shown:
            if Path(name).is_dir():
                self.path(name).mkdir(parents=True, exist_ok=True)
            else:
                self.path(name).parent.mkdir(parents=True, exist_ok=True)
                self.path(name).touch()
        if (resolver := Path("/etc/resolv.conf")).is_file():
            shutil.copy(resolver, self.path("etc/resolv.conf"))
        for name, text in _ETC.items():
            self.path(f"etc/{name}").write_text(text)
        for name in ("upper", "work", "site"):
            (self._layers / name).mkdir(parents=True)
        bundled = Path(sys.base_prefix) / self._site
        for found in (bundled / "pip", *bundled.glob("pip-*.dist-info")):
            shutil.copytree(found, self._layers / "site" / found.name, symlinks=True)
        self.run(["/usr/sbin/ldconfig"], environment={})  # or Python's own library is not found
