"""Deployment and policy: infrastructure code, workflow files, secrets, scans, time limits, RPM packages."""

from __future__ import annotations

from collections.abc import Iterator

from ..blocks import c_project
from ..model import Recipe, spread
from .network import LOCAL, SERVER

# A mirror that no longer has the release.
GONE = LOCAL.replace("mirror.example.org", "mirror.example.org vault.example.org") + SERVER.format(port=80, mode="404", files="")
LINT = "/srv/lab/tools/lint/bin"


def _case(name: str, cause: str, tool: str, steps: tuple[str, ...], signature: str, wrappers: tuple[str, ...], **more: object) -> Iterator[Recipe]:
    options: dict[str, object] = {"exit": (1, 2), "family": f"{tool}-{cause}", "version": f"!{tool} --version", **more}
    yield from spread(Recipe(name=name, cause=cause, tool=tool, steps=steps, signature=signature, **options), wrappers)  # type: ignore[arg-type]


def _infrastructure() -> Iterator[Recipe]:
    tf = r"Error: |Unsupported argument|Reference to undeclared|Invalid "
    for index, text in enumerate(
        (
            'output "x" {\n  valu = 1\n}\n',
            'output "x" {\n  value = var.region\n}\n',
            'variable "x" {\n  type = strin\n}\n',
            "locals {\n  a = [1, 2\n}\n",
            'module "net" {\n  source = "./modules/net"\n}\n',
            'output "x" {\n  value = local.name.first\n}\nlocals { name = missing_fn("a") }\n',
        )
    ):
        yield from _case(
            f"terraform-{index}",
            "iac-invalid",
            "terraform",
            ("terraform version", "terraform init -backend=false -no-color" if index % 2 else "terraform init -backend=false", "terraform validate"),
            tf,
            (("gitlab", "github+tty"), ("jenkins",), ("travis",), ("azure",), ("make",), ("gitlab",))[index],
            files={"main.tf": 'terraform {\n  required_version = ">= 1.0"\n}\n' + text, "vars.tf": 'variable "name" {\n  default = "acme"\n}\n'},
            needs=("terraform",),
            key="Error: ",
        )
    ansible = r"ERROR!|\[ERROR\]|Syntax Error|conflicting action|couldn't resolve module|did not find expected"
    for index, text in enumerate(
        ("- hosts: all\n  tasks:\n  - name: install\n    aptt:\n      name: nginx\n", "- hosts: all\n  tasks:\n   - name: x\n    command: ls\n", "- hosts: all\n  taskz:\n  - command: ls\n", "- hosts: all\n  roles: [web-frontend]\n")
    ):
        yield from _case(
            f"ansible-{index}",
            "iac-invalid",
            "ansible",
            ("ansible --version | head -1", "ansible-playbook -i localhost, -c local --syntax-check site.yml", "ansible-playbook -i localhost, -c local site.yml"),
            ansible,
            (("gitlab", "github"), ("jenkins",), ("travis",), ("azure",))[index],
            files={"site.yml": text},
            env={"LC_ALL": "C.UTF-8"},
            exit=(1, 2, 4),
            needs=("ansible-playbook:ansible-core",),
        )
    for index, text in enumerate(("apiVersion: v1\nkind: Pod\n metadata:\n  name: x\n", "apiVersion: v1\nkind: Service\nmetadata: [x\n")):
        yield from _case(
            f"kubectl-{index}",
            "iac-invalid",
            "kubectl",
            ("kubectl create --dry-run=client -o yaml -f deploy.yml",),
            r"error: |error converting YAML|error parsing",
            (("gitlab",), ("github",))[index],
            files={"deploy.yml": text},
            needs=("kubectl",),
            version="!kubectl version --client",
        )


def _secrets() -> Iterator[Recipe]:
    words = r"is not set|not supplied|required|must be set|Username and password|missing"
    scripts = {
        "test": "set -eu\n[ -n \"${DEPLOY_TOKEN:-}\" ] || { echo 'ERROR: environment variable DEPLOY_TOKEN is not set' >&2; exit 1; }\n",
        "param": "set -eu\necho 'Deploying to staging'\ncurl_auth=\"${API_KEY:?API_KEY is not set, add it to the project secrets}\"\n",
        "python": "set -e\npython3 - <<'E'\nimport os\nprint('connecting', flush=True)\nif not os.environ.get('DATABASE_URL'):\n    raise SystemExit('Error: DATABASE_URL must be set')\nE\n",
        "node": "set -e\nnode -e \"console.log('publish'); if (!process.env.NPM_TOKEN) throw new Error('Input required and not supplied: token')\"\n",
    }
    for index, (name, text) in enumerate(scripts.items()):
        yield from _case(f"secret-{name}", "secret-missing", "bash", ("make", "bash deploy.sh"), words, (("gitlab", "github"), ("jenkins", "azure"), ("travis",), ("make", "github"))[index], files={**c_project(modules=5), "deploy.sh": text})
    login = '/usr/bin/docker login -u "$REGISTRY_USER" --password-stdin registry.example.org < /dev/null'
    yield from _case(
        "secret-docker",
        "secret-missing",
        "docker",
        ("/usr/bin/docker --version", login),
        r"Username and password|Must provide|password is empty|non-TTY|must be non-empty|cannot perform",
        ("gitlab", "github"),
        version="!/usr/bin/docker --version",
    )


