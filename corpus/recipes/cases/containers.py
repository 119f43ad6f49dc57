"""Container builds that fail before or around the build's own commands."""

from __future__ import annotations

from collections.abc import Iterator

from ..blocks import APT_SMALL, c_project
from ..model import Recipe, spread

FOUR = ("docker", "buildkit", "buildx", "buildah")
BASE = "FROM debian:bookworm-slim\n"
APT = f"RUN {APT_SMALL.replace(chr(10), ' && ')}\n"
SERVE = "export PORT=$((20000 + RANDOM % 9000)); python3 $TOOLS/registry.py $PORT {mode} > $RUN/registry.log 2>&1 &\nPORT=$PORT; for i in $(seq 60); do (echo > /dev/tcp/127.0.0.1/$PORT) 2>/dev/null && break; sleep 0.1; done\nexport PORT\n"


def _case(name: str, cause: str, dockerfile: str, signature: str, wrappers: tuple[str, ...], **more: object) -> Iterator[Recipe]:
    options: dict[str, object] = {"exit": (1, 125, 127, 126, 2), "files": {**c_project(modules=4), "README.md": "# app\n"}, "family": f"{cause}-{name.split('-', maxsplit=1)[0]}", "timeout": 90, **more}
    for recipe in spread(Recipe(name=name, cause=cause, tool="docker", steps=(), dockerfile=dockerfile, signature=signature, **options), wrappers):  # type: ignore[arg-type]
        yield Recipe(
            **{
                **recipe.__dict__,
                "tool": "docker" if recipe.wrapper in {"docker", "buildkit"} else recipe.wrapper,
                "version": {"buildah": "!buildah --version", "buildx": "!echo docker-buildx 0.13, Docker 26.1"}.get(recipe.wrapper, "!/usr/bin/docker --version"),
            }
        )


def _files() -> Iterator[Recipe]:
    copy = r"COPY failed|ADD failed|failed to compute cache key|not found|no such file or directory|no source files|copier: stat|no items matching glob"
    yield from _case(
        "copy-file",
        "copy-source-missing",
        BASE + APT + "WORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\n",
        copy,
        FOUR,
        key=r"COPY failed|failed to (compute|calculate)|no such file|not found: not found|no items matching",
    )
    yield from _case(
        "copy-folder",
        "copy-source-missing",
        BASE + "WORKDIR /app\nCOPY src/ src/\nCOPY build/dist/ /srv/www/\nRUN ls -lR /srv\n",
        copy,
        ("docker", "buildx", "buildah"),
        key=r"COPY failed|failed to (compute|calculate)|no such file|no items matching",
    )
    yield from _case(
        "copy-ignored",
        "copy-source-missing",
        BASE + APT + "WORKDIR /app\nCOPY Makefile .\nCOPY src/main.c src/\nRUN make\n",
        copy,
        ("docker", "buildkit", "buildx"),
        files={**c_project(modules=4), ".dockerignore": "src\n*.md\n"},
        key=r"COPY failed|failed to (compute|calculate)|excluded by|no such file",
    )
    yield from _case(
        "copy-stage",
        "copy-source-missing",
        "FROM gcc:12 AS build\nWORKDIR /app\nCOPY . .\nRUN make\nFROM debian:bookworm-slim\nCOPY --from=build /app/dist/app /usr/local/bin/app\n",
        copy,
        FOUR,
        key=r"COPY failed|failed to (compute|calculate)|no such file|no items matching",
    )
    yield from _case("add-archive", "copy-source-missing", BASE + "WORKDIR /app\nADD release.tar.gz /opt/\nRUN ls /opt\n", copy, ("docker", "buildx"), key=r"ADD failed|failed to (compute|calculate)|no such file")
    yield from _case(
        "copy-parent",
        "copy-source-missing",
        BASE + "WORKDIR /app\nCOPY ../shared/lib ./lib\n",
        copy + "|Forbidden path|outside the build context",
        ("docker", "buildx", "buildah"),
        key=r"Forbidden path|failed to (compute|calculate)|COPY failed|no such file|no items",
    )
    stage = r"invalid from flag value|pull access denied|target stage|could not be found|no such image|failed to (find|resolve)|not (found|resolve)|No such image|does not exist|short-name|no stage|failed to reach"
    key = r"invalid from flag value|pull access denied|could not be found|insufficient_scope|failed to (solve|do request)|no such|does not exist|looking up|not found|unable to|no stage or image|failed to reach"
    yield from _case("stage-from", "build-stage-missing", "FROM gcc:12 AS build\nWORKDIR /app\nCOPY . .\nRUN make\nFROM debian:bookworm-slim\nCOPY --from=builder /app/build/app /usr/local/bin/app\n", stage, ("buildah",), key=key)
    for target, wrapper in (("prod", "docker"), ("production", "buildkit"), ("release", "buildx"), ("runtime", "buildah"), ("test", "buildx")):
        yield from _case(
            f"stage-target-{target}",
            "build-stage-missing",
            "FROM gcc:12 AS build\nWORKDIR /app\nCOPY . .\nRUN make\nFROM debian:bookworm-slim AS final\nCOPY --from=build /app/build/app /app\n",
            stage,
            (wrapper,),
            build_args=f"--target {target}",
            key=key,
        )


