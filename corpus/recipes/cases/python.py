"""Python: packages, interpreters, wheels, locks, modules, syntax and a project's own metadata."""

from __future__ import annotations

from collections.abc import Iterator

from ..blocks import PIP_SMALL
from ..model import Recipe, spread
from .py_conflict import POETRY_SOURCE

UV = "/srv/lab/tools/uv/bin/uv"
POETRY = "/srv/lab/tools/poetry/bin/poetry"
PIPENV = "/srv/lab/tools/pipenv/bin/pipenv"
LINT = "/srv/lab/tools/lint/bin"
VENV = "python -m venv .venv"
SETUP = "[build-system]\nrequires = ['setuptools>=61', 'wheel']\nbuild-backend = 'setuptools.build_meta'\n"


def _case(name: str, cause: str, tool: str, steps: tuple[str, ...], signature: str, wrappers: tuple[str, ...], **more: object) -> Iterator[Recipe]:
    options: dict[str, object] = {
        "exit": (1, 2),
        "family": f"{tool}-{cause}",
        "version": {"uv": f"!{UV} --version", "poetry": f"!{POETRY} --version", "pipenv": f"!{PIPENV} --version"}.get(tool, "!python3 -m pip --version"),
        "env": {"UV_CACHE_DIR": "/srv/lab/cache/uv", "UV_NATIVE_TLS": "1", "UV_SYSTEM_CERTS": "1", "PIPENV_VENV_IN_PROJECT": "1"},
        **more,
    }
    yield from spread(Recipe(name=f"py-{name}", cause=cause, tool=tool, steps=steps, signature=signature, **options), wrappers)  # type: ignore[arg-type]


def _distributions() -> Iterator[Recipe]:
    nothing = r"No matching distribution found|Could not find a version that satisfies|No solution found|not found in the package registry|there is no version of"
    for index, want in enumerate(("torch==9.9.9", "requests==2.99.0", "django==1.99", "numpy==0.5", "acme-internal-client-lib==1.0", "tensorflow==1.15.0")):
        wrappers = (("gitlab", "docker"), ("github",), ("jenkins", "buildx"), ("travis",), ("make", "buildah"), ("azure",))[index]
        yield from _case(
            f"nodist-{want.split('=')[0]}",
            "python-no-matching-distribution",
            "pip",
            (VENV, f". .venv/bin/activate && pip install click==8.1.7 colorama==0.4.6 && pip install '{want}'"),
            nothing,
            wrappers,
            image="python:3.11-slim",
            key="No matching distribution",
        )
    yield from _case("nodist-uv", "python-no-matching-distribution", "uv", (f"{UV} venv", f"{UV} pip install 'flask==9.0' click==8.1.7"), nothing, ("gitlab", "github+tty"))
    for python, pip in (("3.7", "22.0.4"), ("3.8", "23.0.1"), ("3.6", "21.3.1")):
        interpreter = f"/root/.pyenv/versions/{ {'3.7': '3.7.16', '3.8': '3.8.18', '3.6': '3.6.15'}[python] }/bin/python"
        yield from _case(
            f"nodist-py{python}",
            "python-no-matching-distribution",
            "pip",
            (f"{interpreter} -m venv .venv", ".venv/bin/python --version && .venv/bin/pip --version", ".venv/bin/pip install 'numpy==1.26.4' 'click'"),
            r"Requires-Python|requires a different|No matching distribution found",
            ("gitlab", "github"),
            version=f"!echo pip {pip}, python {python}",
            needs=(interpreter,),
        )
    project = {"pyproject.toml": SETUP + "[project]\nname = 'app'\nversion = '1.4.2'\nrequires-python = '>=3.13'\ndependencies = ['click']\n", "app/__init__.py": ""}
    yield from _case("requires-python", "python-version-unsupported", "pip", (VENV, ".venv/bin/pip install ."), "requires a different Python", ("gitlab", "github", "jenkins"), files=project)
    yield from _case("requires-image", "python-version-unsupported", "pip", ("python --version", "pip install --no-cache-dir ."), "requires a different Python", ("docker", "buildx"), files=project, image="python:3.11-slim")
    yield from _case("requires-uv", "python-version-unsupported", "uv", (f"{UV} venv --python 3.11", f"{UV} pip install ."), r"does not satisfy|Requires-Python|requires-python|Python>=", ("travis", "gitlab"), files=project)
    poetry = {
        "pyproject.toml": "[tool.poetry]\nname = 'app'\nversion = '1.4.2'\ndescription = ''\nauthors = []\npackage-mode = false\n[tool.poetry.dependencies]\npython = '^3.9'\nnumpy = '2.2.0'\n[build-system]\nrequires = ['poetry-core']\nbuild-backend = 'poetry.core.masonry.api'\n"
    }
    yield from _case(
        "requires-poetry",
        "python-version-unsupported",
        "poetry",
        (f"{POETRY} lock",),
        r"requires Python|not all Python|supported Python",
        ("azure", "gitlab"),
        files=poetry,
        setup=POETRY_SOURCE,
        env={"POETRY_CACHE_DIR": "/srv/lab/cache/poetry"},
    )


