"""Python requirements that conflict, as pip old and new, uv, Poetry, pipenv, pip-tools and PDM say it."""

from __future__ import annotations

from collections.abc import Iterator

from ..lab import LAB
from ..model import Recipe, spread

CAUSE = "python-dependency-conflict"
NEW = r"ResolutionImpossible|conflicting dependencies|Cannot install"
# Pairs that real projects pinned, and what the second one breaks in the first.
PAIRS = (
    ("requests==2.19.1", "urllib3==2.2.1"),
    ("flask==3.0.3", "werkzeug==2.0.0"),
    ("black==24.4.2", "click==7.1.2"),
    ("pytest==8.3.3", "pluggy==0.13.1"),
    ("sphinx==7.3.7", "docutils==0.16"),
    ("httpx==0.27.0", "httpcore==0.16.3"),
    ("fastapi==0.110.0", "starlette==0.27.0"),
    ("django==4.2.11", "asgiref==3.2.10"),
    ("pydantic==2.7.1", "typing-extensions==4.0.0"),
    ("celery==5.4.0", "kombu==5.2.4"),
    ("jsonschema==4.21.1", "attrs==19.3.0"),
    ("jinja2==3.1.4", "markupsafe==1.1.1"),
)
# Poetry asks the index for JSON that a plain mirror does not have; a source of its own makes it read the simple pages.
POETRY_SOURCE = """url=$(python3 -c 'from pip._internal.models.index import PyPI; print(PyPI.simple_url)')
printf '\\n[[tool.poetry.source]]\\nname = "mirror"\\nurl = "%s/"\\npriority = "primary"\\n' "$url" >> pyproject.toml
"""
CONTEXT = ("colorama==0.4.6", "idna==3.7", "six==1.16.0", "toml==0.10.2")


def _requirements(pair: tuple[str, ...]) -> str:
    return "\n".join(("# application", *pair, "# helpers", *CONTEXT)) + "\n"


def tool(name: str) -> str:
    """Return where a tool's own environment keeps its programs."""
    return f"/srv/lab/tools/{name}/bin"


def _pip() -> Iterator[Recipe]:
    wrappers = ("gitlab", "github", "make", "jenkins", "travis", "azure", "github+tty", "xtrace")
    for index, pair in enumerate(PAIRS):
        name = pair[0].split("==")[0]
        recipe = Recipe(
            name=f"conflict-pip-{name}", cause=CAUSE, tool="pip", family="pip-conflict", version="!python3 -m pip --version",
            files={"requirements.txt": _requirements(pair)}, signature=NEW, key=r"^ERROR: (Cannot install|ResolutionImpossible)",
            steps=("python -m venv .venv", ".venv/bin/pip install wheel", ".venv/bin/pip install -r requirements.txt"),
        )  # fmt: skip
        yield from spread(recipe, (wrappers[index % 8],))
    for wrapper, pair in zip(("docker", "buildkit", "buildx", "buildah", "chroot"), PAIRS, strict=False):
        yield Recipe(
            name=f"conflict-pip-image-{wrapper}", cause=CAUSE, tool="pip", family="pip-conflict-image", version="pip --version", image="python:3.11-slim",
            files={"requirements.txt": _requirements(pair)}, steps=("python --version && pip --version", "pip install --no-cache-dir -r requirements.txt"),
            signature=NEW, key=r"ERROR: (Cannot install|ResolutionImpossible)", wrapper=wrapper,
        )  # fmt: skip
    for pip, pair in (("20.3.4", PAIRS[0]), ("21.3.1", PAIRS[7]), ("22.3.1", PAIRS[2]), ("24.2", PAIRS[1]), ("25.1", PAIRS[3])):
        recipe = Recipe(
            name=f"conflict-pip{pip.split('.')[0]}", cause=CAUSE, tool="pip", family=f"pip{pip.split('.')[0]}-conflict", version=f"!echo pip {pip}",
            files={"requirements.txt": _requirements(pair)}, signature=NEW, key=r"^ERROR: (Cannot install|ResolutionImpossible)",
            steps=("python -m venv .venv", f".venv/bin/python -m pip install pip=={pip} 'setuptools<70'", ".venv/bin/pip install -r requirements.txt"),
        )  # fmt: skip
        yield from spread(recipe, ("gitlab", "github"))
    constraints = Recipe(
        name="conflict-constraints", cause=CAUSE, tool="pip", family="pip-constraints", version="!python3 -m pip --version",
        files={"constraints.txt": "urllib3==1.26.5\nidna==2.10\ncertifi==2021.5.30\n", "requirements.txt": "requests==2.32.3\nidna==3.7\n"},
        steps=("python -m venv .venv", ".venv/bin/pip install -r requirements.txt -c constraints.txt"), signature=NEW, key=r"^ERROR: (Cannot install|ResolutionImpossible)",
    )  # fmt: skip
    yield from spread(constraints, ("gitlab", "jenkins"))
    for wrapper, pair in (("github", PAIRS[0]), ("gitlab", PAIRS[1]), ("make", PAIRS[3])):
        yield Recipe(
            name=f"conflict-check-{wrapper}", cause=CAUSE, tool="pip", family="pip-check-conflict", version="!python3 -m pip --version", wrapper=wrapper,
            steps=("python -m venv .venv", f".venv/bin/pip install {pair[0]}", f".venv/bin/pip install {pair[1]}", ".venv/bin/pip check"),
            signature="dependency resolver does not currently take into account", key=r"has requirement .*, but you have|dependency resolver does not", last=True,
        )  # fmt: skip


