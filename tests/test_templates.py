"""The action and the CI templates: valid against the vendors' schemas, clean for the linters, and they do what they say."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

ROOT = Path(__file__).parent.parent
ACTION = ROOT / "action.yml"
HOOK = ROOT / "templates" / "buildkite" / "hooks" / "pre-exit"
GUIDES = [ROOT / "docs" / "guide" / f"{name}.md" for name in ("github-action", "gitlab-ci", "jenkins", "buildkite")]
FAILED = sorted((ROOT / "corpus" / "disk-full").glob("*.log"))[0]
PASSED = sorted((ROOT / "corpus" / "passing").glob("*.log"))[0]
TOOLS = Path(sys.executable).parent
TOKEN = "gh" + "s_" + "a1B2" * 9


def required(tool: str) -> str:
    """Where a tool is; without it the test is skipped, unless LOGKB_REQUIRE names it."""
    found = shutil.which(tool, path=f"{TOOLS}{os.pathsep}{os.environ['PATH']}")
    if found is None and tool not in os.environ.get("LOGKB_REQUIRE", "").split(","):
        pytest.skip(f"{tool} is not installed here")
    assert found, f"{tool} is not installed, and LOGKB_REQUIRE asks for it"
    return found


def examples() -> list[tuple[str, str, str]]:
    """The YAML files that the guides show: guide, the path in their first line, text."""
    found = []
    for guide in GUIDES:
        for block in re.findall(r"^```yaml\n(.*?)^```", guide.read_text(encoding="utf-8"), flags=re.M | re.S):
            first = re.match(r"# (\S+)\n", block)
            assert first, f"{guide.name}: a YAML example without its path in the first line"
            found.append((guide.stem, first[1], block))
    return found


SCHEMAS = {".github/workflows/": "vendor.github-workflows", ".gitlab-ci.yml": "vendor.gitlab-ci", ".buildkite/": "vendor.buildkite"}
EXAMPLES = [pytest.param(*example, id=f"{example[0]}-{index}") for index, example in enumerate(examples())]


def schema_errors(schema: str, path: Path) -> str:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("vendor.github-actions", ACTION),
        ("vendor.gitlab-ci", ROOT / "templates" / "gitlab" / "logkb.yml"),
        ("vendor.buildkite", ROOT / "templates" / "buildkite" / "pipeline.yml"),
    ],
)
def test_a_template_is_valid_against_its_vendor_s_schema(schema: str, path: Path) -> None:
    assert schema_errors(schema, path) == ""


@pytest.mark.parametrize(("guide", "path", "text"), EXAMPLES)
def test_what_a_guide_shows_is_valid(guide: str, path: str, text: str, tmp_path: Path) -> None:
    schema = next(schema for start, schema in SCHEMAS.items() if path.startswith(start))
    (tmp_path / "example.yml").write_text(text, encoding="utf-8")
    assert schema_errors(schema, tmp_path / "example.yml") == "", guide


def test_the_workflows_of_the_guide_pass_actionlint(tmp_path: Path) -> None:
    actionlint = required("actionlint")
    workflows = [text for _, path, text in examples() if path.startswith(".github/workflows/")]
    assert len(workflows) >= 3
    for index, text in enumerate(workflows):
        (tmp_path / f"{index}.yml").write_text(text, encoding="utf-8")
    command = [actionlint, "-no-color", "-shellcheck", str(TOOLS / "shellcheck"), *map(str, sorted(tmp_path.glob("*.yml")))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def action() -> dict[str, Any]:
    made = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    assert isinstance(made, dict)
    return made


def test_no_input_can_become_a_part_of_a_script_and_every_action_is_pinned() -> None:
    for step in action()["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])


def test_the_guide_names_every_input_and_output() -> None:
    text = GUIDES[0].read_text(encoding="utf-8")
    for name in [*action()["inputs"], *action()["outputs"]]:
        assert f"`{name}`" in text, name


def scripts() -> list[tuple[str, str, str]]:
    """Every shell script of the templates: name, dialect, text."""
    found = [(f"action-{index}", "bash", step["run"]) for index, step in enumerate(action()["runs"]["steps"]) if "run" in step]
    found.append(("buildkite-hook", "bash", HOOK.read_text(encoding="utf-8")))
    jobs = yaml.safe_load((ROOT / "templates" / "gitlab" / "logkb.yml").read_text(encoding="utf-8"))
    for name, job in jobs.items():
        for part in ("before_script", "script", "after_script"):
            if isinstance(job, dict) and part in job:
                found.append((f"gitlab-{name}-{part}", "sh", "\n".join(job[part])))
    groovy = (ROOT / "templates" / "jenkins" / "vars" / "logkb.groovy").read_text(encoding="utf-8")
    found += [(f"jenkins-{index}", "sh", text) for index, text in enumerate(re.findall(r"script: '''(.*?)'''", groovy, flags=re.S))]
    return found


@pytest.mark.parametrize(("name", "dialect", "text"), [pytest.param(*script, id=script[0]) for script in scripts()])
def test_a_script_passes_shellcheck(name: str, dialect: str, text: str) -> None:
    command = [required("shellcheck"), f"--shell={dialect}", "--color=never", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{name}:\n{done.stdout}"


# The action, step by step, in a pretended runner.

STUB_PYTHON = """#!/bin/sh
echo "python $*" >> "$CALLS"
if [ "$1 $2" = "-m venv" ]; then
  mkdir -p "$3/bin"
  cp "$0" "$3/bin/python"
  cp "$STUBS/logkb" "$3/bin/logkb"
