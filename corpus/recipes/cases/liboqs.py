"""liboqs or its headers are not installed: compilers, linkers, build systems, bindings, the loader."""

from __future__ import annotations

from collections.abc import Iterator

from ..blocks import SYSTEM_INFO, TOOLS_C, autotools_project, c_main, c_modules, c_project, cmake_project, merge
from ..model import Recipe, spread

CAUSE = "liboqs-missing"
NOTES = r"oqs"
KEM_USE = """
static int handshake(void) {
    OQS_KEM *kem = OQS_KEM_new(OQS_KEM_alg_ml_kem_768);
    if (!kem) return 1;
    unsigned char public_key[4096], secret_key[4096];
    int status = OQS_KEM_keypair(kem, public_key, secret_key);
    OQS_KEM_free(kem);
    return status;
}
"""
MAIN = c_main("#include <oqs/oqs.h>\n" + KEM_USE, "    total += handshake();\n")
# The header as an application vendors it: enough to compile, so that only the library is missing.
STUB = """#pragma once
#define OQS_KEM_alg_ml_kem_768 "ML-KEM-768"
typedef struct OQS_KEM OQS_KEM;
#ifdef __cplusplus
extern "C" {
#endif
OQS_KEM *OQS_KEM_new(const char *method_name);
int OQS_KEM_keypair(const OQS_KEM *kem, unsigned char *public_key, unsigned char *secret_key);
void OQS_KEM_free(OQS_KEM *kem);
#ifdef __cplusplus
}
#endif
"""
CXX = """#include <oqs/oqs.h>
#include <iostream>
#include <vector>
int main() {
    OQS_KEM *kem = OQS_KEM_new(OQS_KEM_alg_ml_kem_768);
    std::vector<unsigned char> pk(4096), sk(4096);
    std::cout << OQS_KEM_keypair(kem, pk.data(), sk.data()) << std::endl;
    OQS_KEM_free(kem);
}
"""
HEADER = r"oqs/oqs\.h(: No such file or directory|' file not found)"
LINK = r"(cannot find -loqs|unable to find library -loqs)"


def _headers() -> Iterator[Recipe]:
    for cc, version in (("gcc", "gcc --version"), ("clang", "!clang --version")):
        recipe = Recipe(
            name=f"oqs-header-{cc}-make", cause=CAUSE, tool=cc, family=f"{cc}-oqs-header", version=version,
            files=c_project(MAIN, cc=cc, libs="-loqs -lcrypto"), steps=(SYSTEM_INFO, f"{cc} --version", "make"),
            exit=2, signature=HEADER, image="gcc:12",
        )  # fmt: skip
        yield from spread(recipe, ("gitlab", "make", "xtrace+tty") + (("docker", "buildx", "buildah") if cc == "gcc" else ("jenkins",)))
    for cxx in ("g++", "clang++"):
        files = merge(c_modules(5), {"src/kem.cc": CXX, "Makefile": c_project(cc=cxx, libs="-loqs", compiler_var="CXX")["Makefile"]})
        recipe = Recipe(
            name=f"oqs-header-{cxx.replace('+', 'x')}", cause=CAUSE, tool=cxx, family=f"{cxx}-oqs-header", version=f"{cxx} --version" if cxx == "g++" else f"!{cxx} --version",
            files=files, steps=("make -k",), exit=2, signature=HEADER, image="gcc:12",
        )  # fmt: skip
        yield from spread(recipe, ("github", "azure") + (("buildkit",) if cxx == "g++" else ("travis",)))
    for generator, flag in (("make", "Unix Makefiles"), ("ninja", "Ninja")):
        recipe = Recipe(
            name=f"oqs-header-cmake-{generator}", cause=CAUSE, tool="cmake", family="cmake-oqs-header", version="cmake --version",
            files=cmake_project("target_link_libraries(app PRIVATE oqs)", MAIN), image="gcc:12", exit=(1, 2), signature=HEADER,
            steps=(TOOLS_C, f"cmake -S . -B build -G '{flag}' -DCMAKE_BUILD_TYPE=Release", "cmake --build build -j2"),
        )  # fmt: skip
        yield from spread(recipe, ("gitlab", "github") if generator == "ninja" else ("gitlab", "docker", "buildah"))


