"""apt repositories whose signature, date or index is wrong; a local one, signed here, is broken each way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..blocks import SYSTEM_INFO
from ..faults import in_root
from ..model import Recipe, spread

BUILDERS = ("chroot", "docker", "buildkit", "buildx", "buildah")
NEEDS = ("apt-ftparchive:apt-utils", "gpg", "faketime")
ADD = "cp acme.gpg /usr/share/keyrings/ && cp acme.list /etc/apt/sources.list.d/"
ADD_PLAIN = "cp acme-unsigned-by.list /etc/apt/sources.list.d/acme.list"
UPDATE = "apt-get update"
INSTALL = "apt-get install -y --no-install-recommends acme-tools"
UPDATE_INSTALL = "apt-get update && apt-get install -y --no-install-recommends make acme-tools"


def repo(mode: str, suite: str = "bookworm", ahead: str = "") -> str:
    """Return the setup that makes, breaks and serves the repository."""
    return (f"export AHEAD='{ahead}'\n" if ahead else "") + f"source $TOOLS/aptrepo.sh {mode} {suite}\n"


def _case(name: str, cause: str, mode: str, signature: str, wrappers: tuple[str, ...], steps: tuple[str, ...] = (ADD, UPDATE, INSTALL), suite: str = "bookworm", ahead: str = "", **more: object) -> Iterator[Recipe]:
    options: dict[str, object] = {
        "exit": 100,
        "version": "apt-get --version",
        "needs": NEEDS,
        "image": f"debian:{suite}-slim",
        "build_args": "--add-host packages.example.org:$IP",
        "setup": repo(mode, suite, ahead),
        "forbid": "setup failed",
        **more,
    }
    yield from spread(Recipe(name=f"apt-{name}", cause=cause, tool="apt", family=f"apt-{mode}-{cause}", steps=steps, signature=signature, **options), wrappers)  # type: ignore[arg-type]


def _invalid() -> Iterator[Recipe]:
    cause = "apt-signature-invalid"
    bad = r"BADSIG|signatures were invalid|At least one invalid signature|Message has been manipulated|Verifying signature:|is not signed"
    yield from _case("badsig", cause, "badsig", bad, BUILDERS)
    yield from _case("badsig-bullseye", cause, "badsig", bad, ("chroot", "docker"), suite="bullseye")
    yield from _case("badsig-trixie", cause, "badsig", bad, ("chroot", "buildx", "buildah"), suite="trixie")
    yield from _case("badsig-detached", cause, "badsig-detached", bad, ("chroot", "buildkit"), steps=(SYSTEM_INFO, ADD, UPDATE_INSTALL))
    yield from _case("unsigned", cause, "unsigned", "is not signed", ("chroot", "docker", "buildx"))
    yield from _case("unsigned-bullseye", cause, "unsigned", "is not signed", ("buildah", "buildkit"), suite="bullseye", steps=(ADD, UPDATE_INSTALL))
    yield from _case("unsigned-trixie", cause, "unsigned", "is not signed", ("chroot", "docker"), suite="trixie")
    yield from _case("captive-portal", cause, "nosplit", r"Clearsigned file isn't valid|NOSPLIT|NODATA|is not signed", ("chroot", "docker", "buildah"))
    yield from _case("captive-portal-trixie", cause, "nosplit", r"Clearsigned file isn't valid|NOSPLIT|NODATA|is not signed", ("buildx",), suite="trixie")
    yield from _case("truncated", cause, "truncated", r"Clearsigned file isn't valid|NOSPLIT|NODATA|is not signed|Splitting up", ("chroot", "buildkit"))
    yield from _case("sha1-trixie", cause, "sha1", r"SHA1|not signed|Policy rejected", ("chroot", "buildx"), suite="trixie")
    # The same sentence, and the log does not show why: a temporary folder that is full, or closed to the _apt user.
    invalid = "At least one invalid signature was encountered"
    for suite, sizes in (("bookworm", ("192k", "256k")), ("bullseye", ("192k", "200k"))):
        for size in sizes:
            yield from _case(
                f"tmp-{suite}-{size}",
                cause,
                f"tmp-{size}",
                invalid,
                ("chroot",),
                suite=suite,
                steps=("cat /etc/os-release | head -1", UPDATE, "apt-get install -y make"),
                setup=in_root(f"umount $ROOT/tmp; mount -t tmpfs -o size={size} tmpfs $ROOT/tmp"),
            )
    run = "/usr/bin/docker run --rm --network host --tmpfs /tmp:size=192k debian:bookworm-slim apt-get update"
    yield from _case("tmp-run", cause, "tmp-run", invalid, ("gitlab", "github", "make"), steps=("/usr/bin/docker version --format '{{.Server.Version}}'", run), setup="")
    yield from _case("tmp-mode", cause, "tmp-mode", "invalid signature|not signed|Couldn't create temporary", ("chroot", "buildah", "docker"), steps=("chmod 0755 /tmp && ls -ld /tmp", UPDATE), setup="", build_args="")
    yield from _case("tmp-mode-bullseye", cause, "tmp-mode", "invalid signature|not signed|Couldn't create temporary", ("buildkit",), suite="bullseye", steps=("chmod 0755 /tmp && ls -ld /tmp", UPDATE), setup="", build_args="")


def _keys() -> Iterator[Recipe]:
    missing = r"NO_PUBKEY|the public key is not available|Missing key|unsupported filetype"
    yield from _case("nokey", "apt-key-missing", "good", missing, BUILDERS, steps=(ADD_PLAIN, UPDATE_INSTALL))
    yield from _case("otherkey", "apt-key-missing", "other-key", missing, ("chroot", "buildx"))
    yield from _case("nokey-bullseye", "apt-key-missing", "good", missing, ("docker", "buildah"), suite="bullseye", steps=(ADD_PLAIN, UPDATE, INSTALL))
    yield from _case("nokey-trixie", "apt-key-missing", "good", missing, ("chroot", "buildkit"), suite="trixie", steps=(ADD_PLAIN, UPDATE_INSTALL))
    yield from _case("nofile", "apt-key-missing", "good", missing, ("chroot",), steps=(ADD.split(" && ")[1], UPDATE))
    expired = r"EXPKEYSIG|KEYEXPIRED|[Ee]xpired on|key .* expired"
    yield from _case("expkey", "apt-key-expired", "key-expired", expired, BUILDERS)
    yield from _case("expkey-bullseye", "apt-key-expired", "key-expired", expired, ("chroot", "docker"), suite="bullseye", steps=(ADD, UPDATE_INSTALL))


def _dates() -> Iterator[Recipe]:
    yield from _case("valid-until", "apt-release-expired", "release-expired", "is expired", BUILDERS)
    yield from _case("valid-until-bullseye", "apt-release-expired", "release-expired", "is expired", ("docker", "chroot"), suite="bullseye", steps=(SYSTEM_INFO, ADD, UPDATE_INSTALL))
    yield from _case("valid-until-trixie", "apt-release-expired", "release-expired", "is expired", ("buildx", "buildah"), suite="trixie")
    for ahead, wrappers in (("+2 hours", ("chroot", "docker", "buildkit")), ("+3 days 2 hours", ("buildx", "buildah")), ("+400 days", ("chroot",))):
        label = ahead.split()[0].strip("+")
        yield from _case(f"not-yet-{label}", "clock-skew", "future", "is not valid yet", wrappers, ahead=ahead)
        yield from _case(f"not-yet-{label}-trixie", "clock-skew", "future", "is not valid yet", wrappers[:1], ahead=ahead, suite="trixie", steps=("date -u", ADD, UPDATE_INSTALL))


def _indexes() -> Iterator[Recipe]:
    gone = "does not have a Release file|no longer has a Release file"
    yield from _case("norelease", "apt-repo-gone", "no-release", gone, BUILDERS)
    yield from _case("norelease-trixie", "apt-repo-gone", "no-release", gone, ("chroot", "docker"), suite="trixie")
    for suite, eol_wrappers in (("jessie", ("chroot", "docker")), ("buster-backports", ("buildkit", "buildah")), ("stretch", ("buildx",))):
        yield from _case(f"eol-{suite}", "apt-repo-gone", "eol", gone, eol_wrappers, steps=(f"sed -i 's/bookworm/{suite}/g' /etc/apt/sources.list && cat /etc/apt/sources.list", UPDATE, "apt-get install -y curl"), setup="", build_args="")
    stale = r"404  (File n|N)ot [Ff]ound|Hash Sum mismatch|unexpected size|Unable to fetch some archives"
    drop = "rm -f /etc/apt/sources.list.d/debian.sources"
    for mode, wrappers in (("pool-gone", ("chroot", "docker", "buildx")), ("hash-mismatch", ("chroot", "buildkit", "buildah")), ("same-size", ("docker", "chroot")), ("index-mismatch", ("chroot", "buildx"))):
        yield from _case(f"stale-{mode}", "apt-stale-index", mode, stale, wrappers, steps=(drop, ADD, UPDATE, INSTALL))
        yield from _case(f"stale-{mode}-bullseye", "apt-stale-index", mode, stale, wrappers[:1], suite="bullseye", steps=(SYSTEM_INFO, ADD, UPDATE_INSTALL))


def _packages() -> Iterator[Recipe]:
    absent = r"Unable to locate package|has no installation candidate|Couldn't find any package|Version '.*' for '.*' was not found"
    plain: Any = {"setup": "", "build_args": ""}
    for index, (names, wrappers) in enumerate((
        ("build-essential python-dev", ("chroot", "docker", "buildx")), ("curl libssl1.1", ("buildkit", "buildah")), ("docker-ce docker-ce-cli containerd.io", ("chroot", "docker")),
        ("nginx openjdk-8-jdk", ("buildx",)), ("curl=7.64.0-4 git", ("docker", "chroot")), ("python3.12 python3.12-venv", ("buildkit", "chroot")),
    )):  # fmt: skip
        yield from _case(f"locate-{index}", "apt-package-not-found", "locate", absent, wrappers, steps=("apt-get update", f"apt-get install -y --no-install-recommends {names}"), **plain)
    yield from _case("locate-noupdate", "apt-package-not-found", "noupdate", absent, ("chroot", "docker", "buildah"), steps=("rm -rf /var/lib/apt/lists/*", "apt-get install -y git curl build-essential"), **plain)
    yield from _case("locate-apt", "apt-package-not-found", "locate", absent, ("chroot",), steps=("apt update", "apt install -y ffmpeg-full"), suite="trixie", **plain)
    unmet = "unmet dependencies|Unable to correct problems|held broken packages|Unsatisfied dependencies"
    for package, wrappers in (("acme-agent", ("chroot", "docker", "buildx")), ("acme-plugin", ("chroot", "buildkit", "buildah")), ("acme-legacy", ("docker", "chroot"))):
        yield from _case(f"unmet-{package}", "apt-unmet-dependencies", "good", unmet, wrappers, steps=(ADD, UPDATE, f"apt-get install -y --no-install-recommends make {package}"), key="unmet dependencies|Unsatisfied dependencies|Depends:")
    yield from _case("unmet-trixie", "apt-unmet-dependencies", "good", unmet, ("chroot", "buildx"), suite="trixie", steps=(ADD, UPDATE, "apt-get install -y --no-install-recommends acme-agent"))
    yield from _case("unmet-bullseye", "apt-unmet-dependencies", "good", unmet, ("chroot",), suite="bullseye", steps=(ADD, UPDATE, "apt-get install -y acme-plugin xz-utils"))
    script = r"post-installation script subprocess returned|Sub-process /usr/bin/dpkg returned an error code|dpkg: error processing"
    for package, wrappers in (("acme-service", ("chroot", "docker", "buildx")), ("acme-broken", ("chroot", "buildkit", "buildah")), ("acme-exit", ("docker", "chroot"))):
        yield from _case(f"postinst-{package}", "dpkg-script-failed", "good", script, wrappers, steps=(ADD, UPDATE, f"apt-get install -y --no-install-recommends make {package}"))
    yield from _case("postinst-trixie", "dpkg-script-failed", "good", script, ("chroot",), suite="trixie", steps=(ADD, UPDATE, "apt-get install -y acme-broken"))
    lock = "python3 - <<'E' &\nimport fcntl, os, time\nfiles = [open(os.environ['ROOT'] + p, 'w') for p in ('PATHS')]\nfor f in files: fcntl.lockf(f, fcntl.LOCK_EX)\ntime.sleep(60)\nE\nsleep 0.7"
    for name, paths, words in (
        ("frontend", "'/var/lib/dpkg/lock-frontend', '/var/lib/dpkg/lock'", "lock-frontend"),
        ("lists", "'/var/lib/apt/lists/lock',", "lists/lock"),
        ("archives", "'/var/cache/apt/archives/lock',", "archives/lock"),
        ("dpkg", "'/var/lib/dpkg/lock',", "dpkg/lock"),
    ):
        for suite in ("bookworm", "bullseye", "trixie"):
            yield from _case(
                f"locked-{name}-{suite}",
                "dpkg-locked",
                "locked",
                f"(Could not get|Unable to acquire|Unable to lock|dpkg).*{words}|{words}",
                ("chroot",),
                suite=suite,
                steps=("apt-get update", "apt-get install -y --no-install-recommends make"),
                setup=in_root(lock.replace("'PATHS'", paths)),
            )


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    for group in (_invalid, _keys, _dates, _indexes, _packages):
        yield from group()