def _others() -> Iterator[Recipe]:
    for index, pair in enumerate(PAIRS[:4]):
        uv = Recipe(
            name=f"conflict-uv-{index}", cause=CAUSE, tool="uv", family="uv-conflict", version="!/srv/lab/tools/uv/bin/uv --version", needs=(f"{LAB}/tools/uv/bin/uv",),
            env={"UV_CACHE_DIR": "/srv/lab/cache/uv", "UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}, files={"requirements.in": _requirements(pair), "requirements.txt": _requirements(pair)},
            steps=(f"{tool('uv')}/uv --version", f"{tool('uv')}/uv venv", f"{tool('uv')}/uv pip install -r requirements.txt" if index % 2 else f"{tool('uv')}/uv pip compile requirements.in -o requirements.lock"),
            signature="No solution found when resolving dependencies",
        )  # fmt: skip
        yield from spread(uv, (("gitlab", "github"), ("make", "github+tty"), ("azure",), ("travis",))[index])
    project = "[project]\nname = 'app'\nversion = '1.4.2'\nrequires-python = '>=3.9'\ndependencies = ['requests==2.19.1', 'urllib3>=2.0', 'idna']\n[project.optional-dependencies]\nweb = ['flask==3.0.3']\n"
    lock = Recipe(
        name="conflict-uv-lock", cause=CAUSE, tool="uv", family="uv-lock-conflict", version="!/srv/lab/tools/uv/bin/uv --version", needs=(f"{LAB}/tools/uv/bin/uv",), env={"UV_CACHE_DIR": "/srv/lab/cache/uv", "UV_NATIVE_TLS": "1", "UV_SYSTEM_CERTS": "1"},
        files={"pyproject.toml": project}, steps=(f"{tool('uv')}/uv lock",), signature="No solution found when resolving dependencies",
    )  # fmt: skip
    yield from spread(lock, ("gitlab", "jenkins"))
    for index, pair in enumerate((PAIRS[0], PAIRS[1], PAIRS[2], PAIRS[3])):
        poetry = Recipe(
            name=f"conflict-poetry-{index}", cause=CAUSE, tool="poetry", family="poetry-conflict", version="!/srv/lab/tools/poetry/bin/poetry --version", needs=(f"{LAB}/tools/poetry/bin/poetry",),
            files={"pyproject.toml": "[tool.poetry]\nname = 'app'\nversion = '1.4.2'\ndescription = ''\nauthors = []\npackage-mode = false\n\n[tool.poetry.dependencies]\npython = '^3.10'\n" + "".join(f"{p.split('==')[0]} = '{p.split('==')[1]}'\n" for p in pair) + "\n[build-system]\nrequires = ['poetry-core']\nbuild-backend = 'poetry.core.masonry.api'\n"},
            setup=POETRY_SOURCE, steps=(f"{tool('poetry')}/poetry --version", f"{tool('poetry')}/poetry lock --no-interaction"), signature="version solving failed", key="version solving failed|depends on|requires", env={"POETRY_VIRTUALENVS_IN_PROJECT": "true", "POETRY_CACHE_DIR": "/srv/lab/cache/poetry"},
        )  # fmt: skip
        yield from spread(poetry, (("gitlab", "github+tty"), ("make",), ("jenkins",), ("azure",))[index])
    for index, pair in enumerate((PAIRS[0], PAIRS[3])):
        compile_ = Recipe(
            name=f"conflict-piptools-{index}", cause=CAUSE, tool="pip-tools", family="pip-tools-conflict", version="!/srv/lab/tools/pip-tools/bin/pip-compile --version", needs=(f"{LAB}/tools/pip-tools/bin/pip-compile",),
            files={"requirements.in": "\n".join(pair) + "\nidna\n"}, steps=(f"{tool('pip-tools')}/pip-compile -v requirements.in",), signature=NEW + "|Could not find a version|DistributionNotFound|ResolutionImpossible", exit=(1, 2),
            key="Cannot install|conflict|ResolutionImpossible",
        )  # fmt: skip
        yield from spread(compile_, ("gitlab", "github") if index == 0 else ("travis",))
    pipenv = Recipe(
        name="conflict-pipenv", cause=CAUSE, tool="pipenv", family="pipenv-conflict", version="!/srv/lab/tools/pipenv/bin/pipenv --version", needs=(f"{LAB}/tools/pipenv/bin/pipenv",),
        files={"Pipfile": "[packages]\nrequests = '==2.19.1'\nurllib3 = '==2.2.1'\n\n[requires]\npython_version = '3.11'\n"}, steps=(f"{tool('pipenv')}/pipenv lock",), signature=r"ResolutionFailure|ResolutionImpossible|conflict|Cannot install", key="Cannot install|conflicting|ResolutionFailure",
        env={"PIPENV_VENV_IN_PROJECT": "1", "PIPENV_YES": "1"},
    )  # fmt: skip
    yield from spread(pipenv, ("gitlab", "github"))
    tox = Recipe(
        name="conflict-tox", cause=CAUSE, tool="tox", family="tox-conflict", version="!cd / && /srv/lab/tools/tox/bin/tox --version | sed s/.from.*//", needs=(f"{LAB}/tools/tox/bin/tox",),
        files={"tox.ini": "[tox]\nskipsdist = true\nenvlist = lint,py311\n[testenv:lint]\ndeps = pyflakes\ncommands = python -m pyflakes app.py\n[testenv]\ndeps =\n    requests==2.19.1\n    urllib3==2.2.1\ncommands = python app.py\n", "app.py": "print('ok')\n"},
        steps=(f"{tool('tox')}/tox --version", f"{tool('tox')}/tox"), signature=NEW, key=r"ERROR: (Cannot install|ResolutionImpossible)",
    )  # fmt: skip
    yield from spread(tox, ("gitlab", "github+tty", "jenkins"))


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    yield from _pip()
    yield from _others()