def _scans() -> Iterator[Recipe]:
    code = {
        "app/run.py": "import hashlib\nimport subprocess\nimport pickle\n\n\ndef run(cmd):\n    subprocess.call(cmd, shell=True)\n    exec(cmd)\n    return hashlib.md5(cmd.encode()).hexdigest(), pickle.loads(cmd)\n",
        "app/ok.py": "X = 1\n",
        "app/conf.py": "PASSWORD = 'hunter2'\nimport yaml\nyaml.load(open('x'))\n",
    }
    yield from _case(
        "scan-bandit",
        "security-scan-failed",
        "bandit",
        (f"{LINT}/bandit -r app",),
        r"Issue: |Total issues",
        ("gitlab", "github", "jenkins", "make", "github+tty"),
        files=code,
        version="!/srv/lab/tools/lint/bin/bandit --version",
        key="Issue: ",
    )
    wait = "timeout --verbose 2 python3 -c 'import time; print(\"waiting for the database\", flush=True); time.sleep(60)'"
    poll = "timeout --verbose 3 bash -c 'for i in 1 2 3 4 5 6; do echo still waiting for port 5432; sleep 1; done'"
    limits = (
        ("gitlab", "timeout --verbose 3 sleep 30"),
        ("github", "timeout --verbose -k 1 4 make -f loop.mk"),
        ("jenkins", wait),
        ("make", "timeout --verbose 3 node -e 'console.log(\"waiting\"); setTimeout(() => {}, 60000)'"),
        ("azure", poll),
    )
    for index, (wrapper, body) in enumerate(limits):
        yield from _case(f"limit-{index}", "job-timeout", "timeout", ("make", body), "sending signal TERM", (wrapper,), files={**c_project(modules=6), "loop.mk": "all:\n\t@echo integration tests\n\t@sleep 60\n"}, exit=124)


def _rpm() -> Iterator[Recipe]:
    repo = "mkdir -p $RUN/repo $RUN/spec; cat > $RUN/spec/a.spec <<'E'\nName: acme-tools\nVersion: 1.4.2\nRelease: 1\nSummary: Acme\nLicense: MIT\nBuildArch: noarch\n%description\nAcme\n%files\nE\nrpmbuild -bb --quiet --define \"_topdir $RUN/rpm\" $RUN/spec/a.spec; cp $RUN/rpm/RPMS/noarch/*.rpm $RUN/repo/; createrepo_c -q $RUN/repo; mkdir -p repos root; printf '[acme]\\nname=Acme\\nbaseurl=BASE\\nenabled=1\\ngpgcheck=GPG\\ngpgkey=file:///tmp/repo/key.asc\\n' > repos/acme.repo; mkdir -p $RUN/tmp/repo; cp -r $RUN/repo/. $RUN/tmp/repo/; echo none > $RUN/tmp/repo/key.asc\n"
    dnf = "dnf -y --installroot=$PWD/root --releasever=9 --setopt=reposdir=$PWD/repos --setopt=cachedir=$PWD/cache --setopt=retries=1 --setopt=timeout=5 --setopt=pluginpath=/nonexistent"
    needs = ("dnf", "createrepo_c:createrepo-c", "rpmbuild:rpm")
    good = repo.replace("BASE", "file:///tmp/repo")
    for index, (names, wrappers) in enumerate((("acme-server", ("gitlab", "github")), ("acme-tools gcc-toolset-13 zlib-devel", ("jenkins",)), ("acme-tools-2.0", ("travis", "azure")))):
        yield from _case(f"dnf-none-{index}", "dnf-package-not-found", "dnf", ("dnf --version | head -1", f"{dnf} install {names}"), r"No match for argument|Unable to find a match", wrappers, setup=good.replace("GPG", "0"), needs=needs)
    yield from _case(
        "dnf-gpg", "rpm-gpg-check", "dnf", (f"{dnf} install acme-tools",), r"is not signed|GPG check FAILED|Public key for|GPG key", ("gitlab", "github", "jenkins", "travis", "make"), setup=good.replace("GPG", "1"), needs=needs
    )
    words = r"Failed to download metadata|Cannot find a valid baseurl|Cannot prepare internal mirrorlist|Errors during downloading"
    for index, (base, wrappers) in enumerate((("file:///tmp/gone", ("gitlab", "github")), ("http://vault.example.org/centos/8/BaseOS", ("jenkins", "travis")), ("http://mirror.example.org/rocky/9", ("azure",)))):
        yield from _case(
            f"dnf-repo-{index}",
            "dnf-repo-unavailable",
            "dnf",
            (f"{dnf} --setopt=acme.skip_if_unavailable=0 install acme-tools",),
            words,
            wrappers,
            setup=repo.replace("BASE", base).replace("GPG", "0") + GONE,
            offline=True,
            needs=needs,
            timeout=90,
        )


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    for group in (_infrastructure, _secrets, _scans, _rpm):
        yield from group()
