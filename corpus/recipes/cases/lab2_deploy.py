"""Scans, secrets, infrastructure code and the configuration of CI services, checked by real tools."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..blocks import c_project
from ..model import Recipe
from ..projects import case, prefixed, python

PY, JS = "/srv/lab/tools/py/bin", "/srv/lab/tools/js"
USE_PY = f"export PATH={PY}:$PATH\n"
ADVISORIES = {
    "lodash": [
        {
            "id": 1106913,
            "url": "https://github.com/advisories/GHSA-35jh-r3h4-6jhm",
            "title": "Command Injection in lodash",
            "severity": "high",
            "vulnerable_versions": "<4.17.21",
            "cwe": ["CWE-94"],
            "cvss": {"score": 7.2, "vectorString": "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H"},
        }
    ],
    "minimist": [
        {
            "id": 1097678,
            "url": "https://github.com/advisories/GHSA-xvch-5gv4-984h",
            "title": "Prototype Pollution in minimist",
            "severity": "critical",
            "vulnerable_versions": "<0.2.4",
            "cwe": ["CWE-1321"],
            "cvss": {"score": 9.8, "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
        }
    ],
}
CLASSIC = {
    "actions": [],
    "muted": [],
    "metadata": {"vulnerabilities": {"info": 0, "low": 0, "moderate": 0, "high": 1, "critical": 1}, "dependencies": 4, "devDependencies": 0, "optionalDependencies": 0, "totalDependencies": 4},
    "advisories": {
        str(rows[0]["id"]): {
            **rows[0],
            "module_name": name,
            "access": "public",
            "patched_versions": ">=4.17.21" if name == "lodash" else ">=0.2.4",
            "overview": str(rows[0]["title"]),
            "recommendation": "Upgrade.",
            "references": "",
            "found_by": {"name": ""},
            "reported_by": {"name": ""},
            "created": "2021-02-15",
            "updated": "2023-09-01",
            "deleted": None,
            "cves": [],
            "github_advisory_id": str(rows[0]["url"])[-19:],
            "findings": [{"version": "4.17.11" if name == "lodash" else "0.0.8", "paths": [name]}],
        }
        for name, rows in ADVISORIES.items()
    },
}
SERVER = f"""cat > $RUN/audit.py <<'END'
import gzip, http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get('content-length', 0)))
        body = {json.dumps(json.dumps(ADVISORIES))} if 'bulk' in self.path else {json.dumps(json.dumps(CLASSIC))}
        self.send_response(200); self.send_header('content-type', 'application/json'); self.end_headers(); self.wfile.write(body.encode())
    def log_message(self, *a): pass
