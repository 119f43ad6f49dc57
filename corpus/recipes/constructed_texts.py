"""What services and tools that cannot run here print, as their documents and sources word it."""

from __future__ import annotations

SERVICE = "a hosted service's own words; the service cannot run here"
APPLE = "Apple's tools run on macOS only"
APK = "apk is not among Debian's packages"
DOTNET = "no .NET SDK can be installed here"
ANDROID = "the Android SDK cannot be downloaded here"
CLUSTER = "no Kubernetes cluster runs here"

_FETCH = "fetch https://apk.example.org/alpine/v3.{0}/main/x86_64/APKINDEX.tar.gz\nfetch https://apk.example.org/alpine/v3.{0}/community/x86_64/APKINDEX.tar.gz\n"
_EXIT = "##[error]Process completed with exit code {}."


def _apk(release: int, rest: str, code: int = 1, command: str = "apk add --no-cache build-base python3 py3-pip") -> str:
    return f"#9 [2/5] RUN {command}\n#9 0.412 " + "\n#9 0.9 ".join((_FETCH.format(release) + rest).splitlines()) + f'\n#9 ERROR: process "/bin/sh -c {command}" did not complete successfully: exit code: {code}\n'


TEXTS: tuple[tuple[str, str, str, str, str], ...] = (
    ("apk-package-not-found", "apk", APK, r"\(no such package\)", _apk(19, "ERROR: unable to select packages:\n  python2 (no such package):\n    required by: world[python2]")),
    ("apk-package-not-found", "apk", APK, r"breaks: world", _apk(18, "ERROR: unable to select packages:\n  nodejs-18.20.1-r0:\n    breaks: world[nodejs=16.20.2-r0]", command="apk add --no-cache nodejs=16.20.2-r0 npm")),
    (
        "apk-package-not-found",
        "apk",
        APK,
        r"\(no such package\)",
        _apk(20, "ERROR: unable to select packages:\n  mysql-dev (no such package):\n    required by: world[mysql-dev]\n  libressl-dev (no such package):\n    required by: world[libressl-dev]", 2),
    ),
    ("apk-package-not-found", "apk", APK, r"unsatisfiable constraints", _apk(10, "ERROR: unsatisfiable constraints:\n  py-pip (missing):\n    required by: world[py-pip]", command="apk add py-pip")),
    (
        "apk-package-not-found",
        "apk",
        APK,
        r"conflicts:|breaks:",
        _apk(
            17,
            "ERROR: unable to select packages:\n  openssl1.1-compat-dev-1.1.1w-r1:\n    conflicts: openssl-dev-3.0.15-r0[pc:libcrypto=3.0.15]\n    satisfies: world[openssl1.1-compat-dev]\n  openssl-dev-3.0.15-r0:\n    breaks: world[openssl-dev<3]",
            4,
        ),
    ),
    (
        "apk-untrusted",
        "apk",
        APK,
        r"UNTRUSTED signature",
        _apk(19, "WARNING: Ignoring https://packages.example.org/alpine/v3.19/acme: UNTRUSTED signature\nERROR: unable to select packages:\n  acme-tools (no such package):\n    required by: world[acme-tools]"),
    ),
    ("apk-untrusted", "apk", APK, r"UNTRUSTED signature", _apk(18, "ERROR: glibc-2.35-r1.apk: UNTRUSTED signature", 99, "apk add glibc-2.35-r1.apk")),
    (
        "apk-untrusted",
        "apk",
        APK,
        r"BAD signature",
        _apk(16, "WARNING: Ignoring https://apk.example.org/alpine/v3.16/main: BAD signature\nERROR: https://apk.example.org/alpine/v3.16/main: BAD signature\n1 errors; 27 distinct packages available"),
    ),
    ("apk-untrusted", "apk", APK, r"UNTRUSTED signature", _apk(20, "ERROR: https://packages.example.org/alpine/main: UNTRUSTED signature\n2 unavailable, 0 stale; 24172 distinct packages available", 2, "apk update")),
    (
        "apk-untrusted",
        "apk",
        APK,
        r"UNTRUSTED signature",
        _apk(15, "(1/3) Installing acme-libs (1.4.2-r0)\nERROR: acme-libs-1.4.2-r0: UNTRUSTED signature\n(2/3) Installing acme-tools (1.4.2-r0)\nERROR: acme-tools-1.4.2-r0: UNTRUSTED signature\n2 errors; 19 MiB in 31 packages", 2),
    ),
    (
        "io-error",
        "apk",
        APK,
        r"IO ERROR|I/O error",
        _apk(
            19, "(1/14) Installing libgcc (13.2.1_git20231014-r0)\n(2/14) Installing libstdc++ (13.2.1_git20231014-r0)\nERROR: libstdc++-13.2.1_git20231014-r0: IO ERROR\n(3/14) Installing binutils (2.41-r0)\n1 error; 11 MiB in 18 packages"
        ),
    ),
    ("io-error", "apk", APK, r"I/O error", _apk(18, "(4/9) Installing python3 (3.11.10-r0)\nERROR: Failed to create usr/lib/python3.11/site.py: I/O error\nERROR: python3-3.11.10-r0: IO ERROR")),
    (
        "disk-full",
        "apk",
        APK,
        r"No space left on device",
        _apk(
            19,
            "(21/28) Installing gcc (13.2.1_git20231014-r0)\nERROR: Failed to create usr/libexec/gcc/x86_64-alpine-linux-musl/13.2.1/cc1plus: No space left on device\nERROR: gcc-13.2.1_git20231014-r0: No space left on device\n1 error; 214 MiB in 36 packages",
        ),
    ),
    (
        "ci-permission",
        "github",
        SERVICE,
        r"Resource not accessible by integration",
        "##[group]Run actions/github-script@v7\nwith:\n  github-token: ***\n##[endgroup]\nRequestError [HttpError]: Resource not accessible by integration\n    at /home/runner/work/_actions/actions/github-script/v7/dist/index.js:9537:21\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5) {\n  status: 403,\n##[error]Unhandled error: HttpError: Resource not accessible by integration",
    ),
    (
        "ci-permission",
        "github",
        SERVICE,
        r"denied to github-actions\[bot\]",
        "##[group]Run git push origin HEAD:gh-pages\n##[endgroup]\nremote: Permission to acme/app.git denied to github-actions[bot].\nfatal: unable to access 'https://github.com/acme/app/': The requested URL returned error: 403\n"
        + _EXIT.format(128),
    ),
    (
        "ci-permission",
        "github",
        SERVICE,
        r"refusing to allow a GitHub App",
        "To https://github.com/acme/app\n ! [remote rejected] main -> main (refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yml` without `workflows` permission)\nerror: failed to push some refs to 'https://github.com/acme/app'\n"
        + _EXIT.format(1),
    ),
    (
        "ci-permission",
        "github",
        SERVICE,
        r"ACTIONS_ID_TOKEN_REQUEST_URL",
        "##[group]Run aws-actions/configure-aws-credentials@v4\nwith:\n  aws-region: eu-west-1\n##[endgroup]\n##[error]Could not assume role with OIDC: Unable to get ACTIONS_ID_TOKEN_REQUEST_URL env variable\nIt looks like you might be trying to authenticate with OIDC. Did you mean to set the `id-token` permission?",
    ),
    ("ci-permission", "docker", SERVICE, r"permission_denied|denied:", "The push refers to repository [ghcr.io/acme/app]\n5f70bf18a086: Preparing\n1b1a2c3d4e5f: Preparing\ndenied: permission_denied: write_package\n" + _EXIT.format(1)),
    (
        "ci-artifact-missing",
        "github",
        SERVICE,
        r"Artifact not found for name",
        "##[group]Run actions/download-artifact@v4\nwith:\n  name: dist\n##[endgroup]\nDownloading single artifact\n##[error]Unable to download artifact(s): Artifact not found for name: dist\n        Please ensure that your artifact is not expired and the artifact was uploaded using a compatible version of toolkit/upload-artifact.",
    ),
    (
        "ci-artifact-missing",
        "github",
        SERVICE,
        r"No files were found with the provided path",
        "##[group]Run actions/upload-artifact@v4\nwith:\n  name: coverage\n  path: coverage/lcov.info\n  if-no-files-found: error\n##[endgroup]\n##[error]No files were found with the provided path: coverage/lcov.info. No artifacts will be uploaded.",
    ),
    ("ci-artifact-missing", "github", SERVICE, r"Unable to find any artifacts", "##[group]Run actions/download-artifact@v3\n##[endgroup]\nStarting download for wheels\n##[error]Unable to find any artifacts for the associated workflow"),
    (
        "ci-artifact-missing",
        "gitlab",
        SERVICE,
        r"No files to upload",
        "Uploading artifacts...\nWARNING: dist/*.whl: no matching files. Ensure that the artifact path is relative to the working directory (/builds/acme/app)\nERROR: No files to upload\nCleaning up project directory and file based variables\nERROR: Job failed: exit code 1",
    ),
    (
        "ci-artifact-missing",
        "jenkins",
        SERVICE,
        r"No artifacts found that match",
        'Archiving artifacts\n‘target/*.jar’ doesn’t match anything: ‘target’ exists but not ‘target/*.jar’\nERROR: No artifacts found that match the file pattern "target/*.jar". Configuration error?\nFinished: FAILURE',
    ),
    (
        "dotnet-restore-failed",
        "dotnet",
        DOTNET,
        r"NU1101",
        "  Determining projects to restore...\n/builds/acme/app/src/App/App.csproj : error NU1101: Unable to find package Acme.Core. No packages exist with this id in source(s): nuget\n  Failed to restore /builds/acme/app/src/App/App.csproj (in 1.21 sec).\n  1 of 3 projects are up-to-date for restore.\n##[error]Process completed with exit code 1.",
    ),
    (
        "dotnet-restore-failed",
        "dotnet",
        DOTNET,
        r"NU1102",
        "  Determining projects to restore...\n/src/Api/Api.csproj : error NU1102: Unable to find package Serilog with version (>= 99.0.0)\n/src/Api/Api.csproj : error NU1102:   - Found 214 version(s) in nuget [ Nearest version: 4.1.0 ]\n  Failed to restore /src/Api/Api.csproj (in 842 ms).",
    ),
    (
        "dotnet-restore-failed",
        "dotnet",
        DOTNET,
        r"NU1605",
        "/src/Web/Web.csproj : error NU1605: Warning As Error: Detected package downgrade: Microsoft.Extensions.Logging from 8.0.0 to 6.0.0. Reference the package directly from the project to select a different version.\n/src/Web/Web.csproj : error NU1605:  Web -> Acme.Hosting 2.1.0 -> Microsoft.Extensions.Logging (>= 8.0.0)\n/src/Web/Web.csproj : error NU1605:  Web -> Microsoft.Extensions.Logging (>= 6.0.0)\n  Failed to restore /src/Web/Web.csproj (in 2.4 sec).",
    ),
    (
        "dotnet-restore-failed",
        "dotnet",
        DOTNET,
        r"NU1202",
        "/src/Lib/Lib.csproj : error NU1202: Package Acme.Client 5.0.0 is not compatible with netstandard2.0 (.NETStandard,Version=v2.0). Package Acme.Client 5.0.0 supports: net8.0 (.NETCoreApp,Version=v8.0)\n  Failed to restore /src/Lib/Lib.csproj (in 511 ms).\nERROR: Job failed: exit code 1",
    ),
    (
        "dotnet-restore-failed",
        "dotnet",
        DOTNET,
        r"NU1301",
        "/src/App.sln : error NU1301: Unable to load the service index for source https://nuget.acme.example.org/v3/index.json.\n/src/App.sln : error NU1301:   Response status code does not indicate success: 401 (Unauthorized).\n  Failed to restore /src/App/App.csproj (in 4.02 sec).",
    ),
    (
        "job-cancelled",
        "github",
        SERVICE,
        r"The operation was canceled",
        "##[error]The operation was canceled.\nPost job cleanup.\n[command]/usr/bin/git version\ngit version 2.47.1\nCleaning up orphan processes\nTerminate orphan process: pid (2214) (node)",
    ),
    ("job-cancelled", "gitlab", SERVICE, r"canceled", "Cleaning up project directory and file based variables\nERROR: Job failed: canceled"),
    ("job-cancelled", "jenkins", SERVICE, r"Aborted by", "Sending interrupt signal to process\nTerminated\nscript returned exit code 143\nAborted by Dana Ops\n[Pipeline] }\n[Pipeline] End of Pipeline\nFinished: ABORTED"),
    ("job-cancelled", "travis", SERVICE, r"Job Cancelled", "\n\nDone: Job Cancelled"),
    ("job-cancelled", "buildkite", SERVICE, r"cancellation signal", "^^^ +++\n# Received cancellation signal, interrupting\n# Process exited with signal: terminated\nuser command error: exit status -1"),
    (
        "runner-lost",
        "github",
        SERVICE,
        r"received a shutdown signal",
        "##[error]The runner has received a shutdown signal. This can happen when the runner service is stopped, or a manually started runner is canceled.\nCleaning up orphan processes\n##[error]Process completed with exit code 143.",
    ),
    (
        "runner-lost",
        "github",
        SERVICE,
        r"lost communication with the server",
        "The hosted runner: GitHub Actions 14 lost communication with the server. Anything in your workflow that terminates the runner process, starves it for CPU/Memory, or blocks its network access can cause this error.",
    ),
    (
        "runner-lost",
        "azure",
        SERVICE,
        r"We stopped hearing from agent",
        "##[error]We stopped hearing from agent Azure Pipelines 7. Verify the agent machine is running and has a healthy network connection. Anything that terminates an agent process, starves it for CPU, or blocks its network access can cause this error.",
    ),
    (
        "runner-lost",
        "jenkins",
        SERVICE,
        r"ChannelClosedException|is disconnected",
        "Cannot contact linux-agent-3: hudson.remoting.ChannelClosedException: Channel \"hudson.remoting.Channel@5a2f: linux-agent-3\": Remote call on linux-agent-3 failed. The channel is closing down or has closed down\nFATAL: command execution failed\njava.nio.channels.ClosedChannelException\n\tat org.jenkinsci.remoting.protocol.impl.ChannelApplicationLayer.onReadClosed(ChannelApplicationLayer.java:209)\nCaused: java.io.IOException: Backing channel 'linux-agent-3' is disconnected.\nFinished: FAILURE",
    ),
    ("runner-lost", "gitlab", SERVICE, r"system failure", 'ERROR: Job failed (system failure): pods "runner-t3stxyz-project-42-concurrent-0" not found'),
    (
        "image-pull-backoff",
        "kubectl",
        CLUSTER,
        r"ImagePullBackOff",
        'Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated...\nerror: deployment "web" exceeded its progress deadline\nNAME                   READY   STATUS             RESTARTS   AGE\nweb-6d4b75cb6d-hwz8p   0/1     ImagePullBackOff   0          10m\n##[error]Process completed with exit code 1.',
    ),
    (
        "image-pull-backoff",
        "skaffold",
        CLUSTER,
        r"can't be pulled",
        "Deployments stabilizing...\n - deployment/web: container web is waiting to start: registry.example.org/acme/web:1.4.2 can't be pulled\n    - pod/web-7c9f: container web is waiting to start: registry.example.org/acme/web:1.4.2 can't be pulled\n - deployment/web failed. Error: container web is waiting to start: registry.example.org/acme/web:1.4.2 can't be pulled.\n1/1 deployment(s) failed",
    ),
    (
        "image-pull-backoff",
        "helm",
        CLUSTER,
        r"ErrImagePull",
        'Error: UPGRADE FAILED: timed out waiting for the condition\nLAST SEEN   TYPE      REASON    OBJECT         MESSAGE\n2m          Warning   Failed    pod/api-5c8d   Failed to pull image "registry.example.org/acme/api:release-77": rpc error: code = NotFound desc = failed to pull and unpack image: not found\n2m          Warning   Failed    pod/api-5c8d   Error: ErrImagePull\n1m          Warning   BackOff   pod/api-5c8d   Back-off pulling image "registry.example.org/acme/api:release-77"',
    ),
    (
        "image-pull-backoff",
        "gitlab",
        CLUSTER,
        r"image pull failed",
        'WARNING: Failed to pull image with policy "always": image pull failed: Back-off pulling image "registry.example.org/acme/ci-image:latest"\nERROR: Job failed: prepare environment: waiting for pod running: pulling image "registry.example.org/acme/ci-image:latest": image pull failed: Back-off pulling image "registry.example.org/acme/ci-image:latest"',
    ),
    (
        "image-pull-backoff",
        "kubectl",
        CLUSTER,
        r"ErrImagePull",
        'pod/migrate-1-x2v5q   0/1   ErrImagePull   0   14s\nerror: timed out waiting for the condition on jobs/migrate-1\nEvents:\n  Warning  Failed   kubelet  Failed to pull image "registry.example.org/acme/migrate:9": unauthorized: authentication required\n  Warning  Failed   kubelet  Error: ErrImagePull',
    ),
    (
        "swift-compile-error",
        "swift",
        APPLE,
        r"cannot find 'Session' in scope",
        "Building for debugging...\n[3/9] Compiling App Client.swift\n/builds/acme/app/Sources/App/Client.swift:14:19: error: cannot find 'Session' in scope\n        let task = Session.shared.dataTask(with: url)\n                   ^~~~~~~\nerror: fatalError",
    ),
    (
        "swift-compile-error",
        "xcodebuild",
        APPLE,
        r"error: no such module",
        "SwiftCompile normal arm64 Compiling\\ AppDelegate.swift (in target 'App' from project 'App')\n/Users/runner/work/app/app/App/AppDelegate.swift:3:8: error: no such module 'Alamofire'\nimport Alamofire\n       ^\n** BUILD FAILED **\n\nThe following build commands failed:\n\tSwiftCompile normal arm64 (in target 'App' from project 'App')\n(1 failure)",
    ),
    (
        "swift-compile-error",
        "xcodebuild",
        APPLE,
        r"has no member",
        "/Users/runner/work/app/app/App/View.swift:41:22: error: value of type 'String' has no member 'trimmed'\n        return title.trimmed()\n               ~~~~~ ^~~~~~~\n** TEST FAILED **",
    ),
    (
        "swift-compile-error",
        "xcodebuild",
        APPLE,
        r"use of undeclared identifier",
        "CompileC Objects-normal/arm64/Bridge.o Bridge.m normal arm64 objective-c (in target 'App' from project 'App')\n/Users/runner/work/app/app/App/Bridge.m:27:5: error: use of undeclared identifier 'AKBridgeStart'\n    AKBridgeStart(self);\n    ^\n1 error generated.\n** BUILD FAILED **",
    ),
    (
        "swift-compile-error",
        "swift",
        APPLE,
        r"error: cannot convert value",
        "[5/12] Compiling Core Parser.swift\n/src/Sources/Core/Parser.swift:88:31: error: cannot convert value of type 'Substring' to expected argument type 'String'\n        tokens.append(Token(text: rest.prefix(3)))\n                              ^\nerror: emit-module command failed with exit code 1 (use -v to see invocation)",
    ),
    (
        "apple-signing",
        "xcodebuild",
        APPLE,
        r"No signing certificate",
        'error: No signing certificate "iOS Distribution" found: No "iOS Distribution" signing certificate matching team ID "AB12CD34EF" with a private key was found. (in target \'App\' from project \'App\')\n** ARCHIVE FAILED **',
    ),
    (
        "apple-signing",
        "xcodebuild",
        APPLE,
        r"requires a provisioning profile",
        "/Users/runner/work/app/app/App.xcodeproj: error: \"App\" requires a provisioning profile. Select a provisioning profile in the Signing & Capabilities editor. (in target 'App' from project 'App')\n** BUILD FAILED **",
    ),
    (
        "apple-signing",
        "xcodebuild",
        APPLE,
        r"errSecInternalComponent",
        "CodeSign /Users/runner/build/App.app (in target 'App' from project 'App')\n    Signing Identity:     \"Apple Distribution: Acme Ltd\"\n/Users/runner/build/App.app/Frameworks/Core.framework: errSecInternalComponent\nCommand CodeSign failed with a nonzero exit code",
    ),
    (
        "apple-signing",
        "fastlane",
        APPLE,
        r"doesn't include signing certificate",
        "❌  error: Provisioning profile \"match AppStore org.acme.app\" doesn't include signing certificate \"Apple Distribution: Acme Ltd (AB12CD34EF)\". (in target 'App' from project 'App')\n** ARCHIVE FAILED **\n[12:04:11]: Exit status: 65",
    ),
    (
        "apple-signing",
        "fastlane",
        APPLE,
        r"Could not find .* codesigning|No code signing identity found",
        "[11:58:02]: No code signing identity found and can not create a new one because you enabled `readonly`\n[!] No code signing identity found and can not create a new one because you enabled `readonly`",
    ),
    (
        "android-sdk-missing",
        "gradle",
        ANDROID,
        r"SDK location not found",
        "FAILURE: Build failed with an exception.\n\n* What went wrong:\nCould not determine the dependencies of task ':app:compileDebugJavaWithJavac'.\n> SDK location not found. Define a valid SDK location with an ANDROID_HOME environment variable or by setting the sdk.dir path in your project's local properties file at '/builds/acme/app/local.properties'.\n\nBUILD FAILED in 14s",
    ),
    (
        "android-sdk-missing",
        "gradle",
        ANDROID,
        r"licences have not been accepted|license agreements",
        "* What went wrong:\nCould not determine the dependencies of task ':app:mergeReleaseResources'.\n> Failed to install the following Android SDK packages as some licences have not been accepted.\n     platforms;android-34 Android SDK Platform 34\n     build-tools;34.0.0 Android SDK Build-Tools 34\n  To build this project, accept the SDK license agreements and install the missing components using the Android Studio SDK Manager.\n\nBUILD FAILED in 31s",
    ),
    ("android-sdk-missing", "gradle", ANDROID, r"Failed to find Build Tools", "* What went wrong:\nExecution failed for task ':app:stripDebugSymbols'.\n> Failed to find Build Tools revision 30.0.3\n\nBUILD FAILED in 8s"),
    (
        "android-sdk-missing",
        "gradle",
        ANDROID,
        r"NDK not configured",
        "* What went wrong:\nExecution failed for task ':lib:configureCMakeDebug[arm64-v8a]'.\n> NDK not configured. Download it with SDK manager. Preferred NDK version is '25.1.8937393'.\n\nBUILD FAILED in 11s",
    ),
    (
        "android-sdk-missing",
        "gradle",
        ANDROID,
        r"Failed to find target with hash string",
        "* What went wrong:\nA problem occurred configuring project ':app'.\n> Failed to find target with hash string 'android-35' in: /opt/android-sdk\n\nBUILD FAILED in 5s",
    ),
    ("ci-config-invalid", "github", SERVICE, r"Unable to resolve action", "Prepare all required actions\nGetting action download info\n##[error]Unable to resolve action `actions/checkout@v99`, unable to find version `v99`"),
    (
        "ci-config-invalid",
        "github",
        SERVICE,
        r"deprecated version of",
        "##[error]This request has been automatically failed because it uses a deprecated version of `actions/upload-artifact: v2`. Learn more: https://github.blog/changelog/2024-02-13-deprecation-notice-v1-and-v2-of-the-artifact-actions/",
    ),
    ("ci-config-invalid", "gitlab", SERVICE, r"jobs config should contain", "Found errors in your .gitlab-ci.yml:\n  jobs config should contain at least one visible job"),
    ("ci-config-invalid", "github", SERVICE, r"Invalid workflow file", "Invalid workflow file: .github/workflows/ci.yml#L12\nThe workflow is not valid. .github/workflows/ci.yml (Line: 12, Col: 9): Unexpected value 'step'"),
)
