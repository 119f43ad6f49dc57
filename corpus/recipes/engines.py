"""Make the base images from Debian's packages, and start the container engines."""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .errors import CannotRun
from .lab import LAB, SOCKET, SOCKET26, image_folder

_CERTIFICATES: Final = "/etc/ssl/certs/ca-certificates.crt"
_NEEDS: Final = "docker.io buildah debootstrap faketime fuse3 btrfs-progs apt-utils docker-registry"


@dataclass(frozen=True)
class Image:
    """A base image: a Debian release, packages on top, and a last touch."""

    name: str
    suite: str = "bookworm"
    packages: str = ""
    touch: str = ""


_NODE = "cp -a /usr/bin/node usr/bin/node && mkdir -p usr/lib/node_modules && cp -a $(readlink -f $(dirname $(readlink -f /usr/bin/npm))/..) usr/lib/node_modules/npm && ln -sf ../lib/node_modules/npm/bin/npm-cli.js usr/bin/npm && ln -sf ../lib/node_modules/npm/bin/npx-cli.js usr/bin/npx"
_PYTHON = "ln -sf python3 usr/bin/python; ln -sf python3 usr/local/bin/python; rm -f usr/lib/python3*/EXTERNALLY-MANAGED"
IMAGES: Final = (
    Image("debian:bookworm-slim"),
    Image("debian:bullseye-slim", "bullseye"),
    Image("debian:trixie-slim", "trixie"),
    Image("gcc:12", packages="build-essential cmake pkg-config autoconf automake libtool git curl file"),
    Image("python:3.11-slim", packages="python3 python3-pip python3-venv", touch=_PYTHON),
    Image("node:20-slim", packages="libatomic1", touch=_NODE),
)