elif [ "$1 $2" != "-m pip" ]; then
  exec "$REAL_PYTHON" "$@"
fi
"""
STUB_LOGKB = """#!/bin/sh
echo "logkb $*" >> "$CALLS"
if [ "$1" = comment ]; then echo "comment with token $GITHUB_TOKEN" >> "$CALLS"; exit 0; fi
exec "$REAL_PYTHON" -m logkb "$@"
"""
STUB_CURL = """#!/bin/sh
echo "curl $*" >> "$CALLS"
cat >> "$CALLS"
[ -n "$ARCHIVE" ] || exit 22
while [ "$1" != --output ]; do shift; done
cp "$ARCHIVE" "$2"
"""


def executable(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


class Runner:
    """What GitHub's runner does with a composite action, as far as ours needs it."""

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work dir"
        self.stubs = folder / "stubs"
        self.temp = folder / "temp"
        for made in (self.work, self.stubs, self.temp):
            made.mkdir()
        for name, text in (("python", STUB_PYTHON), ("logkb", STUB_LOGKB), ("curl", STUB_CURL)):
            executable(self.stubs / name, text)
        self.calls = folder / "calls"
        self.summary = folder / "summary.md"
        self.summary.touch()
        self.calls.touch()
        self.archive = ""
        self.outputs: dict[str, dict[str, str]] = {"python": {"python-path": str(self.stubs / "python")}}
        self.printed = ""

    def run(self, inputs: Mapping[str, str], context: Mapping[str, str] | None = None) -> int:
        values = {name: str(item.get("default", "")) for name, item in action()["inputs"].items()} | dict(inputs)
        if values["token"] == "${{ github.token }}":
            values["token"] = TOKEN
        self.context = {f"inputs.{name}": value for name, value in values.items()} | dict(context or {"github.run_id": "77"})
        for index, step in enumerate(action()["runs"]["steps"]):
            if "run" not in step or not self.value(step.get("if", "'yes'"), condition=True):
                continue
            status = self.step(step, f"{index}")
            if status:
                return status
        return 0

    def step(self, step: Mapping[str, Any], name: str) -> int:
        output = self.temp / f"output-{name}"
        output.touch()
        environment = {
            "PATH": f"{self.stubs}:/usr/bin:/bin", "HOME": str(self.temp), "CALLS": str(self.calls), "STUBS": str(self.stubs),
            "REAL_PYTHON": sys.executable, "ARCHIVE": self.archive, "RUNNER_TEMP": str(self.temp), "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.summary), "GITHUB_ACTION_PATH": str(ROOT), "GITHUB_WORKSPACE": str(self.work),
            "GITHUB_API_URL": "https://api.example.org", "GITHUB_REPOSITORY": "octo/app",
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")), "LC_ALL": "C.UTF-8",
        }  # fmt: skip
        environment |= {key: self.value(str(text)) for key, text in step.get("env", {}).items()}
        script = self.temp / f"script-{name}.sh"
        script.write_text(step["run"], encoding="utf-8")
        # `shell: bash` in an action runs it so.
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
        done = subprocess.run(command, cwd=self.work, env=environment, capture_output=True, text=True, check=False)
        self.printed += done.stdout + done.stderr
        lines = [line.partition("=") for line in output.read_text(encoding="utf-8").splitlines()]
        self.outputs[step.get("id", name)] = {key: value for key, _, value in lines}
        return done.returncode

    def value(self, text: str, *, condition: bool = False) -> str:
        """The few expressions that the action uses: names joined by ||, and comparisons with a literal."""
        expression = text if condition else (re.fullmatch(r"\$\{\{ (.*) \}\}", text) or [text, text])[1]
        for part in expression.split(" || "):
            if compared := re.fullmatch(r"(\S+) (==|!=) '(.*)'", part):
                if (self.lookup(compared[1]) == compared[3]) == (compared[2] == "=="):
                    return "true"
            elif self.lookup(part):
                return self.lookup(part)
        return ""

    def lookup(self, name: str) -> str:
        if name.startswith("'"):
            return name.strip("'")
        if found := re.fullmatch(r"steps\.([\w-]+)\.outputs\.([\w-]+)", name):
            return self.outputs.get(found[1], {}).get(found[2], "")
        return self.context.get(name, "")


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def test_the_action_reads_a_log_and_writes_summary_annotations_and_outputs(runner: Runner) -> None:
    shutil.copy(FAILED, runner.work / "my build.log")
    assert runner.run({"log": "my build.log\n"}) == 0, runner.printed
    outputs = runner.outputs["analyze"]
    assert (outputs["outcome"], outputs["cause"]) == ("failed", "disk-full")
    assert 0.5 < float(outputs["confidence"]) <= 1
    assert json.loads(Path(outputs["report"]).read_text(encoding="utf-8"))["schema"] == "logkb.report/1"
    assert runner.summary.read_text(encoding="utf-8").startswith("**")
    assert "::error " in runner.printed
    assert f"-m pip install --quiet --disable-pip-version-check {ROOT}\n" in runner.calls.read_text()
    assert "logkb comment" not in runner.calls.read_text()