http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), H).serve_forever()
END
PORT=$((20000 + RANDOM % 9000)); python3 $RUN/audit.py $PORT & sleep 0.7
"""
LOCK = "npm install --package-lock-only --ignore-scripts > /dev/null 2>&1; echo registry=http://localhost:$PORT/ > .npmrc\n"


def _scans() -> Iterator[Recipe]:
    c = "security-scan-failed"
    package = {"package.json": '{"name": "shop", "version": "1.4.2", "private": true, "dependencies": {"lodash": "4.17.11", "minimist": "0.0.8", "ms": "2.1.3"}}\n'}
    yield from case(
        "npm-audit",
        c,
        "npm",
        ("npm --version", "npm install", "npm audit --audit-level=high"),
        r"\d+ vulnerabilities",
        ("gitlab", "github", "jenkins"),
        files=package,
        setup=SERVER + LOCK.replace("echo reg", "npm ci --ignore-scripts > /dev/null 2>&1; echo reg"),
        version="!npm --version",
        key=r"^Severity: (high|critical)",
        last=True,
    )
    pnpm = SERVER + f"export PATH={JS}/pnpm/node_modules/.bin:$PATH\nnpm_config_store_dir=$LAB/cache/pnpm pnpm install --lockfile-only > /dev/null 2>&1; echo registry=http://localhost:$PORT/ > .npmrc\n"
    yield from case(
        "pnpm-audit", c, "pnpm", ("pnpm --version", "pnpm audit --audit-level moderate"), r"\d+ vulnerabilities found", ("travis", "azure"), files=package, setup=pnpm, version=f"!{JS}/pnpm/node_modules/.bin/pnpm --version", key=r"│ (critical|high) +│"
    )
    workflow = {
        ".github/workflows/ci.yml": 'on: pull_request_target\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n      - run: echo "${{ github.event.pull_request.title }}"\n      - run: make test\n',
        **c_project(),
    }
    yield from case(
        "zizmor",
        c,
        "zizmor",
        ("make", "zizmor --offline --no-progress .github/workflows"),
        r"\d+ findings?",
        ("gitlab", "github+tty"),
        files=workflow,
        setup=USE_PY,
        exit=(11, 12, 13, 14),
        version=f"!{PY}/zizmor --version",
        key=r"^(error|warning)\[",
    )
    leaky = {
        **python(()),
        "deploy/settings.py": "AWS_ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLX'\nAWS_SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEZ'\nDB = 'postgres://shop:hunter2hunter2@db.example.org/shop'\n",
        "deploy/id_rsa": "-----BEGIN RSA PRIVATE KEY-----\nMIIEexample\n-----END RSA PRIVATE KEY-----\n",
    }
    yield from case(
        "detect-secrets",
        c,
        "detect-secrets",
        ("python -m pytest -q", "detect-secrets --version", "detect-secrets-hook --no-verify $(find deploy shop -type f)"),
        r"Secret Type: |Potential secrets about to be committed",
        ("jenkins", "make"),
        files=leaky,
        setup=USE_PY,
        version=f"!{PY}/detect-secrets --version",
    )
    unsafe = {f"src/u{i}.c": "#include <stdio.h>\n#include <string.h>\n#include <stdlib.h>\nvoid f(char *in) {\n    char b[8];\n    strcpy(b, in);\n    gets(b);\n    system(b);\n    printf(b);\n}\n" for i in range(4)}
    yield from case(
        "flawfinder",
        c,
        "flawfinder",
        ("flawfinder --version", "flawfinder --error-level=4 src"),
        r"Hits = [1-9]\d*",
        ("xtrace", "gitlab"),
        files=unsafe,
        setup=USE_PY,
        version=f"!{PY}/flawfinder --version",
        needs=("/tmp/lab/tools/py/bin/flawfinder",),
        key=r"\[[45]\]|Hits",
    )


def _secrets() -> Iterator[Recipe]:
    c = "secret-missing"
    action = {
        "index.js": "const core = require('@actions/core');\ntry {\n  const token = core.getInput('token', { required: true });\n  core.info(token.length);\n} catch (error) {\n  core.setFailed(error.message);\n}\n",
        "package.json": '{"name": "release", "version": "1.0.0", "dependencies": {"@actions/core": "1.11.1"}}\n',
    }
    yield from case("actions-core", c, "actions", ("npm install --no-audit", "npm ls", "node index.js"), r"Input required and not supplied: token", ("github", "gitlab"), files=action, version="!node --version")
    needs = {
        "server.js": "const { cleanEnv, str, port } = require('envalid');\nconsole.log('starting the migration');\nconst env = cleanEnv(process.env, { DATABASE_URL: str(), STRIPE_SECRET_KEY: str({ desc: 'from the vault' }), PORT: port({ default: 3000 }) });\nconsole.log(env.PORT);\n",
        "package.json": '{"name": "api", "version": "1.0.0", "scripts": {"migrate": "node server.js"}, "dependencies": {"envalid": "8.0.0"}}\n',
    }
    yield from case(
        "envalid",
        c,
        "envalid",
        ("node --version", "npm install --no-audit", "npm run migrate"),
        r"Missing environment variables|STRIPE_SECRET_KEY",
        ("jenkins", "travis"),
        files=needs,
        version="!node --version",
        key="Missing environment|STRIPE_SECRET_KEY",
    )
    yield from case(
        "npm-publish",
        c,
        "npm",
        ("node --version", "npm pack", "npm publish"),
        r"ENEEDAUTH|need auth",
        ("azure", "gitlab"),
        files={"package.json": '{"name": "@acme/button", "version": "1.4.2", "publishConfig": {"registry": "https://npm.acme.example.org/"}}\n', "index.js": "module.exports = 1;\n"},
        version="!npm --version",
        key="ENEEDAUTH",
    )
    vault = {"site.yml": "- hosts: localhost\n  connection: local\n  gather_facts: no\n  vars_files: [vault.yml]\n  tasks:\n    - debug: msg=hello\n    - debug: msg={{ db_password }}\n"}
    yield from case(
        "ansible-vault",
        c,
        "ansible",
        ("ansible --version", "ansible-playbook -i localhost, site.yml"),
        r"no vault secrets found|Attempting to decrypt but no vault secrets",
        ("github", "make"),
        files=vault,
        setup="export LC_ALL=C.UTF-8; echo pw > $RUN/pw; printf 'db_password: x\\n' > vault.yml; ansible-vault encrypt --vault-password-file $RUN/pw vault.yml\n",
        exit=(1, 2, 4),
        version="!ansible --version",
        needs=("ansible-vault:ansible-core",),
    )
    tf = {"main.tf": 'variable "api_token" {\n  type      = string\n  sensitive = true\n}\n\nvariable "db_password" {\n  type = string\n}\n\nresource "terraform_data" "app" {\n  input = var.api_token\n}\n'}
    yield from case(
        "terraform-var",
        c,
        "terraform",
        ("terraform init -no-color", "terraform validate -no-color", "terraform plan -input=false -no-color"),
        r"No value for required variable",
        ("jenkins", "gitlab"),
        files=tf,
        version="!terraform version",
        needs=("terraform",),
        offline=True,
    )
    django = {
        **python((), style="unittest"),
        "manage.py": "import os\nimport sys\n\nos.environ['DJANGO_SETTINGS_MODULE'] = 'shop.settings'\nfrom django.core.management import execute_from_command_line\n\nexecute_from_command_line(sys.argv)\n",
        "shop/settings.py": "import os\n\nSECRET_KEY = os.environ.get('DJANGO_SECRET_KEY', '')\nDATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}\nINSTALLED_APPS = ['django.contrib.auth', 'django.contrib.contenttypes']\n",
    }
    yield from case("django-key", c, "django", ("python -m unittest -v", "python manage.py migrate", "python manage.py shell -c \"from django.core.signing import dumps; print(dumps({'build': 1}))\""), r"SECRET_KEY setting must not be empty", ("travis", "github"), files=django, setup=USE_PY, version=f"!{PY}/django-admin --version")


def _infrastructure() -> Iterator[Recipe]:
    c = "iac-invalid"
    stack = {
        "template.yml": "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  Bucket:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketNames: shop-assets\n      Versioning: true\n  Role:\n    Type: AWS::IAM::Rolle\n    Properties:\n      RoleName: !Ref Missing\nOutputs:\n  Url:\n    Value: !GetAtt Bucket.Address\n"
    }
    yield from case(
        "cfn-lint",
        c,
        "cfn-lint",
        ("cfn-lint --version", "cfn-lint -t template.yml"),
        r"^E\d{4} ",
        ("gitlab", "github"),
        files=stack,
        setup=USE_PY,
        exit=tuple(range(1, 32)),
        version=f"!{PY}/cfn-lint --version",
        needs=("/tmp/lab/tools/py/bin/cfn-lint",),
    )
    pod = {"deploy/app.yml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: shop\nspec:\n  replicas: two\n  template:\n    spec:\n      containers:\n        - name: app\n          image: 42\n          ports: http\n"}
    yield from case(
        "kubernetes-validate",
        c,
        "kubernetes-validate",
        ("ls deploy", "kubernetes-validate --strict deploy/app.yml"),
        r"ERROR|INFO  .*not valid|is not of type|is a required property",
        ("jenkins", "make"),
        files=pod,
        setup=USE_PY,
        version=f"!{PY}/kubernetes-validate --version",
        needs=("/tmp/lab/tools/py/bin/kubernetes-validate",),
    )
    overlay = {
        "base/kustomization.yaml": "resources: [app.yaml, service.yaml]\n",
        "base/app.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\n",
        "overlays/prod/kustomization.yaml": "resources: [../../base]\npatches:\n  - path: replicas.yaml\n",
    }
    yield from case("kustomize", c, "kustomize", ("kubectl version --client", "kubectl kustomize overlays/prod"), r"^error: |accumulating resources|must resolve to a file", ("travis", "azure"), files=overlay, version="!kubectl version --client", needs=("kubectl",))
    yield from case(
        "kustomize-field",
        c,
        "kustomize",
        ("kubectl kustomize base",),
        r"^error: |invalid Kustomization|unknown field",
        ("xtrace",),
        files={**overlay, "base/kustomization.yaml": "resources: [app.yaml]\nimage:\n  - name: shop\n    tag: 1.4.2\n"},
        version="!kubectl version --client",
        needs=("kubectl",),
        family="kustomize-field",
    )


def _configuration() -> Iterator[Recipe]:
    c = "ci-config-invalid"
    words = r"Schema validation errors were encountered|Failed to parse|is not valid under any|Additional properties are not allowed|Several files failed"
    schemas = {
        "github-workflows": (".github/workflows/ci.yml", "on: [push]\njobs:\n  build:\n    runs_on: ubuntu-latest\n    steps:\n      - use: actions/checkout@v4\n      - run: [make]\n"),
        "gitlab-ci": (".gitlab-ci.yml", "stages: build\nbuild:\n  stage: build\n  scripts:\n    - make\n  only: 3\n  artifacts:\n    expire: 1 day\n    paths: dist\n"),
        "circle-ci": (".circleci/config.yml", "version: 2.1\njobs:\n  build:\n    dockers:\n      - image: cimg/node:20.11\n    steps: checkout\nworkflows:\n  main:\n    jobs: build\n"),
        "travis": (".travis.yml", "language: [python, 3]\npython: {a: 1}\njobs:\n  includes: 3\nnotifications:\n  email: maybe\n"),
        "dependabot": (".github/dependabot.yml", "version: 3\nupdates:\n  - package-ecosystem: cargos\n    directory: /\n    schedule:\n      interval: hourly\n"),
    }
    wrappers = (("github", "jenkins"), ("gitlab", "make"), ("travis",), ("xtrace",), ("github",))
    for (name, (path, text)), places in zip(schemas.items(), wrappers, strict=True):
        yield from case(
            f"schema-{name}",
            c,
            "check-jsonschema",
            ("make -s && echo built", f"check-jsonschema --builtin-schema vendor.{name} {path}"),
            words,
            places,
            files={**c_project(), path: text},
            setup=USE_PY,
            version=f"!{PY}/check-jsonschema --version",
            family=f"schema-{name}",
            needs=("/tmp/lab/tools/py/bin/check-jsonschema",),
        )


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    yield from prefixed("deploy", _scans, _secrets, _infrastructure, _configuration)