def _builds() -> Iterator[Recipe]:
    failed = r"Failed building wheel|metadata-generation-failed|subprocess-exited-with-error|did not run successfully|build backend (returned|failed)|Failed to build"
    bodies = {
        "raise": "import sys\nfrom setuptools import setup\nif sys.version_info >= (3, 10):\n    raise RuntimeError('oldpkg 0.3 cannot be built from this source tree: the generated tables are missing')\nsetup(name='oldpkg', version='0.3')\n",
        "exit": "from setuptools import setup\nfrom setuptools.command.build_py import build_py\nclass Build(build_py):\n    def run(self):\n        print('generating the parser')\n        raise SystemExit('oldpkg: the grammar file is not part of this release')\nsetup(name='oldpkg', version='0.3', packages=['oldpkg'], cmdclass={'build_py': Build})\n",
        "use2to3": "from setuptools import setup\nsetup(name='oldpkg', version='0.3', packages=['oldpkg'], use_2to3=True)\n",
        "attribute": "from setuptools import setup\nimport configparser\nparser = configparser.SafeConfigParser2()\nsetup(name='oldpkg', version='0.3')\n",
    }
    for index, (name, text) in enumerate(bodies.items()):
        files = {"vendor/oldpkg/setup.py": text, "vendor/oldpkg/oldpkg/__init__.py": "", "requirements.txt": "click==8.1.7\n./vendor/oldpkg\ncolorama==0.4.6\n"}
        yield from _case(
            f"wheel-{name}",
            "python-build-failed",
            "pip",
            (VENV, ". .venv/bin/activate && pip install -r requirements.txt"),
            failed,
            (("gitlab", "docker"), ("github", "buildx"), ("jenkins",), ("travis", "make"))[index],
            files=files,
            image="python:3.11-slim",
            key=failed,
        )
    yield from _case("wheel-uv", "python-build-failed", "uv", (f"{UV} venv", f"{UV} pip install click ./vendor/oldpkg"), failed, ("gitlab", "azure"), files={"vendor/oldpkg/setup.py": bodies["raise"]})
    managed = r"externally-managed-environment"
    yield from _case(
        "managed",
        "python-externally-managed",
        "pip",
        ("apt-get update && apt-get install -y --no-install-recommends python3-pip", "pip install requests"),
        managed,
        ("chroot", "docker", "buildx", "buildah", "buildkit"),
        image="debian:bookworm-slim",
        exit=1,
        version="",
    )
    yield from _case(
        "managed-trixie",
        "python-externally-managed",
        "pip",
        ("apt-get update && apt-get install -y --no-install-recommends python3-pip", "pip3 install --upgrade pip"),
        managed,
        ("chroot", "buildx"),
        image="debian:trixie-slim",
        exit=1,
        version="",
    )
    yield from _case("managed-uv", "python-externally-managed", "uv", (f"{UV} pip install --system --python /usr/bin/python3 requests",), managed + "|externally managed", ("gitlab",), exit=(1, 2))
    rust = r"can't find Rust compiler|Rust toolchain|Cargo, the Rust package manager, is not installed|rustc"
    sdist = {
        "fast/pyproject.toml": "[build-system]\nrequires = ['setuptools<80', 'setuptools-rust==1.10.2']\nbuild-backend = 'setuptools.build_meta'\n[project]\nname = 'fast'\nversion = '0.2'\n",
        "fast/setup.py": "from setuptools import setup\nfrom setuptools_rust import RustExtension\nsetup(rust_extensions=[RustExtension('fast._fast')])\n",
        "fast/Cargo.toml": "[package]\nname = 'fast'\nversion = '0.2.0'\nedition = '2021'\n[lib]\ncrate-type = ['cdylib']\n",
        "fast/src/lib.rs": "",
        "fast/fast/__init__.py": "",
    }
    yield from _case("norust", "rust-missing", "pip", (VENV, ".venv/bin/pip install click==8.1.7 ./fast"), rust, ("chroot", "docker", "buildx", "buildah"), files=sdist, image="python:3.11-slim", version="pip --version")
    yield from _case(
        "norust-maturin",
        "rust-missing",
        "pip",
        ("pip install --no-cache-dir click ./fast",),
        rust,
        ("chroot", "buildkit"),
        files={**sdist, "fast/pyproject.toml": "[build-system]\nrequires = ['maturin==1.7.4']\nbuild-backend = 'maturin'\n[project]\nname = 'fast'\nversion = '0.2'\n"},
        image="python:3.11-slim",
        version="pip --version",
    )