def _links() -> Iterator[Recipe]:
    files = {"vendor/include/oqs/oqs.h": STUB}
    flags = "-O2 -Wall -Isrc -Ivendor/include"
    for cc, ldflags, name in (("gcc", "", "bfd"), ("gcc", "-fuse-ld=gold", "gold"), ("clang", "", "clang"), ("gcc", "-static", "static")):
        recipe = Recipe(
            name=f"oqs-link-{name}", cause=CAUSE, tool="ld", family=f"ld-{name}-oqs", version="ld --version", image="gcc:12",
            files=merge(c_project(MAIN, cc=cc, cflags=flags, libs="-loqs -lm"), files), exit=2, signature=LINK,
            steps=(f"make LDFLAGS='{ldflags}'",),
        )  # fmt: skip
        yield from spread(recipe, ("sh", "github", "buildx", "docker") if name == "bfd" else ("gitlab",))
    recipe = Recipe(
        name="oqs-link-cmake", cause=CAUSE, tool="cmake", family="cmake-oqs-link", version="cmake --version", image="gcc:12",
        files=merge(cmake_project("target_include_directories(app PRIVATE vendor/include)\ntarget_link_libraries(app PRIVATE oqs)", MAIN), files),
        steps=("mkdir build && cd build && cmake ..", "make -C build VERBOSE=1"), exit=2, signature=LINK,
    )  # fmt: skip
    yield from spread(recipe, ("jenkins", "buildkit"))