def _run(command: str, cwd: Path = LAB) -> None:
    done = subprocess.run(["bash", "-c", command], cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603,S607
    if done.returncode:
        raise CannotRun(f"{command.splitlines()[0][:90]}: {(done.stdout + done.stderr)[-500:]}")


def _debootstrap(suite: str, folder: Path, include: str = "") -> None:
    extra = f"--include={include}" if include else ""
    _run(f"debootstrap {extra} --variant=minbase {suite} {folder}")


def make_root(image: Image) -> Path:
    """Make the root file system of an image once."""
    root = image_folder(image.name)
    if root.is_dir():
        return root
    half = root.with_suffix(".part")
    shutil.rmtree(half, ignore_errors=True)
    half.parent.mkdir(parents=True, exist_ok=True)
    plain = image_folder(f"debian:{image.suite}-slim")
    if plain.is_dir():
        _run(f"cp -a --reflink=auto {plain} {half}")
    else:
        _debootstrap(image.suite, half)
    _run("rm -rf var/lib/apt/lists/* var/cache/apt/*.bin", half)  # as the official images are
    if image.packages:
        _run(
            "cp /etc/resolv.conf etc/; printf '#!/bin/sh\\nexit 101\\n' > usr/sbin/policy-rc.d; chmod +x usr/sbin/policy-rc.d;"
            "DEBIAN_FRONTEND=noninteractive chroot . sh -c 'apt-get update -q && apt-get install -qy --no-install-recommends"
            f" ca-certificates {image.packages} && apt-get clean'",
            half,
        )
    _run(f"mkdir -p etc/ssl/certs && cp {_CERTIFICATES} etc/ssl/certs/; rm -rf var/lib/apt/lists/* var/cache/apt/*.bin; {image.touch or 'true'}", half)
    half.rename(root)
    return root


def _import(root: Path, name: str, docker: str) -> None:
    env = f"ENV SSL_CERT_FILE={_CERTIFICATES} PIP_CERT={_CERTIFICATES} NODE_EXTRA_CA_CERTS={_CERTIFICATES} DEBIAN_FRONTEND=noninteractive PIP_ROOT_USER_ACTION=ignore"
    _run(f"{docker} image inspect {name} >/dev/null 2>&1 || tar -C {root} -c . | {docker} import --change '{env}' --change 'CMD [\"bash\"]' - {name}")


def load(image: Image) -> None:
    """Give an image to every engine that runs."""
    root = make_root(image)
    if SOCKET.exists():
        _import(root, image.name, f"/usr/bin/docker -H unix://{SOCKET}")
    if SOCKET26.exists():
        _import(root, image.name, f"{LAB}/bin/docker26 -H unix://{SOCKET26}")
    buildah = f"buildah --root {LAB}/buildah --runroot {LAB}/buildah-run --storage-driver overlay"
    _run(
        f"{buildah} inspect --type image {image.name} >/dev/null 2>&1 && exit 0; "
        f"c=$({buildah} from scratch) && {buildah} add -q $c {root} / && "
        f"{buildah} config --env SSL_CERT_FILE={_CERTIFICATES} --env PIP_CERT={_CERTIFICATES} "
        f"--env NODE_EXTRA_CA_CERTS={_CERTIFICATES} --env DEBIAN_FRONTEND=noninteractive $c && "
        f"{buildah} commit -q $c docker.io/library/{image.name} && {buildah} rm $c"
    )


def _wait(socket: Path) -> None:
    for _ in range(60):
        if socket.exists():
            return
        time.sleep(0.5)
    raise CannotRun(f"no Docker daemon at {socket}")


def start_docker() -> None:
    """Start Debian's own Docker (20.10), with its data beside everything else."""
    home = SOCKET.parent
    if SOCKET.exists() and subprocess.run(["/usr/bin/docker", "-H", f"unix://{SOCKET}", "version"], capture_output=True, check=False).returncode == 0:  # noqa: S603
        return
    home.mkdir(parents=True, exist_ok=True)
    _run(f"setsid /usr/sbin/dockerd --storage-driver=overlay2 --iptables=false --bridge=none --data-root {home}/data --exec-root {home}/exec -p {home}/pid -H unix://{SOCKET} > {home}/log 2>&1 < /dev/null &")
    _wait(SOCKET)


def start_docker26() -> None:
    """Start today's Docker with BuildKit and buildx, in a trixie of its own."""
    home, root = SOCKET26.parent, LAB / "roots" / "docker26"
    if not root.is_dir():
        _debootstrap("trixie", root.with_suffix(".part"), "docker.io,docker-cli,docker-buildx,ca-certificates,iptables,kmod")
        root.with_suffix(".part").rename(root)
    client = LAB / "bin" / "docker26"
    if not client.exists():
        client.parent.mkdir(exist_ok=True)
        plugins = LAB / "docker-config" / "cli-plugins"
        plugins.mkdir(parents=True, exist_ok=True)
        _run(f"cp {root}/usr/bin/docker {client.parent}/docker-26; cp {root}/usr/libexec/docker/cli-plugins/docker-buildx {plugins}/")
        client.write_text('#!/bin/sh\nhere=$(dirname "$0")\nexec "$here/docker-26" --config "$here/../docker-config" "$@"\n')
        client.chmod(0o755)
    if SOCKET26.exists() and subprocess.run([str(client), "-H", f"unix://{SOCKET26}", "version"], capture_output=True, check=False).returncode == 0:  # noqa: S603
        return
    home.mkdir(parents=True, exist_ok=True)
    inner = f"""mount --make-rprivate /; mount --bind {root} {root}; cd {root}; mkdir -p old lab run/docker26
mount --bind {home} lab; mount --rbind /proc proc; mount --rbind /sys sys; mount --rbind /dev dev; mount -t tmpfs tmp tmp
cp /etc/resolv.conf /etc/hosts etc/; pivot_root . old; umount -l /old
exec /usr/sbin/dockerd --storage-driver=overlay2 --iptables=false --bridge=none --data-root /lab/data --exec-root /run/docker26 -p /lab/pid -H unix:///lab/docker.sock"""
    _run(f"setsid unshare -m bash -c '{inner}' > {home}/log 2>&1 < /dev/null &")
    _wait(SOCKET26)


# Python programs, each in an environment of its own below LAB/tools.
TOOLS: Final = {
    "uv": "uv", "poetry": "poetry", "pipenv": "pipenv", "pip-tools": "pip-tools", "tox": "tox",
    "lint": "ruff flake8 mypy black isort pylint bandit pip-audit sphinx mkdocs yamllint pre-commit twine build",
}  # fmt: skip


def make_tools() -> None:
    """Install the programs that recipes call by name, and the FUSE bindings."""
    for name, packages in {**{f"tools/{key}": value for key, value in TOOLS.items()}, "venv": "mfusepy"}.items():
        if not (LAB / name / "ready").exists():
            _run(f"python3 -m venv {LAB / name} && {LAB / name}/bin/pip install -q {packages} && sed -i '1s|^#!{LAB}|#!/srv/lab|' {LAB / name}/bin/* && touch {LAB / name}/ready")


def prepare() -> None:
    """Make everything ready; what exists is left as it is."""
    absent = [name for name in ("/usr/sbin/dockerd", "/usr/sbin/debootstrap") if not Path(name).exists()]
    if absent:
        raise CannotRun(f"no {', '.join(absent)}: apt-get install -y --no-install-recommends {_NEEDS}")
    LAB.mkdir(parents=True, exist_ok=True)
    for start in (start_docker, start_docker26):
        try:
            start()
        except CannotRun as error:
            print(f"not started: {error}")
    make_tools()
    for image in IMAGES:
        load(image)
        print(f"ready: {image.name}", flush=True)
