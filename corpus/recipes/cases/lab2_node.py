"""Node.js: npm, Yarn, pnpm and the bundlers, in projects whose other steps work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..model import Recipe
from ..projects import UNITS, camel, case, js, prefixed

JS = "/srv/lab/tools/js"
V = "!npm --version"
REGISTRY = "npm config get registry > /dev/null; R=$(npm config get registry); printf 'registry=%s\\n' $R > $HOME/.npmrc; printf 'registry \"%s\"\\n' $R > $HOME/.yarnrc\n"
YARN = REGISTRY + f"export PATH={JS}/yarn/node_modules/.bin:$PATH\nexport YARN_CACHE_FOLDER=$LAB/cache/yarn\n"
PNPM = REGISTRY + f"export PATH={JS}/pnpm/node_modules/.bin:$PATH\nexport npm_config_store_dir=$LAB/cache/pnpm\n"
INFO = "node --version && npm --version"
SMALL = {"ms": "2.1.3", "semver": "7.6.3"}


def path(name: str) -> str:
    """Put a set of preinstalled programs on PATH, and their modules beside the project."""
    return f"export PATH={JS}/{name}/node_modules/.bin:$PATH; ln -s {JS}/{name}/node_modules node_modules\n"


def package(dependencies: dict[str, str] | None = None, dev: dict[str, str] | None = None, **more: object) -> dict[str, str]:
    """Return a package.json."""
    body = {"name": "shop", "version": "1.4.2", "private": True, "dependencies": dependencies or SMALL, **({"devDependencies": dev} if dev else {}), **more}
    return {"package.json": json.dumps(body, indent=2) + "\n"}


def _units() -> dict[str, str]:
    return js(lambda _n, _p, _t: "", (), folder="empty")


def _dependencies() -> Iterator[Recipe]:
    c, words = "npm-peer-conflict", r"ERESOLVE|ERR_PNPM_PEER_DEP_ISSUES"
    npm: Any = {"tool": "npm", "version": V, "timeout": 300}
    yield from case(
        "peer-react", c, steps=(INFO, "npm install"), signature=words, wrappers=("gitlab", "docker", "travis"), files=package({"react": "18.3.1", "react-dom": "18.3.1", "@testing-library/react-hooks": "8.0.1"}), image="node:20-slim", **npm
    )
    yield from case(
        "peer-eslint",
        c,
        steps=(INFO, "npm install", "npm run lint"),
        signature=words,
        wrappers=("github", "jenkins"),
        files=package(dev={"eslint": "9.17.0", "eslint-config-airbnb-base": "15.0.0", "eslint-plugin-import": "2.29.0"}),
        family="npm-peer-eslint",
        **npm,
    )
    local = {
        **package({"ms": "2.1.3", "ui": "file:packages/ui", "core": "file:packages/core"}),
        "packages/ui/package.json": '{"name": "ui", "version": "3.0.0", "peerDependencies": {"semver": "^5.0.0"}}\n',
        "packages/core/package.json": '{"name": "core", "version": "2.0.0", "peerDependencies": {"semver": "^7.0.0"}}\n',
    }
    yield from case("peer-local", c, steps=("ls packages", "npm install --no-save --strict-peer-deps"), signature=words, wrappers=("azure", "xtrace"), files=local, family="npm-peer-local", **npm)
    yield from case("peer-add", c, steps=(INFO, "npm install", "npm install --save-dev enzyme-adapter-react-16@1.15.8"), signature=words, wrappers=("make",), files=package({"react": "17.0.2"}), family="npm-peer-add", **npm)
    yield from case(
        "peer-pnpm",
        c,
        "pnpm",
        (INFO, "pnpm --version", "pnpm install"),
        words,
        ("gitlab", "github"),
        files={**package({"react": "18.3.1", "@testing-library/react-hooks": "8.0.1"}), ".npmrc": "strict-peer-dependencies=true\nauto-install-peers=false\n"},
        setup=PNPM,
        version="9.15.0" and f"!{JS}/pnpm/node_modules/.bin/pnpm --version",
        timeout=300,
    )

    c = "npm-lockfile-mismatch"
    words = r"can only install (packages when|with an existing)|ERR_PNPM_(OUTDATED|NO)_LOCKFILE|lockfile needs to be updated"
    lock = "npm install --package-lock-only > /dev/null; "
    edit = 'sed -i \'s/"ms": "2.1.3"/"ms": "2.1.2", "uuid": "9.0.1"/\' package.json\n'
    yield from case("lock-changed", c, "npm", (INFO, "npm ci"), words, ("gitlab", "github", "docker"), files=package(), setup=lock + edit, image="node:20-slim", version=V)
    yield from case("lock-absent", c, "npm", (INFO, "ls", "npm ci --prefer-offline"), words, ("jenkins", "travis"), files={**package(), **_units()}, family="npm-lock-absent", version=V)
    yield from case(
        "lock-range", c, "npm", ("npm ci --ignore-scripts",), words, ("xtrace",), files=package({"semver": "6.3.1", "express": "4.21.2"}), setup=lock + "sed -i 's/6.3.1/^7.0.0/' package.json\n", family="npm-lock-changed", version=V
    )
    yield from case(
        "lock-yarn",
        c,
        "yarn",
        ("yarn --version", "yarn install --frozen-lockfile"),
        words,
        ("gitlab", "azure", "make"),
        files=package({"ms": "2.1.3"}),
        setup=YARN + "yarn install > /dev/null 2>&1; rm -r node_modules; " + edit,
        version=f"!{JS}/yarn/node_modules/.bin/yarn --version",
    )
    yield from case(
        "lock-pnpm",
        c,
        "pnpm",
        ("pnpm --version", "pnpm install --frozen-lockfile"),
        words,
        ("github", "jenkins"),
        files=package({"ms": "2.1.3"}),
        setup=PNPM + "pnpm install > /dev/null 2>&1; rm -r node_modules; " + edit,
        version=f"!{JS}/pnpm/node_modules/.bin/pnpm --version",
    )
    yield from case("lock-pnpm-none", c, "pnpm", ("pnpm install --frozen-lockfile",), words, ("travis",), files=package({"ms": "2.1.3"}), setup=PNPM, version=f"!{JS}/pnpm/node_modules/.bin/pnpm --version")

    c, words = "npm-package-not-found", r"E404|ETARGET|[Nn]o matching version found|Couldn't find (any versions|package)|ERR_PNPM_(FETCH_404|NO_MATCHING_VERSION)|An unexpected error occurred: .*404|Not found"
    gone = {**SMALL, "acme-internal-design-tokens-x9": "^2.0.0"}
    yield from case("absent", c, "npm", (INFO, "npm install"), words, ("gitlab", "github", "buildx"), files=package(gone), key=r"(ERR!|error) (code )?(E?404|ETARGET)", image="node:20-slim", version=V)
    yield from case("absent-scope", c, "npm", ("npm install --no-progress", "npm install @acme-internal-x9/button@1.0.0"), words, ("jenkins", "travis"), files=package(), key=r"(ERR!|error) (code )?(E?404|ETARGET)", version=V)
    yield from case("version", c, "npm", (INFO, "npm install"), words, ("azure", "docker"), files=package({**SMALL, "left-pad": "99.0.0"}), family="npm-version", key=r"(ERR!|error) (code )?(E?404|ETARGET)", image="node:20-slim", version=V)
    yield from case("npx", c, "npx", ("npm install", "npx --yes acme-codegen-x9 --out gen"), words, ("xtrace",), files=package(), key=r"(ERR!|error) (code )?(E?404|ETARGET)", version=V)
    for tool, setup in (("yarn", YARN), ("pnpm", PNPM)):
        version = f"!{JS}/{tool}/node_modules/.bin/{tool} --version"
        yield from case(f"absent-{tool}", c, tool, (f"{tool} --version", f"{tool} install"), words, ("gitlab", "make"), files=package(gone), setup=setup, version=version, timeout=300)
        yield from case(f"version-{tool}", c, tool, (f"{tool} install",), words, ("github",), files=package({**SMALL, "is-odd": "77.1.0"}), setup=setup, version=version, timeout=300)

    c, words = "npm-integrity", r"EINTEGRITY|[Ii]ntegrity check failed|ERR_PNPM_TARBALL_INTEGRITY"
    spoil = "sed -i -E 's|(sha512-)[A-Za-z0-9+/]{20}|\\1AAAABBBBCCCCDDDDEEEE|' "
    yield from case("integrity", c, "npm", (INFO, "npm ci"), words, ("gitlab", "github", "docker"), files=package(), setup=lock + spoil + "package-lock.json\n", image="node:20-slim", version=V)
    yield from case(
        "integrity-one",
        c,
        "npm",
        ("npm install",),
        words,
        ("jenkins",),
        files=package({"express": "4.21.2", "ms": "2.1.3"}),
        setup=lock + 'sed -i \'/node_modules.ms"/,/integrity/s|sha512-.*"|sha512-' + "Q" * 86 + "==\"|' package-lock.json\n",
        family="npm-integrity-one",
        version=V,
    )
    yield from case(
        "integrity-yarn",
        c,
        "yarn",
        ("yarn install --frozen-lockfile",),
        words,
        ("travis", "azure"),
        files=package({"ms": "2.1.3"}),
        setup=YARN + "yarn install > /dev/null 2>&1; rm -r node_modules; export YARN_CACHE_FOLDER=$RUN/yc; " + spoil + "yarn.lock\n",
        version=f"!{JS}/yarn/node_modules/.bin/yarn --version",
    )
    yield from case(
        "integrity-pnpm",
        c,
        "pnpm",
        ("pnpm install --frozen-lockfile",),
        words,
        ("xtrace", "gitlab"),
        files=package({"ms": "2.1.3"}),
        setup=PNPM + "pnpm install > /dev/null 2>&1; rm -r node_modules; export npm_config_store_dir=$RUN/ps; " + spoil + "pnpm-lock.yaml\n",
        version=f"!{JS}/pnpm/node_modules/.bin/pnpm --version",
    )

    c, words = "node-version-unsupported", r"EBADENGINE|is incompatible with this module|ERR_PNPM_UNSUPPORTED_ENGINE|primordials is not defined|Unsupported engine"
    yield from case("engine", c, "npm", (INFO, "npm install --engine-strict"), words, ("gitlab", "docker", "travis"), files={**package(engines={"node": ">=22.12"})}, image="node:20-slim", version=V)
    yield from case(
        "engine-dependency",
        c,
        "npm",
        ("npm install", "npm run build"),
        words,
        ("github",),
        files={**package({"core": "file:core"}), "core/package.json": '{"name": "core", "version": "4.0.0", "engines": {"node": "^16 || ^18"}}\n', ".npmrc": "engine-strict=true\n"},
        family="npm-engine-dependency",
        version=V,
    )
    yield from case("engine-yarn", c, "yarn", ("yarn --version", "yarn install"), words, ("gitlab", "jenkins"), files=package({"ms": "2.1.3"}, engines={"node": "14.x"}), setup=YARN, version=f"!{JS}/yarn/node_modules/.bin/yarn --version")
    yield from case(
        "engine-pnpm", c, "pnpm", ("pnpm install",), words, ("azure",), files={**package({"ms": "2.1.3"}, engines={"node": ">=24"}), ".npmrc": "engine-strict=true\n"}, setup=PNPM, version=f"!{JS}/pnpm/node_modules/.bin/pnpm --version"
    )

    c, words = "npm-script-missing", r"Missing script: |Command \"[\w:-]+\" not found|ERR_PNPM_NO_SCRIPT|[Mm]issing script"
    yield from case("script", c, "npm", ("npm install", "npm run build:prod"), words, ("gitlab", "github", "docker"), files=package(scripts={"build": "node -p 1", "test": "node -p 2"}), image="node:20-slim", version=V)
    yield from case("script-test", c, "npm", (INFO, "npm install", "npm test"), words, ("travis", "jenkins"), files=package(), family="npm-script-test", version=V)
    yield from case(
        "script-workspace",
        c,
        "npm",
        ("npm install", "npm run lint --workspaces"),
        words,
        ("azure",),
        files={**package(workspaces=["packages/*"]), "packages/a/package.json": '{"name": "a", "version": "1.0.0", "scripts": {"lint": "node -p 1"}}\n', "packages/b/package.json": '{"name": "b", "version": "1.0.0"}\n'},
        family="npm-script-workspace",
        version=V,
    )
    yield from case("script-yarn", c, "yarn", ("yarn install", "yarn run deploy"), words, ("gitlab", "make"), files=package({"ms": "2.1.3"}), setup=YARN, version=f"!{JS}/yarn/node_modules/.bin/yarn --version")
    yield from case("script-pnpm", c, "pnpm", ("pnpm install", "pnpm run e2e"), words, ("xtrace", "github"), files=package({"ms": "2.1.3"}), setup=PNPM, version=f"!{JS}/pnpm/node_modules/.bin/pnpm --version")


def _native() -> Iterator[Recipe]:
    c, words = "node-gyp-failed", r"gyp ERR! (build error|configure error|not ok)"
    gyp = path("gyp") + "export npm_config_nodedir=/usr\n"
    addon = {
        **package(),
        "binding.gyp": '{"targets": [{"target_name": "addon", "sources": ["addon.cc"]}]}\n',
        "addon.cc": '#include <node.h>\n\nvoid Hello(const v8::Arguments& args) {\n  v8::HandleScope scope;\n  args.GetReturnValue().Set(v8::String::New("world"));\n}\nvoid Init(v8::Handle<v8::Object> exports) { NODE_SET_METHOD(exports, "hello", Hello); }\nNODE_MODULE(addon, Init)\n',
    }
    version = f"!{JS}/gyp/node_modules/.bin/node-gyp --version"
    yield from case("gyp-old-api", c, "node-gyp", (INFO, "node-gyp rebuild"), words, ("gitlab", "github"), files=addon, setup=gyp, version=version)
    yield from case(
        "gyp-binding",
        c,
        "node-gyp",
        ("node-gyp configure",),
        words,
        ("jenkins", "travis"),
        files={**addon, "binding.gyp": '{"targets": [{"target_name": "addon", "sources": ["addon.cc"], "dependencies": ["deps/zstd/zstd.gyp:zstd"]}]}\n'},
        setup=gyp,
        family="gyp-binding",
        version=version,
    )
    yield from case(
        "gyp-python",
        c,
        "node-gyp",
        ("npm install --no-audit",),
        words,
        ("gitlab", "azure"),
        files={
            **package({"ms": "2.1.3", "addon": "file:addon"}),
            **{f"addon/{k}": v for k, v in addon.items() if k != "package.json"},
            "addon/package.json": '{"name": "addon", "version": "0.4.0", "gypfile": true, "scripts": {"install": "node-gyp rebuild"}}\n',
            ".npmrc": "install-links=true\n",
        },
        setup="mkdir $RUN/nopy; for p in node npm npx sh bash env ls cat head wc date uname gcc g++ make which printf grep sed; do ln -s $(command -v $p) $RUN/nopy/; done; export PATH=$RUN/nopy npm_config_nodedir=/usr\n",
        family="gyp-python",
        version=version,
    )
    yield from case(
        "gyp-install",
        c,
        "npm",
        ("npm install",),
        words,
        ("xtrace", "make"),
        files={
            **package({"addon": "file:addon"}),
            **{f"addon/{k}": v for k, v in addon.items() if k != "package.json"},
            "addon/package.json": '{"name": "addon", "version": "0.4.0", "gypfile": true, "scripts": {"install": "node-gyp rebuild"}}\n',
            ".npmrc": "install-links=true\nnodedir=/usr\n",
        },
        family="gyp-install",
        version=V,
    )

    c, words = "node-openssl-legacy", r"ERR_OSSL_EVP_UNSUPPORTED|digital envelope routines::unsupported"
    web = {
        **package(scripts={"build": "webpack --mode production"}),
        **_units(),
        "src/index.js": "".join(f"import {{ {camel(n)} }} from './{n}.js';\nconsole.log({camel(n)}(2, 3));\n" for n in UNITS[:10]),
        "webpack.config.js": "module.exports = { entry: './src/index.js', mode: 'production' };\n",
    }
    version = "!node --version"
    yield from case("openssl-webpack4", c, "webpack", (INFO, "npm run build"), words, ("gitlab", "github", "jenkins"), files=web, setup=path("webpack4"), version=version)
    yield from case("openssl-watch", c, "webpack", ("npx webpack --mode development --devtool source-map",), words, ("travis",), files=web, setup=path("webpack4"), version=version)
    hashing = {
        **package(scripts={"build": "node tools/assets.js"}),
        **_units(),
        "tools/assets.js": "const { createHash } = require('node:crypto');\nconst { readdirSync, readFileSync } = require('node:fs');\n\nconsole.log('hashing the assets');\nfor (const name of readdirSync('src')) {\n  const hash = createHash('md4').update(readFileSync(`src/${name}`)).digest('hex');\n  console.log(`${name} -> ${name.replace('.js', '')}.${hash.slice(0, 8)}.js`);\n}\n",
    }
    yield from case("openssl-script", c, "node", ("npm install", "npm run build"), words, ("azure", "docker", "make"), files=hashing, image="node:20-slim", version=version, family="node-md4")
    cipher = {
        **hashing,
        "tools/assets.js": "const crypto = require('node:crypto');\nconsole.log('unsealing the settings');\nconst d = crypto.createDecipheriv('rc4', Buffer.from('0123456789abcdef'), '');\nconsole.log(d.update('aa', 'hex', 'utf8'));\n",
    }
    yield from case("openssl-cipher", c, "node", ("node --version", "npm run build"), words, ("gitlab", "xtrace"), files=cipher, version=version, family="node-cipher")


def _code() -> Iterator[Recipe]:
    version = "!node --version"
    c, words = "node-module-missing", r"Cannot find (module|package)|Module not found: Error: Can't resolve|ERR_MODULE_NOT_FOUND|Could not resolve|failed to resolve import|Failed to resolve"
    need = {**package(), **_units(), "server.js": "".join(f"const {{ {camel(n)} }} = require('./src/{n}.js');\nconsole.log('{n}', {camel(n)}(2, 3));\n" for n in UNITS[:10]) + "const express = require('express');\nexpress();\n"}
    yield from case("module", c, "node", ("npm install", "node server.js"), words, ("gitlab", "github", "docker"), files=need, image="node:20-slim", version=version)
    esm = {**package(type="module"), "index.mjs": "import { format } from './lib/format.mjs';\nimport chalk from 'chalk';\n\nconsole.log(chalk.green(format('x')));\n", "lib/format.mjs": "export const format = (s) => s;\n"}
    yield from case("module-esm", c, "node", (INFO, "npm install", "node index.mjs"), words, ("jenkins", "travis"), files=esm, version=version, family="node-esm", key=r"^Error \[ERR_MODULE_NOT_FOUND\]")
    web = {
        **package(),
        **_units(),
        "src/index.js": "".join(f"import {{ {camel(n)} }} from './{n}.js';\nconsole.log({camel(n)}(2, 3));\n" for n in UNITS[:10]) + "import debounce from 'lodash/debounce';\nimport './styles/theme.js';\ndebounce();\n",
        "webpack.config.js": "module.exports = { entry: './src/index.js', mode: 'production' };\n",
    }
    yield from case("module-webpack", c, "webpack", ("npx webpack",), words, ("gitlab", "azure"), files=web, setup=path("webpack5"), version=version)
    page = {"index.html": '<!doctype html>\n<script type="module" src="/src/index.js"></script>\n'}
    yield from case("module-vite", c, "vite", ("npx vite build",), words, ("github", "xtrace"), files={**web, **page}, setup=path("vite"), version=version)
    yield from case("module-esbuild", c, "esbuild", ("npx esbuild src/index.js --bundle --outdir=dist",), words, ("make", "jenkins"), files=web, setup=path("vite"), version=version)
    yield from case(
        "module-jest",
        c,
        "jest",
        ("npx jest",),
        words,
        ("travis", "gitlab"),
        files={
            **_units(),
            **package(),
            "test/total.test.js": "const { invoiceTotal } = require('../src/invoice_totals.js');\ntest('total', () => expect(invoiceTotal(1, 2)).toBe(3));\n",
            "test/tax.test.js": "const { taxAmount } = require('../src/tax_amount.js');\ntest('tax', () => expect(taxAmount(1, 2)).toBe(6));\n",
        },
        setup=path("jest") + "rm -r empty\n",
        version=version,
    )

    c, words = "typescript-error", r"error TS\d+:|TS\d+:|TSError"
    bad = {
        "TS2322": "export const total: number = 'twelve';\n",
        "TS2345": "import { taxAmount } from './tax_amount';\nexport const t = taxAmount('2', 3);\n",
        "TS2339": "export const f = (x: { a: number }) => x.b;\n",
        "TS7006": "export const f = (x) => x;\n",
        "TS2532": "export const f = (x?: { a: number }) => x.a + 1;\n",
        "TS2304": "export const q = quantity * 2;\n",
    }
    config = {"tsconfig.json": '{"compilerOptions": {"strict": true, "target": "es2020", "module": "commonjs", "outDir": "dist", "skipLibCheck": true, "listFiles": false}, "include": ["src"]}\n'}
    units = {f"src/{n}.ts": f"export const {camel(n)} = (a: number, b: number): number => a * b + {i};\n" for i, n in enumerate(UNITS)}
    ts = f"!{JS}/ts/node_modules/.bin/tsc --version"
    for number, (code, text) in enumerate(bad.items()):
        old = number % 2 == 1
        wrappers = (("gitlab", "github+tty"), ("jenkins",), ("travis",), ("azure", "make"), ("xtrace",), ("github",))[number]
        command = ("npx tsc --noEmit --listEmittedFiles", "npx tsc -p tsconfig.json", "npx tsc --pretty", "npm run build", "npx tsc --build --verbose", "npm run build")[number]
        yield from case(
            f"ts-{code.lower()}",
            c,
            "tsc",
            (INFO, "npx tsc --version", command),
            words if code != "TS2532" else "error TS",
            wrappers,
            files={**package(scripts={"build": "tsc --extendedDiagnostics"}), **config, **units, "src/index.ts": text},
            setup=path("ts4" if old else "ts"),
            exit=(1, 2),
            version=ts.replace("/ts/", "/ts4/") if old else ts,
            family=f"tsc-{number % 4}",
        )

    c, words = "javascript-syntax-error", r"SyntaxError|Unexpected token|Unexpected identifier|Parsing error|Expected .* but found|Module parse failed|outside a module|Expected ['\"`,;)]|PARSE_ERROR|Parse error"
    broken = {
        **_units(),
        **package(scripts={"build": "node build.js"}),
        "build.js": "".join(f"console.log(require('./src/{n}.js'));\n" for n in UNITS[:9]) + "require('./src/report.js');\n",
        "src/report.js": "exports.report = (rows) => {\n  for (const row of rows {\n    console.log(row.total);\n  }\n};\n",
    }
    yield from case("syntax", c, "node", ("npm install", "npm run build"), words, ("gitlab", "github", "docker"), files=broken, image="node:20-slim", version=version)
    yield from case(
        "syntax-import", c, "node", (INFO, "node build.js"), words, ("jenkins", "travis"), files={**broken, "src/report.js": "exports.report = (path) => {\n  using file = open(path);\n  return file.read();\n};\n"}, family="node-newer", version=version
    )
    entry = {
        **broken,
        "src/index.js": "".join(f"import {{ {camel(n)} }} from './{n}.js';\nconsole.log({camel(n)});\n" for n in UNITS[:9]) + "import './report.js';\n",
        "webpack.config.js": "module.exports = { entry: './src/index.js', mode: 'production' };\n",
        **page,
    }
    yield from case("syntax-webpack", c, "webpack", ("npx webpack",), words, ("azure", "gitlab"), files=entry, setup=path("webpack5"), version=version)
    yield from case("syntax-esbuild", c, "esbuild", ("npx esbuild src/index.js --bundle --outdir=dist",), words, ("xtrace+tty", "github"), files=entry, setup=path("vite"), version=version)
    yield from case(
        "syntax-jest",
        c,
        "jest",
        ("npx jest",),
        words,
        ("gitlab",),
        files={
            **broken,
            "test/report.test.js": "const { report } = require('../src/report.js');\ntest('report', () => report([]));\n",
            "test/tax.test.js": "const { taxAmount } = require('../src/tax_amount.js');\ntest('tax', () => expect(taxAmount(1, 2)).toBe(6));\n",
        },
        setup=path("jest") + "rm -r empty\n",
        version=version,
    )
    yield from case("syntax-babel", c, "babel", ("npx babel src --out-dir dist --presets @babel/preset-env",), words, ("jenkins",), files=broken, setup=path("babel"), version=version)


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    yield from prefixed("js", _dependencies, _native, _code)