def _finders() -> Iterator[Recipe]:
    pkg = Recipe(
        name="oqs-pkg-config", cause=CAUSE, tool="pkg-config", family="pkg-config-oqs", version="pkg-config --version", image="gcc:12",
        files=merge(c_project(MAIN), {"configure": "#!/bin/sh\nset -e\necho 'checking for C compiler... gcc'\npkg-config --version\npkg-config --print-errors --exists 'zlib' || true\nCFLAGS=$(pkg-config --cflags liboqs)\nLIBS=$(pkg-config --libs liboqs)\necho \"$CFLAGS $LIBS\" > config.mk\n"}),
        steps=("./configure", "make"), signature="Package liboqs was not found in the pkg-config search path", key="Package liboqs was not found|No package 'liboqs' found",
    )  # fmt: skip
    yield from spread(pkg, ("gitlab", "xtrace", "docker", "buildah"))
    meson = Recipe(
        name="oqs-meson", cause=CAUSE, tool="meson", family="meson-oqs", version="!meson --version",
        files=merge(c_project(MAIN), {"meson.build": "project('app', 'c', version: '1.4.2', default_options: ['warning_level=2'])\ncc = meson.get_compiler('c')\nm = cc.find_library('m')\nthreads = dependency('threads')\nzlib = dependency('zlib', required: false)\noqs = dependency('liboqs', version: '>=0.8')\nexecutable('app', 'src/main.c', dependencies: [m, threads, oqs])\n"}),
        steps=("meson setup build", "ninja -C build"), signature='Dependency "liboqs" not found|Dependency lookup for liboqs', key="ERROR: Dependency", needs=("meson",),
    )  # fmt: skip
    yield from spread(meson, ("gitlab", "github+tty"))
    extras = {
        "config": "find_package(liboqs 0.10 REQUIRED)\ntarget_link_libraries(app PRIVATE OQS::oqs)",
        "pkgmodule": "find_package(PkgConfig REQUIRED)\npkg_check_modules(LIBOQS REQUIRED liboqs>=0.8.0)",
        "library": 'find_library(OQS_LIBRARY NAMES oqs liboqs)\nfind_path(OQS_INCLUDE_DIR oqs/oqs.h)\ninclude(FindPackageHandleStandardArgs)\nfind_package_handle_standard_args(OQS REQUIRED_VARS OQS_LIBRARY OQS_INCLUDE_DIR)\nif(NOT OQS_FOUND)\n  message(FATAL_ERROR "Could not find liboqs: set OQS_ROOT or install liboqs-dev")\nendif()',
        "required": "find_library(OQS_LIBRARY NAMES oqs REQUIRED)\nfind_path(OQS_INCLUDE_DIR oqs/oqs.h REQUIRED)",
    }
    for kind, extra in extras.items():
        recipe = Recipe(
            name=f"oqs-cmake-{kind}", cause=CAUSE, tool="cmake", family=f"cmake-oqs-{kind}", version="cmake --version", image="gcc:12",
            files=cmake_project(extra, MAIN), steps=("cmake -B build -S .", "cmake --build build"),
            signature="CMake Error", key=r'provided by "liboqs"|No package .liboqs|Could NOT find OQS|Could not find liboqs|OQS_LIBRARY', forbid="C compiler cannot",
        )  # fmt: skip
        yield from spread(recipe, ("gitlab", "buildx") if kind != "required" else ("azure", "docker"))
    for kind, checks, key in (
        ("header", "AC_CHECK_HEADER([oqs/oqs.h], [], [AC_MSG_ERROR([oqs/oqs.h not found: install the liboqs development files])])", r"configure: error: oqs/oqs\.h"),
        ("library", "AC_CHECK_LIB([oqs], [OQS_KEM_new], [], [AC_MSG_ERROR([liboqs is required, set LDFLAGS to where it is])])", "configure: error: liboqs"),
        ("pkg", "PKG_CHECK_MODULES([OQS], [liboqs >= 0.8.0])", r"configure: error: Package requirements \(liboqs"),
    ):
        recipe = Recipe(
            name=f"oqs-autoconf-{kind}", cause=CAUSE, tool="autoconf", family=f"autoconf-oqs-{kind}", version="autoconf --version", image="gcc:12",
            files=autotools_project(checks, MAIN), steps=("autoreconf -fi", "./configure", "make -j2"), signature=key, exit=1,
        )  # fmt: skip
        yield from spread(recipe, ("travis", "buildkit") if kind != "pkg" else ("gitlab",))


def _loaders() -> Iterator[Recipe]:
    build = "gcc -shared -fPIC -Wl,-soname,liboqs.so.7 -o /tmp/liboqs.so.7 -x c - <<< 'void *OQS_KEM_new(const char*n){return 0;} int OQS_KEM_keypair(void*k,unsigned char*p,unsigned char*s){return 0;} void OQS_KEM_free(void*k){}' && ln -sf liboqs.so.7 /tmp/liboqs.so"
    loader = Recipe(
        name="oqs-loader", cause=CAUSE, tool="ld.so", family="ld.so-oqs", version="ldd --version",
        files=merge(c_project(MAIN, cflags="-O2 -Isrc -Ivendor/include", libs="-L/tmp -loqs"), {"vendor/include/oqs/oqs.h": STUB}),
        setup=build, steps=("make", "rm -f /tmp/liboqs.so*; ldd build/app || true", "./build/app --selftest"), exit=127,
        signature=r"loading shared libraries: liboqs\.so\.7", image="gcc:12",
    )  # fmt: skip
    yield from spread(loader, ("gitlab", "xtrace", "github"))
    python = Recipe(
        name="oqs-ctypes", cause=CAUSE, tool="python", family="python-oqs-ctypes", version="!python3 --version",
        files={"pq/__init__.py": "", "pq/native.py": "import ctypes\n\n_oqs = ctypes.CDLL('liboqs.so')\n", "pq/kem.py": "from .native import _oqs\n\n\ndef algorithms():\n    return _oqs.OQS_KEM_alg_count()\n", "tests/test_kem.py": "from pq.kem import algorithms\n\n\ndef test_count():\n    assert algorithms()\n"},
        steps=("python -m venv .venv", ".venv/bin/pip install pytest==8.3.3 click==8.1.7", ".venv/bin/python -c 'import pq.kem'"), exit=1,
        signature=r"OSError: liboqs\.so: cannot open shared object file",
    )  # fmt: skip
    yield from spread(python, ("gitlab", "make"))
    yield Recipe(
        name="oqs-pytest-ctypes", cause=CAUSE, tool="pytest", family="pytest-oqs", version="!python3 --version", files=python.files, wrapper="github", exit=2,
        steps=(python.steps[0], python.steps[1], ".venv/bin/python -m pytest -ra"), signature=r"OSError: liboqs\.so: cannot open shared object file", env={"PYTHONPATH": "."},
    )  # fmt: skip


