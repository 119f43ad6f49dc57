"""Where the laboratory keeps its things, and whether this machine can run a recipe."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from .errors import CannotRun
from .model import Recipe
from .wrappers import BUILDERS

LAB: Final = Path(os.environ.get("LOGKB_LAB", "/tmp/lab"))  # noqa: S108  a laboratory is thrown away
CORPUS: Final = Path(__file__).resolve().parent.parent
SOCKET: Final = LAB / "docker" / "docker.sock"
SOCKET26: Final = LAB / "docker26" / "docker.sock"


def image_folder(image: str) -> Path:
    """Return the unpacked root file system of an image."""
    return LAB / "roots" / image.replace(":", "-").replace("/", "-")


def missing(recipe: Recipe) -> list[str]:
    """Say what this machine lacks for a recipe, and how to get it."""
    lacks = []
    if os.geteuid() != 0:
        lacks.append("root (namespaces and mounts)")
    for need in (*recipe.needs, "unshare:util-linux"):
        program, _, package = need.partition(":")
        found = Path(program).exists() if program.startswith("/") else shutil.which(program, path=search_path())
        if not found:
            lacks.append(f"{program} (apt-get install {package or program})")
    if recipe.wrapper in {"docker", "buildkit"} and not SOCKET.exists():
        lacks.append("a Docker 20.10 daemon (python -m corpus.recipes prepare)")
    if recipe.wrapper == "buildx" and not SOCKET26.exists():
        lacks.append("a Docker 26 daemon (python -m corpus.recipes prepare)")
    if recipe.wrapper in BUILDERS | {"chroot"} and not image_folder(recipe.image).is_dir():
        lacks.append(f"the image {recipe.image} (python -m corpus.recipes prepare)")
    return lacks


def search_path() -> str:
    """Return the PATH of a build: Python from pyenv when it is there, then the system's."""
    home = Path.home()
    versions = home / ".pyenv" / "versions"
    pythons = [str(folder / "bin") for folder in sorted(versions.glob("3.11*"))] if versions.is_dir() else []
    return ":".join([*pythons, str(home / ".cargo/bin"), "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"])


def require(recipe: Recipe) -> None:
    """Refuse to run a recipe that cannot run here."""
    if lacks := missing(recipe):
        raise CannotRun(f"{recipe.name} cannot run here: no " + ", no ".join(lacks))


def tool_version(recipe: Recipe) -> str:
    """Return the first line that the tool says of its version, or the empty string."""
    if not recipe.version:
        return ""
    env = {**os.environ, "PATH": search_path(), "LC_ALL": "C", "DOCKER_HOST": f"unix://{SOCKET}"}
    command = recipe.version
    if recipe.wrapper in BUILDERS | {"chroot"} and not command.startswith("!"):
        command = f"chroot {image_folder(recipe.image)} sh -c '{command}'"
    done = subprocess.run(  # noqa: S602
        ["unshare", "-m", "bash", "-c", f"mkdir -p /srv/lab && mount --bind {LAB} /srv/lab; {command.removeprefix('!')}"], env=env, capture_output=True, text=True, check=False, timeout=60,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0].strip()[:120] if lines else ""