def _syntax() -> Iterator[Recipe]:
    parse = r"(?i)dockerfile parse error|unknown instruction|parse error|missing -|no build stage|Unknown flag|file with no instructions|requires (at least|exactly)|syntax error|must have two arguments"
    for index, body in enumerate(("RUM apt-get update\nCOPY . .\n", "WORKDIR /app\nCOPY . .\nRUN make\n  && make install\nCMD\tbash\ninstall -y curl\n", "ENV PORT\nRUN ls\n", "COPY --chwon=app . /app\nRUN ls\n", "EXPOSE\nRUN ls\n")):
        yield from _case(f"syntax-{index}", "dockerfile-syntax", BASE + body, parse, (FOUR, ("docker", "buildx"), ("docker", "buildkit", "buildx"), ("docker", "buildx"), ("buildkit",))[index])
    yield from _case("syntax-json", "dockerfile-syntax", BASE + "HEALTHCHECK --interval=abc CMD true\nRUN ls\n", parse + "|invalid duration", ("docker", "buildx"))
    need = r"requires BuildKit|unknown flag: mount|Unknown flag"
    yield from _case("mount-cache", "buildkit-required", BASE + "RUN --mount=type=cache,target=/var/cache/apt apt-get update\n", need, ("docker",))
    yield from _case("mount-secret", "buildkit-required", BASE + APT + "WORKDIR /app\nCOPY . .\nRUN --mount=type=secret,id=token cat /run/secrets/token\n", need, ("docker",))
    yield from _case("copy-chmod", "buildkit-required", BASE + "COPY --chmod=755 README.md /\n", need, ("docker",))
    yield from _case("copy-link", "buildkit-required", "FROM gcc:12 AS build\nCOPY . .\nRUN make\nFROM debian:bookworm-slim\nCOPY --link --from=build /build/app /app\n", need + "|unknown flag", ("docker",))
    yield from _case("heredoc", "buildkit-required", BASE + "RUN --network=none true\nCOPY . .\n", need + "|unknown flag", ("docker",))
    yield from _case("add-chmod", "buildkit-required", BASE + APT + "ADD --chmod=0644 README.md /srv/\n", need, ("docker",))
    reference = r"invalid reference format|invalid argument .* for .?-t|failed to parse stage name|base name .* should not be blank|invalid tag"
    for index, image in enumerate(("Debian:bookworm-slim", "debian:", "debian:bookworm_slim:latest", "acme//base:1.0")):
        yield from _case(f"reference-{index}", "image-reference-invalid", f"FROM {image}\nRUN ls\n", reference, (("docker", "buildx"), ("buildkit",), ("docker", "buildah"), ("buildx",))[index])
    yield from _case("reference-tag", "image-reference-invalid", BASE + "RUN ls\n", reference, ("docker", "buildx"), build_args="-t registry.example.org/Acme/App:1.4")
    yield from _case("reference-empty", "image-reference-invalid", BASE + "RUN ls\n", reference, ("docker", "buildkit", "buildx"), build_args="-t registry.example.org/acme/app:")
    argument = r"should not be blank|parameter (not set|null or not set)|base name|must be set|required|unbound"
    yield from _case("arg-from", "build-argument-missing", "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nRUN ls\n", argument, ("docker", "buildkit", "buildx"))
    yield from _case("arg-parameter", "build-argument-missing", BASE + 'ARG APP_VERSION\nRUN set -eu; echo "building ${APP_VERSION:?must be set, use --build-arg}"\n', argument, ("docker", "buildx", "buildah"))
    yield from _case("arg-nounset", "build-argument-missing", BASE + APT + 'RUN set -eu && unset MIRROR && echo "fetch from $MIRROR"\n', argument, ("docker", "buildkit"))


