"""How the steps of a recipe are run: by a shell, a CI-like script, make, or a container builder."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from types import MappingProxyType

from .errors import RecipeError
from .model import Recipe

BUILDERS = frozenset({"docker", "buildkit", "buildx", "buildah"})

# Steps run by `eval`, as the CI services do, so that a `cd` or an `export` lasts.
_GITLAB = r"""
printf 'section_start:%s:step_script\r\033[0K\033[0K\033[36;1mExecuting "step_script" stage of the job script\033[0;m\n' "$(date +%s)"
run() {
  printf '\033[32;1m$ %s\033[0;m\n' "$(head -n1 <<<"$1")$([ "$(wc -l <<<"$1")" -gt 1 ] && echo ' # collapsed multi-line command')"
  eval "$1" || { code=$?
    printf 'section_end:%s:step_script\r\033[0K' "$(date +%s)"
    printf '\033[0;33mcleaning up file based variables\033[0;m\n\033[31;1mERROR: Job failed: exit code %s\n\033[0;m' "$code"; exit 1; }
}
trap 'code=$?; [ $code = 0 ] && printf "\033[32;1mJob succeeded\033[0;m\n"' EXIT
"""
_GITHUB = r"""
run() {
  printf '##[group]Run %s\n' "$(head -n1 <<<"$1")"
  printf '\033[36;1m%s\033[0m\n' "$1"
  printf 'shell: /usr/bin/bash -e {0}\n##[endgroup]\n'
  eval "$1" || { code=$?; printf '##[error]Process completed with exit code %s.\n' "$code"; exit 1; }
}
"""
_JENKINS = r"""
echo 'Started by user ci'; echo "Running as SYSTEM"; echo "Building in workspace $PWD"
run() {
  echo '[Pipeline] sh'
  ( set -ex; eval "$1" ) ; code=$?
  [ $code = 0 ] || { printf '[Pipeline] }\n[Pipeline] // stage\n[Pipeline] End of Pipeline\nERROR: script returned exit code %s\nFinished: FAILURE\n' "$code"; exit 1; }
}
trap 'code=$?; [ $code = 0 ] && printf "[Pipeline] End of Pipeline\nFinished: SUCCESS\n"' EXIT
"""
_TRAVIS = r"""
run() {
  printf 'travis_fold:start:step\r\033[0K'
  printf '\033[33;1m$ %s\033[0m\n' "$1"
  eval "$1" || { code=$?
    printf '\n\033[31;1mThe command "%s" failed and exited with %s during .\033[0m\n\nYour build has been stopped.\n' "$(head -n1 <<<"$1")" "$code"; exit 1; }
  printf 'travis_fold:end:step\r\033[0K'
}
"""
_AZURE = r"""
run() {
  printf '##[section]Starting: CmdLine\n==============================================================================\nTask         : Command line\nVersion      : 2.250.1\n==============================================================================\nGenerating script.\n========================== Starting Command Output ===========================\n'
  eval "$1" || { code=$?; printf '##[error]Bash exited with code %s.\n##[section]Finishing: CmdLine\n' "'$code'"; exit 1; }
  printf '##[section]Finishing: CmdLine\n'
}
"""


def _evaluated(prelude: str) -> Callable[[Recipe], str]:
    def render(recipe: Recipe) -> str:
        return prelude + "".join(f"run {shlex.quote(step)}\n" for step in recipe.steps)

    return render


def _plain(recipe: Recipe) -> str:
    return "set -e\n" + "\n".join(recipe.steps) + "\n"


def _xtrace(recipe: Recipe) -> str:
    return "set -ex\n" + "\n".join(recipe.steps) + "\n"


def _make(recipe: Recipe) -> str:
    """Write a Makefile whose targets are the steps, each a line of its own."""
    names = [f"step-{number}" for number in range(1, len(recipe.steps) + 1)]
    lines = ["SHELL := /bin/bash", ".PHONY: ci " + " ".join(names), "ci: " + " ".join(names)]
    for name, step in zip(names, recipe.steps, strict=True):
        body = step.strip().replace("$", "$$").replace("\n", "; \\\n\t  ")
        lines += [f"{name}:", f"\t{body}"]
    return "cat > ci.mk <<'END_OF_MAKEFILE'\n" + "\n".join(lines) + "\nEND_OF_MAKEFILE\nmake -f ci.mk ci\n"


def _chroot(recipe: Recipe) -> str:
    """Run the steps in a fresh copy of an image, as a job in a container does."""
    root = recipe.image.replace(":", "-").replace("/", "-")
    script = "cd " + recipe.cwd + "\n" + _evaluated(_GITLAB)(recipe)
    return f"""mkdir -p /srv/root $RUN/cow/upper $RUN/cow/work