def test_the_action_fetches_the_run_that_triggered_it_and_comments(runner: Runner) -> None:
    runner.archive = str(FAILED)
    context = {"github.event.workflow_run.id": "123", "github.run_id": "77"}
    assert runner.run({"comment": "true", "annotations": "false"}, context) == 0, runner.printed
    calls = runner.calls.read_text()
    assert "https://api.example.org/repos/octo/app/actions/runs/123/logs" in calls
    assert f'header = "Authorization: Bearer {TOKEN}"' in calls
    assert not [line for line in calls.splitlines() if line.startswith("curl ") and TOKEN in line]
    assert "logkb comment --threshold=0.5\n" in calls
    assert f"comment with token {TOKEN}" in calls
    assert f"{ROOT}[bot]" in calls
    assert runner.outputs["analyze"]["cause"] == "disk-full"
    assert "::error" not in runner.printed


def test_the_action_comments_even_where_the_log_cannot_be_fetched(runner: Runner) -> None:
    assert runner.run({"comment": "true", "run": "5"}) == 0, runner.printed
    assert "::notice title=logkb::the log of run 5 cannot be read" in runner.printed
    assert "logkb comment --threshold=0.5 --repo=octo/app --run=5\n" in runner.calls.read_text()
    assert "analyze" not in runner.outputs


@pytest.mark.parametrize("format", ["sarif", "junit", "markdown", "text", "gitlab", "github"])
def test_the_action_writes_the_report_in_the_format_asked_for(runner: Runner, format: str) -> None:
    shutil.copy(FAILED, runner.work / "build.log")
    shutil.copy(PASSED, runner.work / "other.log")
    inputs = {"log": "build.log\nother.log", "format": format, "article-url": "https://example.org/{cause}"}
    assert runner.run(inputs) == 0, runner.printed
    report = Path(runner.outputs["analyze"]["report"]).read_text(encoding="utf-8")
    if format in ("sarif", "gitlab"):
        assert json.loads(report)
    if format == "junit":
        assert len(ElementTree.fromstring(report)) == 2
    assert report.strip()