def _projects() -> Iterator[Recipe]:
    missing = r"ModuleNotFoundError|No module named|cannot import name"
    for index, (name, steps, files) in enumerate((
        ("script", (PIP_SMALL, ".venv/bin/python manage.py check"), {"manage.py": "import os\nimport sys\n\nfrom django.core.management import execute_from_command_line\n\nexecute_from_command_line(sys.argv)\n"}),
        ("pytest", (VENV, ".venv/bin/pip install pytest==8.3.3", ".venv/bin/python -m pytest tests"), {"tests/test_api.py": "import httpx\nfrom app import api\n\n\ndef test_api():\n    assert api\n", "tests/test_ok.py": "def test_ok():\n    assert True\n"}),
        ("unittest", ("python -m unittest discover -v",), {"test_a.py": "import unittest\nimport yaml_tools\n\nclass T(unittest.TestCase):\n    def test(self): pass\n"}),
        ("conf", (f"{LINT}/sphinx-build -b html docs out",), {"docs/conf.py": "project = 'app'\nextensions = ['sphinx_rtd_theme']\n", "docs/index.rst": "App\n===\n"}),
        ("module", ("python -m build_tools.release",), {}),
    )):  # fmt: skip
        yield from _case(f"module-{name}", "python-module-missing", "python", steps, missing, (("gitlab", "github"), ("jenkins", "github+tty"), ("travis",), ("azure",), ("make", "xtrace"))[index], files=files, version="!python3 --version")
    yield from _case(
        "module-image",
        "python-module-missing",
        "python",
        ("pip install --no-cache-dir click==8.1.7", "python -c 'import flask; print(flask.__version__)'"),
        missing,
        ("docker", "buildx", "buildah"),
        image="python:3.11-slim",
        version="python --version",
    )
    wrong = "THESE PACKAGES DO NOT MATCH THE HASHES"
    hashed = {
        "requirements.txt": "click==8.1.7 \\\n    --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000\ncolorama==0.4.6 \\\n    --hash=sha256:4f1d9991f5acc0ca119f9d443620b77f9d6b33703e51011c16baf57afb285fc6\n"
    }
    yield from _case("hash", "python-hash-mismatch", "pip", (VENV, ".venv/bin/pip install --require-hashes -r requirements.txt"), wrong, ("gitlab", "github", "jenkins", "xtrace+tty"), files=hashed)
    yield from _case("hash-image", "python-hash-mismatch", "pip", ("pip install --no-cache-dir -r requirements.txt",), wrong, ("docker", "buildx"), files=hashed, image="python:3.11-slim", version="pip --version")
    yield from _case("hash-uv", "python-hash-mismatch", "uv", (f"{UV} venv", f"{UV} pip install --no-cache --require-hashes -r requirements.txt"), r"[Hh]ash mismatch", ("travis",), files=hashed)
    lock = r"uv.lock needs to be updated|changed significantly since poetry.lock|Pipfile.lock.*out of date|lockfile .* needs to be updated|needs to be updated|out of date"
    app = "[project]\nname = 'app'\nversion = '1.4.2'\nrequires-python = '>=3.9'\ndependencies = ['click==8.1.7']\n"
    yield from _case(
        "lock-uv",
        "python-lock-outdated",
        "uv",
        (f"{UV} --version", f"{UV} sync --locked"),
        lock,
        ("gitlab", "github", "make"),
        files={"pyproject.toml": app},
        setup=f"{UV} lock; sed -i \"s/\\['click==8.1.7'\\]/['click==8.1.7', 'idna==3.7']/\" pyproject.toml",
    )
    poetry = "[tool.poetry]\nname = 'app'\nversion = '1.4.2'\ndescription = ''\nauthors = []\npackage-mode = false\n[tool.poetry.dependencies]\npython = '^3.10'\nclick = '8.1.7'\n[build-system]\nrequires = ['poetry-core']\nbuild-backend = 'poetry.core.masonry.api'\n"
    yield from _case(
        "lock-poetry",
        "python-lock-outdated",
        "poetry",
        (f"{POETRY} --version", f"{POETRY} install --no-interaction"),
        lock,
        ("gitlab", "jenkins", "github+tty"),
        files={"pyproject.toml": poetry},
        setup=POETRY_SOURCE + f"{POETRY} lock; sed -i \"s/click = '8.1.7'/click = '8.1.7'\\nidna = '3.7'/\" pyproject.toml",
        env={"POETRY_CACHE_DIR": "/srv/lab/cache/poetry"},
    )
    yield from _case(
        "lock-pipenv",
        "python-lock-outdated",
        "pipenv",
        (f"{PIPENV} --version", f"{PIPENV} install --deploy"),
        lock,
        ("travis", "azure"),
        files={"Pipfile": "[packages]\nclick = '==8.1.7'\n"},
        setup=f"{PIPENV} lock; echo \"idna = '==3.7'\" >> Pipfile",
    )
    syntax = r"SyntaxError|IndentationError|TabError"
    bugs = {
        "fstring": "name = 'x'\nprint(f'{name!}')\n",
        "indent": "def f():\nreturn 1\n",
        "print": "print 'building release'\n",
        "paren": "values = [1, 2\nprint(values)\n",
        "match": "def f(x):\n    match x:\n        case 1: return 2\n  return 3\n",
    }
    for index, (name, text) in enumerate(bugs.items()):
        steps = (("python release.py",), ("python -m compileall -f .",), ("python -m pytest -q || python release.py",), ("python --version && python -m unittest release",), ("python release.py --version",))[index]
        yield from _case(
            f"syntax-{name}",
            "python-syntax-error",
            "python",
            steps,
            syntax,
            (("gitlab", "docker"), ("github", "jenkins"), ("travis",), ("azure", "make"), ("xtrace", "buildx"))[index],
            files={"release.py": "import os\nimport sys\n\n" + text, "lib/ok.py": "X = 1\n"},
            version="!python3 --version",
            image="python:3.11-slim",
        )
    old = "/root/.pyenv/versions/3.7.16/bin/python"
    yield from _case(
        "syntax-walrus",
        "python-syntax-error",
        "python",
        (f"{old} --version", f"{old} app.py"),
        syntax,
        ("gitlab",),
        files={"app.py": "def first(xs, /):\n    if (n := len(xs)) > 2:\n        return n\nprint(first([1]))\n"},
        version="!echo Python 3.7.16",
        needs=(old,),
    )