export ROOT=/srv/root; mount -t overlay overlay -o lowerdir=$LAB/roots/{root},upperdir=$RUN/cow/upper,workdir=$RUN/cow/work $ROOT
mount --rbind /dev /srv/root/dev; mount -t proc proc /srv/root/proc; mount -t sysfs sys /srv/root/sys
mkdir -p /srv/root{recipe.cwd}; mount --bind . /srv/root{recipe.cwd}
cp /etc/resolv.conf /etc/hosts /srv/root/etc/
mount --bind $RUN/roottmp /srv/root/tmp
type in_root > /dev/null 2>&1 && in_root
cat > $RUN/step.sh <<'END_OF_STEPS'
{script}
END_OF_STEPS
cp $RUN/step.sh $ROOT/.step.sh
exec env -u LAB -u RUN -u TOOLS -u ROOT chroot /srv/root /bin/bash /.step.sh
"""


def dockerfile(recipe: Recipe) -> str:
    """Return the Dockerfile of a recipe: its own, or one made of its steps."""
    if recipe.dockerfile:
        return recipe.dockerfile
    lines = [f"FROM {recipe.image}", "WORKDIR /app", "COPY . ."]
    for step in recipe.steps:
        flat = " && \\\n    ".join(line for line in step.strip().splitlines() if line)
        lines.append(f"RUN {flat}")
    return "\n".join(lines) + "\n"


def _builder(command: str) -> Callable[[Recipe], str]:
    def render(recipe: Recipe) -> str:
        text = dockerfile(recipe)
        pull = "" if "--pull" in recipe.build_args else "--pull-never"
        call = command.replace("ARGS", recipe.build_args).replace("PULL", pull)
        return f"cat > Dockerfile <<'END_OF_DOCKERFILE'\n{text}END_OF_DOCKERFILE\nsed -i s/@PORT@/$PORT/g Dockerfile\n{call}\n"

    return render


WRAPPERS: Mapping[str, Callable[[Recipe], str]] = MappingProxyType(
    {
        "sh": _plain,
        "xtrace": _xtrace,
        "gitlab": _evaluated(_GITLAB),
        "github": _evaluated(_GITHUB),
        "jenkins": _evaluated(_JENKINS),
        "travis": _evaluated(_TRAVIS),
        "azure": _evaluated(_AZURE),
        "make": _make,
        "chroot": _chroot,
        "docker": _builder("DOCKER_BUILDKIT=0 /usr/bin/docker build --no-cache --network host ARGS -t acme/app ."),
        "buildkit": _builder("DOCKER_BUILDKIT=1 /usr/bin/docker build --no-cache --progress plain --network host ARGS -t acme/app ."),
        "buildx": _builder("DOCKER_HOST=$DOCKER26 $LAB/bin/docker26 build --no-cache --progress plain --network host ARGS -t acme/app ."),
        "buildah": _builder("buildah --root $LAB/buildah --runroot $LAB/buildah-run --storage-driver overlay bud --isolation chroot --network host PULL ARGS -t acme/app ."),
    }
)


def script(recipe: Recipe) -> str:
    """Return the bash script that runs a recipe in its wrapper."""
    try:
        render = WRAPPERS[recipe.wrapper]
    except KeyError:
        raise RecipeError(f"{recipe.name}: no wrapper {recipe.wrapper!r} (one of {', '.join(WRAPPERS)})") from None
    return render(recipe)


def accepted(recipe: Recipe) -> frozenset[int]:
    """Return the exit statuses that the wrapper may end with."""
    own = {recipe.exit} if isinstance(recipe.exit, int) else set(recipe.exit)
    if own == {0}:
        return frozenset(own)
    if recipe.wrapper in {"sh", "xtrace"}:
        return frozenset(own)
    if recipe.wrapper == "make":
        return frozenset({2})
    return frozenset(own | {1}) if recipe.wrapper in BUILDERS else frozenset({1})