def test_a_cause_below_the_threshold_is_no_output(runner: Runner) -> None:
    shutil.copy(FAILED, runner.work / "build.log")
    assert runner.run({"log": "build.log", "threshold": "1.0"}) == 0, runner.printed
    assert runner.outputs["analyze"]["outcome"] == "failed"
    assert "cause" not in runner.outputs["analyze"]
    assert "disk-full" in runner.summary.read_text(encoding="utf-8")


def test_a_passed_log_names_no_cause(runner: Runner) -> None:
    shutil.copy(PASSED, runner.work / "build.log")
    assert runner.run({"log": "build.log"}) == 0, runner.printed
    assert runner.outputs["analyze"]["outcome"] == "passed"
    assert "cause" not in runner.outputs["analyze"]


HOSTILE = [
    "$(touch owned)",
    "`touch owned`",
    "'; touch owned; '",
    '"; touch owned #',
    "--kb=/",
    "x\n::error::owned",
    "##[error]owned",
    "-",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["log", "run", "format", "threshold", "article-url"])
def test_no_input_is_carried_out(runner: Runner, name: str, text: str) -> None:
    inputs = {name: text} if name in ("log", "run") else {"log": "build.log", name: text}
    shutil.copy(FAILED, runner.work / "build.log")
    status = runner.run(inputs)
    assert not list(runner.work.parent.rglob("owned"))
    assert status != 0 or name == "article-url" or (name, text) == ("log", "-")
    assert not re.search(r"^::error::owned|^##\[|##\[", runner.printed, flags=re.M)


# Buildkite and Jenkins, with the agent's commands pretended.


def hook(tmp_path: Path, **environment: str) -> tuple[subprocess.CompletedProcess[str], str]:
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    executable(bin_folder / "logkb", f'#!/bin/sh\nexec "{sys.executable}" -m logkb "$@"\n')
    executable(bin_folder / "buildkite-agent", '#!/bin/sh\necho "$*" > "$NOTED"\ncat >> "$NOTED"\nexit "${AGENT_STATUS:-0}"\n')
    noted = tmp_path / "noted"
    done = subprocess.run(
        ["bash", str(HOOK)], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PATH": f"{bin_folder}:/usr/bin:/bin", "NOTED": str(noted), "BUILDKITE_JOB_ID": "0190-ab", "HOME": str(tmp_path),
             "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")), "LC_ALL": "C.UTF-8", **environment},
    )  # fmt: skip
    return done, noted.read_text(encoding="utf-8") if noted.exists() else ""


def test_the_buildkite_hook_annotates_a_failed_job(tmp_path: Path) -> None:
    done, noted = hook(tmp_path, BUILDKITE_COMMAND_EXIT_STATUS="2", BUILDKITE_JOB_LOG_TMPFILE=str(FAILED))
    assert done.returncode == 0, done.stderr
    assert noted.startswith("annotate --style error --context logkb-0190-ab\n**")
    assert "`disk-full`" in noted


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"BUILDKITE_COMMAND_EXIT_STATUS": "0", "LOGKB_LOG": str(FAILED)}, ""),
        ({}, ""),
        ({"BUILDKITE_COMMAND_EXIT_STATUS": "1"}, "no log of this job"),
        ({"BUILDKITE_COMMAND_EXIT_STATUS": "1", "LOGKB_LOG": "-"}, "no log of this job"),
        ({"BUILDKITE_COMMAND_EXIT_STATUS": "1", "LOGKB_LOG": str(FAILED), "BUILDKITE_PLUGIN_LOGKB_COMMAND": "nowhere"}, "is not installed"),
        ({"BUILDKITE_COMMAND_EXIT_STATUS": "1", "LOGKB_LOG": str(FAILED), "BUILDKITE_PLUGIN_LOGKB_THRESHOLD": "x; touch owned"}, "could not be analysed"),
        ({"BUILDKITE_COMMAND_EXIT_STATUS": "1", "LOGKB_LOG": "$(touch owned)"}, "no log of this job"),
    ],
)  # fmt: skip
def test_the_buildkite_hook_keeps_quiet_and_never_fails_a_job(tmp_path: Path, environment: dict[str, str], said: str) -> None:
    done, noted = hook(tmp_path, **environment)
    assert (done.returncode, noted) == (0, "")
    assert said in done.stderr
    assert not list(tmp_path.rglob("owned"))