def _bindings() -> Iterator[Recipe]:
    sdist = {
        "kemext/setup.py": "from setuptools import Extension, setup\n\nsetup(name='kemext', version='0.3', ext_modules=[Extension('kemext', ['kemext.c'], libraries=['oqs'])])\n",
        "kemext/kemext.c": '#define PY_SSIZE_T_CLEAN\n#include <Python.h>\n#include <oqs/oqs.h>\nstatic struct PyModuleDef m = {PyModuleDef_HEAD_INIT, "kemext", 0, -1, 0};\nPyMODINIT_FUNC PyInit_kemext(void) { OQS_KEM_new("ML-KEM-768"); return PyModule_Create(&m); }\n',
        "kemext/pyproject.toml": "[build-system]\nrequires = ['setuptools', 'wheel']\nbuild-backend = 'setuptools.build_meta'\n",
    }
    pip = Recipe(
        name="oqs-pip-sdist", cause=CAUSE, tool="pip", family="pip-oqs", version="!python3 -m pip --version", files=sdist,
        steps=("python -m venv .venv", ".venv/bin/pip install click==8.1.7 ./kemext"), signature=HEADER,
    )  # fmt: skip
    yield from spread(pip, ("gitlab", "github"))
    link = {**sdist, "kemext/oqs/oqs.h": STUB, "kemext/setup.py": sdist["kemext/setup.py"].replace("libraries=", "include_dirs=['.'], libraries=")}
    yield Recipe(name="oqs-pip-sdist-link", cause=CAUSE, tool="pip", family="pip-oqs-link", version="!python3 -m pip --version", files=link, steps=pip.steps, signature=LINK, wrapper="jenkins")
    go = {
        "go.mod": "module example.org/acme/pq\n\ngo 1.19\n",
        "main.go": 'package main\n\n/*\n#cgo LDFLAGS: -loqs\n#include <oqs/oqs.h>\n*/\nimport "C"\nimport "fmt"\n\nfunc main() { fmt.Println(C.OQS_KEM_alg_count()) }\n',
        "internal/store/store.go": 'package store\n\nimport "sync"\n\ntype Store struct { mu sync.Mutex; m map[string]int }\n',
    }
    yield Recipe(
        name="oqs-cgo-header",
        cause=CAUSE,
        tool="go",
        family="go-oqs",
        version="!go version",
        files=go,
        steps=("go version", "go vet ./internal/...", "go build -v ./..."),
        exit=(1, 2),
        signature=HEADER,
        wrapper="gitlab",
        needs=("go:golang-go",),
    )
    pkg = {**go, "main.go": go["main.go"].replace("#cgo LDFLAGS: -loqs", "#cgo pkg-config: liboqs")}
    yield Recipe(
        name="oqs-cgo-pkgconfig",
        cause=CAUSE,
        tool="go",
        family="go-oqs-pkg",
        version="!go version",
        files=pkg,
        steps=("go version", "go build -v ./..."),
        exit=(1, 2),
        signature="liboqs was not found|No package 'liboqs'",
        wrapper="github",
        needs=("go:golang-go",),
    )
    rust = {
        "Cargo.toml": "[workspace]\nmembers = ['oqs-sys', 'app']\nresolver = '2'\n",
        "oqs-sys/Cargo.toml": "[package]\nname = 'oqs-sys'\nversion = '0.9.1'\nedition = '2021'\nlinks = 'oqs'\nbuild = 'build.rs'\n",
        "oqs-sys/build.rs": 'use std::process::Command;\nfn main() {\n    println!("cargo:rerun-if-env-changed=OQS_DIR");\n    let out = Command::new("pkg-config").args(["--libs", "--cflags", "liboqs >= 0.8.0"]).output().unwrap();\n    if !out.status.success() {\n        panic!("`pkg-config --libs --cflags liboqs` failed: {}", String::from_utf8_lossy(&out.stderr));\n    }\n}\n',
        "oqs-sys/src/lib.rs": '#[link(name = "oqs")]\nextern "C" { pub fn OQS_KEM_alg_count() -> i32; }\n',
        "app/Cargo.toml": "[package]\nname = 'app'\nversion = '1.4.2'\nedition = '2021'\n[dependencies]\noqs-sys = { path = '../oqs-sys' }\n",
        "app/src/main.rs": 'fn main() { println!("{}", unsafe { oqs_sys::OQS_KEM_alg_count() }); }\n',
    }
    cargo = Recipe(
        name="oqs-cargo-build-script",
        cause=CAUSE,
        tool="cargo",
        family="cargo-oqs",
        version="!cargo --version",
        files=rust,
        steps=("cargo --version", "cargo build --release"),
        exit=101,
        signature="liboqs",
        key="Package liboqs was not found|No package 'liboqs'",
        needs=("cargo",),
    )
    yield from spread(cargo, ("gitlab", "github+tty"))
    linked = {**rust, "oqs-sys/build.rs": "fn main() {}\n"}
    yield Recipe(name="oqs-cargo-link", cause=CAUSE, tool="cargo", family="cargo-oqs-link", version="!cargo --version", files=linked, steps=("cargo build",), exit=101, signature=LINK, wrapper="gitlab", needs=("cargo",))
    gem = {
        "extconf.rb": "require 'mkmf'\nhave_header('string.h')\nabort 'liboqs headers are missing (oqs/oqs.h)' unless have_header('oqs/oqs.h')\nabort 'liboqs is missing' unless have_library('oqs', 'OQS_KEM_new')\ncreate_makefile('kem')\n",
        "kem.c": "#include <ruby.h>\n#include <oqs/oqs.h>\nvoid Init_kem(void) {}\n",
    }
    yield Recipe(
        name="oqs-ruby-mkmf",
        cause=CAUSE,
        tool="ruby",
        family="ruby-oqs",
        version="!ruby --version",
        files=gem,
        steps=("ruby --version", "ruby extconf.rb", "make"),
        signature="liboqs headers are missing",
        wrapper="gitlab",
        needs=("ruby:ruby-full",),
    )
    addon = {
        "package.json": '{"name": "pq-addon", "version": "1.0.0", "gypfile": true, "scripts": {"build": "node-gyp rebuild"}}\n',
        "binding.gyp": "{'targets': [{'target_name': 'pq', 'sources': ['pq.c'], 'libraries': ['-loqs']}]}\n",
        "pq.c": '#include <node_api.h>\n#include <oqs/oqs.h>\nNAPI_MODULE_INIT() { OQS_KEM_new("ML-KEM-768"); return exports; }\n',
    }
    yield Recipe(
        name="oqs-node-gyp",
        cause=CAUSE,
        tool="node-gyp",
        family="node-gyp-oqs",
        version="!node --version",
        files=addon,
        steps=("node --version", "npm install --foreground-scripts"),
        signature=HEADER,
        wrapper="github",
        env={"npm_config_nodedir": "/usr"},
    )


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    yield from _headers()
    yield from _links()
    yield from _finders()
    yield from _loaders()
    yield from _bindings()