def _registry() -> Iterator[Recipe]:
    dockerfile = "FROM 127.0.0.1:@PORT@/acme/base:9\nWORKDIR /app\nCOPY . .\nRUN make\n"
    multi = "FROM gcc:12 AS build\nWORKDIR /app\nCOPY . .\nRUN make\n" + dockerfile.replace("RUN make", "COPY --from=build /app/build/app .")
    for mode, cause, words in (
        ("missing", "image-not-found", r"manifest unknown|manifest for .* not found|not found"),
        ("noname", "image-not-found", r"(?i)name unknown|not known to registry|not found|does not exist"),
        ("basic", "registry-auth", r"(?i)no basic auth credentials|unauthorized|authentication required|authorization failed|authorization required"),
        ("bearer", "registry-auth", r"(?i)unauthorized|access denied|denied|authorization|requested access"),
        ("denied", "registry-auth", r"(?i)denied|forbidden"),
        ("rate", "registry-rate-limit", r"toomanyrequests|429|Too Many Requests"),
        ("corrupt", "layer-corrupt", r"verification failed|invalid|corrupt|unexpected commit digest|failed precondition|flate|rootfs|did not match|mismatch"),
        ("cut", "layer-corrupt", r"unexpected EOF|EOF|failed to copy"),
        ("noblob", "layer-corrupt", r"blob unknown|not found|unknown blob"),
        ("arm", "no-matching-platform", r"no matching manifest|no match for platform|no image found|does not match the"),
        ("error", "http-server-error", r"503|service unavailable"),
        ("broken", "http-server-error", r"500|unknown error"),
    ):
        for index, wrapper in enumerate(("docker", "buildkit", "buildah")):  # buildx wants TLS of a registry
            if wrapper == "buildkit" and mode in {"corrupt", "cut", "noblob"}:
                continue  # 20.10 waits for ever
            extra = "--tls-verify=false --pull" if wrapper == "buildah" else ""
            text = dockerfile if index % 2 else multi
            yield from _case(f"registry-{mode}", cause, text, words, (wrapper,), setup=SERVE.format(mode=mode), build_args=extra, timeout=150, forbid="first record does not look")
    pull = "/usr/bin/docker pull localhost:$PORT/acme/base:9"
    for mode, cause, words in (
        ("missing", "image-not-found", "manifest unknown"),
        ("rate", "registry-rate-limit", "toomanyrequests|Too Many"),
        ("basic", "registry-auth", "no basic auth"),
        ("arm", "no-matching-platform", "no matching manifest"),
        ("corrupt", "layer-corrupt", "verification failed"),
        ("denied", "registry-auth", "denied|forbidden"),
    ):
        yield from spread(
            Recipe(
                name=f"pull-{mode}",
                cause=cause,
                tool="docker",
                family=f"{cause}-pull",
                steps=("/usr/bin/docker version --format '{{.Server.Version}}'", pull),
                signature=words,
                setup=SERVE.format(mode=mode),
                exit=(1, 125),
                version="!/usr/bin/docker --version",
                timeout=150,
            ),
            ("gitlab", "github", "make") if mode != "corrupt" else ("jenkins", "github"),
        )