def test_the_buildkite_hook_has_nothing_to_say_of_what_it_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "build.log").write_text("hello\nbye\nmake: *** [all] Error 1\n", encoding="utf-8")
    done, noted = hook(tmp_path, BUILDKITE_COMMAND_EXIT_STATUS="1", LOGKB_LOG="build.log")
    assert (done.returncode, noted) == (0, "")
    assert "nothing to say" in done.stdout


def test_the_buildkite_hook_survives_an_agent_that_refuses(tmp_path: Path) -> None:
    done, _ = hook(tmp_path, BUILDKITE_COMMAND_EXIT_STATUS="1", LOGKB_LOG=str(FAILED), AGENT_STATUS="1")
    assert done.returncode == 0
    assert "could not be written" in done.stderr


PARSE = """
import org.codehaus.groovy.control.*
args.each { name -> def unit = new CompilationUnit(); unit.addSource(new File(name)); unit.compile(Phases.CONVERSION) }
"""
# The steps of Jenkins that the library uses, and a build whose log is a file.
CALL = """
def folder = new File(args[1])
def variables = [:]
def steps = [
  currentBuild: [rawBuild: [getLog: { int lines -> new File(args[2]).readLines().takeRight(lines) }]],
  echo: { text -> println "echo: " + text },
  writeFile: { Map what -> def file = new File(folder, what.file); file.parentFile.mkdirs(); file.setText(what.text, what.encoding) },
  withEnv: { List pairs, Closure body -> pairs.each { def pair = it.split("=", 2); variables[pair[0]] = pair[1] }; body() },
  archiveArtifacts: { Map what -> println "archived: " + what.artifacts },
  sh: { Map what ->
    def builder = new ProcessBuilder("sh", "-c", what.script).directory(folder).redirectErrorStream(true)
    builder.environment().putAll(variables)
    def process = builder.start()
    println process.inputStream.text
    process.waitFor()
  },
]
def library = new GroovyShell(new Binding(steps)).parse(new File(args[0]))
library.call([command: args[3], articleUrl: "https://example.org/{cause}"])
"""


def groovy(program: str, folder: Path, *arguments: str) -> str:
    tool = required("groovy")
    (folder / "program.groovy").write_text(program, encoding="utf-8")
    done = subprocess.run([tool, str(folder / "program.groovy"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_jenkins_files_parse(tmp_path: Path) -> None:
    folder = ROOT / "templates" / "jenkins"
    shown = re.findall(r"^```groovy\n(.*?)^```", GUIDES[2].read_text(encoding="utf-8"), flags=re.M | re.S)
    assert shown
    for index, text in enumerate(shown):
        (tmp_path / f"shown{index}").write_text(text, encoding="utf-8")
    files = [
        folder / "vars" / "logkb.groovy",
        folder / "Jenkinsfile",
        folder / "Jenkinsfile.without-library",
        *tmp_path.glob("shown*"),
    ]
    groovy(PARSE, tmp_path, *map(str, files))


def test_the_jenkins_step_analyses_the_build_s_own_log(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    command = executable(tmp_path / "logkb", f'#!/bin/sh\nexec "{sys.executable}" -m logkb "$@"\n')
    printed = groovy(
        CALL, tmp_path, str(ROOT / "templates" / "jenkins" / "vars" / "logkb.groovy"), str(work), str(FAILED), str(command)
    )
    assert "[disk-full]" in printed
    assert "archived: logkb-report/*" in printed
    made = {path.name for path in (work / "logkb-report").iterdir()}
    assert made == {"report.md", "junit.xml", "report.json"}
    assert "](https://example.org/disk-full)" in (work / "logkb-report" / "report.md").read_text(encoding="utf-8")
