"""Each CI system's sections name the step of a line."""

from __future__ import annotations

import pytest

from logkb.source import Source
from tests.conftest import RuleMaker

LINE = "tool: failed alpha"


@pytest.mark.parametrize(
    ("log", "step"),
    [
        (f"{LINE}\n", None),
        (f"##[group]Run make test\nmake test\nshell: bash\n##[endgroup]\n{LINE}\n", "Run make test"),
        (f"##[group]Run a\n##[endgroup]\n##[group]Run b\n##[endgroup]\n{LINE}\n", "Run b"),
        (f"##[section]Starting: Build app\n{LINE}\n", "Build app"),
        (f"section_start:1700000000:step_script\r\x1b[0K\n{LINE}\n", "step_script"),
        (f"section_start:1:a\r\x1b[0K\nsection_end:2:a\r\x1b[0Ksection_start:3:b\r\x1b[0K\n{LINE}\n", "b"),
        (f"travis_fold:start:install\r\x1b[0Ktravis_time:start:0a\r\x1b[0K$ npm ci\n{LINE}\n", "install › npm ci"),
        (f"travis_fold:start:a\r\x1b[0K\ntravis_fold:end:a\r\x1b[0K\n{LINE}\n", None),
        (f"#5 [build 2/3] RUN make\n#6 [other 1/2] RUN x\n#5 0.123 {LINE}\n", "[build 2/3] RUN make"),
        (f"Step 3/10 : RUN make\n ---> Running in 0123456789ab\n{LINE}\n", "Step 3/10: RUN make"),
        (f"STEP 3: RUN make\n{LINE}\n", "Step 3: RUN make"),
        (f"[Pipeline] stage\n[Pipeline] {{ (Test)\n{LINE}\n", "Test"),
        (f"[Pipeline] {{ (A)\n[Pipeline] }}\n[Pipeline] // stage\n[Pipeline] {{ (B)\n{LINE}\n", "B"),
        (f"[INFO] --- maven-surefire-plugin:2.22.2:test (default-test) @ core ---\n{LINE}\n", "surefire:test @ core"),
        (f"[INFO] --- surefire:3.2.5:test (default-test) @ core ---\n{LINE}\n", "surefire:test @ core"),
        (f"> Task :app:compileJava FAILED\n{LINE}\n", "task :app:compileJava"),
        (f"build\tRun tests\t2024-05-01T10:00:00.1234567Z {LINE}\n", "build / Run tests"),
        (f"2024-05-01T10:00:00.1Z ##[group]Run mvn\n2024-05-01T10:00:00.1Z ##[endgroup]\n"
         f"2024-05-01T10:00:00.1Z [INFO] --- jar:3.3:jar (d) @ m ---\n2024-05-01T10:00:00.1Z {LINE}\n", "Run mvn › jar:jar @ m"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("engine", ["hyperscan", "aho-corasick"])
def test_a_line_belongs_to_the_step_that_its_markers_say(matcher_of: RuleMaker, log: str, step: str | None, engine: str) -> None:
    scan = matcher_of({}, engine=engine).scan(Source.from_bytes(log.encode()))
    assert [match.step for match in scan.matches] == [step]