def _running() -> Iterator[Recipe]:
    daemon = r"Cannot connect to the Docker daemon|dial unix|docker daemon|Couldn't connect to Docker|permission denied while trying"
    for wrapper, step in (
        ("gitlab", "/usr/bin/docker build -t acme/app ."),
        ("github", "/usr/bin/docker info"),
        ("jenkins", "/usr/bin/docker pull debian:bookworm"),
        ("travis", "docker build -t acme/app ."),
        ("azure", "/usr/bin/docker run --rm hello-world"),
        ("make", "/usr/bin/docker ps -a"),
    ):
        yield from spread(
            Recipe(
                name="daemon-gone",
                cause="docker-daemon-unavailable",
                tool="docker",
                steps=("/usr/bin/docker --version", step),
                signature=daemon,
                setup="umount /var/run/docker.sock; export DOCKER_HOST=unix:///var/run/docker2.sock" if wrapper != "gitlab" else "export DOCKER_HOST=tcp://docker:2375; echo '127.0.0.1 docker' >> /etc/hosts",
                exit=(1, 125),
                files={"Dockerfile": BASE},
                version="!/usr/bin/docker --version",
            ),
            (wrapper,),
        )
    yield from spread(
        Recipe(
            name="daemon-permission",
            cause="docker-daemon-unavailable",
            tool="docker",
            family="docker-daemon-permission",
            steps=("id", "setpriv --reuid 1000 --regid 1000 --clear-groups /usr/bin/docker build -t acme/app ."),
            signature="permission denied",
            exit=(1, 125),
            files={"Dockerfile": BASE},
            version="!/usr/bin/docker --version",
            setup="chmod 755 . $HOME",
        ),
        ("gitlab", "github"),
    )
    start = r"OCI runtime create failed|executable file not found|no such file or directory|permission denied|exec: "
    for index, (body, command) in enumerate(
        (
            ('ENTRYPOINT ["/app/start.sh"]\n', ""),
            ('CMD ["gunicorn", "app:app"]\n', ""),
            ('COPY README.md /entry\nENTRYPOINT ["/entry"]\n', ""),
            ('WORKDIR /srv\nENTRYPOINT ["./server", "--port", "80"]\n', ""),
            ('CMD ["bash"]\n', "servr --help"),
        )
    ):
        steps = ("/usr/bin/docker build --network host -t acme/start .", f"/usr/bin/docker run --rm --network host acme/start {command}")
        yield from spread(
            Recipe(
                name=f"entry-{index}",
                cause="entrypoint-failed",
                tool="docker",
                family="docker-entrypoint",
                steps=steps,
                signature=start,
                exit=(125, 126, 127),
                files={"Dockerfile": BASE + "RUN cat /etc/os-release | head -2\n" + body, "README.md": "# app\n"},
                version="!/usr/bin/docker --version",
            ),
            (("gitlab", "github"), ("jenkins",), ("azure", "make"), ("travis",), ("gitlab",))[index],
        )
    compose = {
        "property": "services:\n  web:\n    image: debian:bookworm-slim\n    prots:\n      - '80:80'\n",
        "volume": "version: '3.7'\nservices:\n  web:\n    image: debian:bookworm-slim\n    volumes:\n      - data:/srv\n",
        "depends": "version: '3.7'\nservices:\n  web:\n    image: debian:bookworm-slim\n    depends_on: [db]\n",
        "yaml": "services:\n  web:\n   image: debian\n  build: .\n    context: x\n",
        "type": "version: '3.7'\nservices:\n  web:\n    image: debian\n    ports: 80\n",
        "network": "version: '3.7'\nservices:\n  web:\n    image: debian\n    networks: [front]\n",
    }
    for index, (name, text) in enumerate(compose.items()):
        yield from spread(
            Recipe(
                name=f"compose-{name}",
                cause="compose-invalid",
                tool="docker-compose",
                steps=("docker-compose version --short", "docker-compose -f docker-compose.yml config -q", "docker-compose up -d"),
                signature=r"(?i)invalid|undefined|unsupported|mapping values|contains|yaml|is not|undeclared|depends on|no declaration",
                key=r"(?i)ERROR:|is invalid|undefined|mapping values|unsupported|Additional|no declaration",
                files={"docker-compose.yml": text},
                exit=(1, 15),
                version="!docker-compose --version",
                needs=("docker-compose",),
            ),
            (("gitlab", "github"), ("jenkins",), ("travis",), ("azure", "gitlab"), ("make",), ("xtrace",))[index],
        )


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    for group in (_files, _syntax, _registry, _running):
        yield from group()