def _packaging() -> Iterator[Recipe]:
    bad = r"Multiple top-level packages|unable to detect version|Unable to determine which files to ship|invalid pyproject|does not appear to be a Python project|configuration error|Invalid TOML|TOMLDecodeError|must contain|missing fields|No such file or directory: 'README|Neither 'setup.py' nor|File .* cannot be found|InvalidVersion|invalid version"
    head = "[project]\nname = 'app'\nversion = '1.4.2'\n"
    layouts = {
        "flat": {"pyproject.toml": SETUP + head, "app/__init__.py": "", "data/a.py": "", "migrations/b.py": ""},
        "scm": {
            "pyproject.toml": "[build-system]\nrequires = ['setuptools>=61', 'setuptools-scm>=8']\nbuild-backend = 'setuptools.build_meta'\n[project]\nname = 'app'\ndynamic = ['version']\n[tool.setuptools_scm]\n",
            "app/__init__.py": "",
        },
        "hatch": {"pyproject.toml": "[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n" + head.replace("'app'", "'acme-app'"), "source/x.py": ""},
        "key": {"pyproject.toml": SETUP + head + "licence = 'MIT'\ndependencies = 'click'\n", "app/__init__.py": ""},
        "toml": {"pyproject.toml": SETUP + "[project]\nname = app\nversion = '1'\n"},
        "none": {"src/app.py": "x = 1\n", "README.md": "x\n"},
        "version": {"pyproject.toml": SETUP + "[project]\nname = 'app'\nversion = '1.4.x-dev'\n", "app/__init__.py": ""},
    }
    for index, (name, files) in enumerate(layouts.items()):
        yield from _case(
            f"packaging-{name}",
            "python-packaging-invalid",
            "pip",
            (VENV, ".venv/bin/pip install colorama==0.4.6 idna==3.7", ".venv/bin/pip install ."),
            bad,
            (("gitlab", "github"), ("jenkins", "buildx"), ("docker", "travis"), ("azure",), ("make",), ("gitlab",), ("github",))[index],
            files=files,
            image="python:3.11-slim",
            version="!python3 -m pip --version",
        )
    yield from _case("packaging-build", "python-packaging-invalid", "build", (f"{LINT}/python -m build --sdist --wheel .",), bad, ("gitlab", "azure"), files=layouts["flat"])
    drift = r"cannot import name|has no attribute|No module named 'pkg_resources'|dtype size changed|unexpected keyword argument|numpy\.core"
    for index, (pins, code) in enumerate(
        (
            ("flask==2.0.3 werkzeug==3.0.3", "from flask import Flask"),
            ("flask==1.1.4 jinja2==3.1.4 markupsafe==2.0.1", "import flask"),
            ("jinja2==2.11.3 markupsafe==2.1.5", "import jinja2"),
            ("flask==1.1.4 'werkzeug<2' 'jinja2<3' markupsafe==2.0.1 itsdangerous==2.2.0", "import flask"),
            ("nose==1.3.7", "import nose; nose.main()"),
            ("setuptools==82.0.1 pip-licenses==3.5.0", "import pkg_resources"),
        )
    ):
        yield from _case(
            f"drift-{index}",
            "dependency-drift",
            "pip",
            (VENV, f".venv/bin/pip install {pins}", f".venv/bin/python -c '{code}; print(\"ok\")'"),
            drift,
            (("gitlab", "buildx"), ("github",), ("jenkins", "docker"), ("travis",), ("azure",), ("make",))[index],
            image="python:3.11-slim",
            key=drift,
            version="!python3 -m pip --version",
        )


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    for group in (_distributions, _builds, _projects, _packaging):
        yield from group()
