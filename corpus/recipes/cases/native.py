"""C and C++ builds: headers, libraries, symbols, compilers and build systems that are missing or too old."""

from __future__ import annotations

from collections.abc import Iterator

from ..blocks import APT_SMALL, TOOLS_C, autotools_project, c_main, c_modules, c_project, cmake_project, merge
from ..model import Recipe, spread
from ..wrappers import BUILDERS


def _case(name: str, cause: str, tool: str, steps: tuple[str, ...], signature: str, wrappers: tuple[str, ...], **more: object) -> Iterator[Recipe]:
    options: dict[str, object] = {"exit": (1, 2), "image": "gcc:12", "version": f"{tool} --version", "family": f"{tool}-{cause}", **more}
    yield from spread(Recipe(name=name, cause=cause, tool=tool, steps=steps, signature=signature, **options), wrappers)  # type: ignore[arg-type]


def _headers() -> Iterator[Recipe]:
    for index, (header, libs) in enumerate((("openssl/ssl.h", "-lssl"), ("zlib.h", "-lz"), ("curl/curl.h", "-lcurl"), ("libpq-fe.h", "-lpq"), ("ncurses.h", "-lncurses"), ("uuid/uuid.h", "-luuid"), ("yaml.h", "-lyaml"))):
        cc = ("gcc", "clang")[index in {2, 3}]
        main = c_main(f"#include <{header}>\n")
        wrappers = (("docker", "chroot"), ("chroot", "buildah"), ("buildx", "xtrace+tty"), ("travis",), ("buildkit",), ("chroot",), ("buildah",))[index]
        signature = rf"{header.replace('.', chr(92) + '.')}(: No such file|' file not found)"
        contained = wrappers[0] in BUILDERS | {"chroot"}
        compiler = "gcc" if contained else cc
        yield from _case(
            f"header-{header.split('/')[0].split('.')[0]}",
            "missing-header",
            compiler,
            ("make -j2",),
            signature,
            wrappers,
            files=c_project(main, cc=compiler, libs=libs, modules=10),
            exit=2,
            version="gcc --version" if contained else f"!{compiler} --version",
        )
    cxx = merge(c_modules(5), {"src/store.cc": "#include <boost/asio.hpp>\n#include <string>\nint main() { boost::asio::io_context io; return io.run(); }\n", "Makefile": c_project(cc="g++", compiler_var="CXX")["Makefile"]})
    yield from _case("header-boost", "missing-header", "g++", ("make",), r"boost/asio\.hpp: No such file", ("gitlab", "buildx"), files=cxx, exit=2)
    sdist = {
        "ext/setup.py": "from setuptools import Extension, setup\nsetup(name='pgext', version='0.3', ext_modules=[Extension('pgext', ['pgext.c'])])\n",
        "ext/pgext.c": '#include <Python.h>\n#include <sqlcipher/sqlite3.h>\nstatic struct PyModuleDef m = {PyModuleDef_HEAD_INIT, "pgext", 0, -1, 0};\nPyMODINIT_FUNC PyInit_pgext(void) { return PyModule_Create(&m); }\n',
    }
    yield from _case(
        "header-sdist",
        "missing-header",
        "pip",
        ("python -m venv .venv", ".venv/bin/pip install setuptools wheel click==8.1.7", ".venv/bin/pip install --no-build-isolation ./ext"),
        r"sqlcipher/sqlite3\.h: No such file",
        ("gitlab", "github"),
        files=sdist,
        exit=1,
        version="!python3 -m pip --version",
    )
    yield from _case(
        "header-python",
        "missing-header",
        "pip",
        ("apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev", "pip install setuptools wheel", "pip install --no-build-isolation ./ext"),
        r"Python\.h: No such file",
        ("chroot", "buildx"),
        files={**sdist, "ext/pgext.c": sdist["ext/pgext.c"].replace("#include <sqlcipher/sqlite3.h>\n", "")},
        exit=1,
        version="pip --version",
        image="python:3.11-slim",
    )


def _libraries() -> Iterator[Recipe]:
    missing = r"cannot find -l|unable to find library -l"
    for index, lib in enumerate(("ssl", "pq", "sqlite3", "curl", "usb-1.0", "z", "ffi")):
        wrappers = (("gitlab", "docker"), ("buildx",), ("chroot",), ("buildah",), ("travis", "make"), ("buildkit",), ("chroot",))[index]
        yield from _case(f"library-{lib}", "missing-library", "ld", ("make",), missing, wrappers, files=c_project(libs=f"-l{lib}{'x' if lib in {'z', 'ssl', 'curl'} else ''} -lm"), exit=2)
    yield from _case("library-cmake", "missing-library", "cmake", ("cmake -S . -B build", "cmake --build build"), missing, ("gitlab", "buildx"), files=cmake_project("target_link_libraries(app PRIVATE avcodec avformat)"))
    yield from _case("library-static", "missing-library", "ld", ("make LDFLAGS=-static",), missing, ("github",), files=c_project(libs="-lsystemd -lcap"), exit=2)
    yield from _case(
        "library-go",
        "missing-library",
        "go",
        ("go build ./...",),
        missing,
        ("gitlab",),
        files={"go.mod": "module example.org/acme/app\n\ngo 1.19\n", "main.go": 'package main\n\n// #cgo LDFLAGS: -lzmq\n// int zmq_errno(void);\nimport "C"\nimport "fmt"\n\nfunc main() { fmt.Println(C.zmq_errno()) }\n'},
        env={"GOCACHE": "/srv/lab/cache/go"},
        version="!go version",
    )
    rust = {"Cargo.toml": "[package]\nname = 'app'\nversion = '1.4.2'\nedition = '2021'\n", "src/main.rs": '#[link(name = "udev")]\nextern "C" { fn udev_new() -> *mut u8; }\nfn main() { unsafe { udev_new(); } }\n'}
    yield from _case("library-rust", "missing-library", "cargo", ("cargo build --release",), missing, ("gitlab", "github+tty"), files=rust, exit=101, version="!cargo --version")
    symbol = r"undefined reference to|undefined symbol"
    broken = c_main("int table_resize(struct table *self, size_t size);\nvoid telemetry_flush(void);\n", "    telemetry_flush();\n")
    yield from _case("undefined-c", "undefined-reference", "ld", ("make",), symbol, ("gitlab", "docker", "github", "xtrace+tty"), files=c_project(broken), exit=2)
    yield from _case("undefined-cmake", "undefined-reference", "cmake", (TOOLS_C, "cmake -S . -B build -DCMAKE_BUILD_TYPE=Release", "cmake --build build -j2"), symbol, ("buildx", "jenkins"), files=cmake_project("", broken))
    yield from _case(
        "undefined-math",
        "undefined-reference",
        "clang",
        ("make CC=clang",),
        symbol,
        ("azure",),
        files=c_project(c_main("#include <math.h>\n#include <stdlib.h>\n", '    total += (unsigned)pow(atof(getenv("X") ? getenv("X") : "2"), 1.5);\n')),
        exit=2,
        version="!clang --version",
    )
    cxx = {"src/a.cc": '#include <string>\nstruct Sink { virtual ~Sink(); virtual void write(const std::string &s); };\nint main() { Sink s; s.write("x"); }\n', "Makefile": c_project(cc="g++", compiler_var="CXX")["Makefile"]}
    yield from _case("undefined-vtable", "undefined-reference", "g++", ("make",), symbol, ("gitlab", "buildah"), files=merge(c_modules(6), cxx), exit=2)
    yield from _case(
        "undefined-runtime",
        "undefined-reference",
        "python",
        ("make lib", "python3 -c 'import ctypes; ctypes.CDLL(\"./libplug.so\", mode=2)'"),
        "undefined symbol",
        ("gitlab",),
        files={"plug.c": "int host_register(int);\nint plug_init(void) { return host_register(2); }\n", "Makefile": "lib:\n\tgcc -Wl,-z,now -shared -fPIC -o libplug.so plug.c\n"},
        version="!python3 --version",
    )


def _runtime() -> Iterator[Recipe]:
    shared = "error while loading shared libraries|cannot open shared object file"
    make_lib = "mkdir -p third/lib && gcc -shared -fPIC -Wl,-soname,libacme-core.so.2 -o third/lib/libacme-core.so.2 -x c - <<< 'int acme(void){return 1;}' && ln -sf libacme-core.so.2 third/lib/libacme-core.so\n"
    files = merge(c_project(libs="-Lthird/lib -Wl,--no-as-needed -lacme-core"))
    yield from _case(
        "shared-soname", "shared-library-missing", "ld.so", ("make", "ldd build/app | head -5", "./build/app"), shared, ("gitlab", "github", "buildx", "docker", "make"), files=files, exit=127, setup=make_lib, version="!ldd --version"
    )
    yield from _case(
        "shared-multistage",
        "shared-library-missing",
        "ld.so",
        (),
        shared,
        ("docker", "buildx", "buildah"),
        files=files,
        setup=make_lib,
        dockerfile="FROM gcc:12 AS build\nWORKDIR /app\nCOPY . .\nRUN make\nFROM debian:bookworm-slim\nCOPY --from=build /app/build/app /usr/local/bin/app\nRUN app --version\n",
        exit=(1, 127),
    )
    yield from _case("shared-python", "shared-library-missing", "python", ("python3 -c 'import ctypes; ctypes.CDLL(\"libpq.so.5x\")'",), shared, ("gitlab", "chroot"), exit=1, version="python3 --version", image="python:3.11-slim")
    yield from _case(
        "shared-opencv",
        "shared-library-missing",
        "pip",
        ("pip install 'opencv-python==4.10.0.84' 'numpy==1.26.4'", "python -c 'import cv2; print(cv2.__version__)'"),
        r"libGL\.so\.1|libgthread|libglib|cannot open shared object",
        ("chroot", "buildx"),
        exit=1,
        image="python:3.11-slim",
        version="pip --version",
        timeout=400,
    )
    glibc = r"version `(GLIBC|GLIBCXX)_[\d.]+' not found"
    new = "printf '#include <stdio.h>\\n#include <string.h>\\nint main(int c,char**v){char b[64];strlcpy(b,v[0],64);puts(b);return 0;}' > $RUN/n.c; cp $RUN/n.c $LAB/roots/debian-trixie-slim/tmp/n.c 2>/dev/null; mkdir -p tools; gcc -O1 -o tools/gen -x c - <<'E'\n#include <stdio.h>\n#include <pthread.h>\nstatic void*f(void*a){return a;}\nint main(void){pthread_t t;pthread_create(&t,0,f,0);pthread_join(t,0);puts(\"gen\");return 0;}\nE\n"
    for image, wrappers in (("debian:bullseye-slim", ("chroot", "docker", "buildx", "buildkit", "buildah")),):
        yield from _case("glibc-old", "glibc-too-old", "ld.so", ("ldd --version | head -1", "./tools/gen --version"), glibc, wrappers, exit=1, setup=new, image=image, version="ldd --version")
        yield from _case("glibc-old-apt", "glibc-too-old", "ld.so", (APT_SMALL, "./tools/gen --version"), glibc, ("chroot",), exit=1, setup=new, image=image, version="ldd --version")
    plus = "mkdir -p tools; cat > $RUN/p.cc <<'E'\n#include <iostream>\n#include <sstream>\n#include <filesystem>\nint main(){ std::ostringstream o; o << std::filesystem::current_path(); std::cout << o.str() << std::endl; }\nE\ng++ -std=c++17 -O1 -o tools/gen $RUN/p.cc\n"
    yield from _case(
        "glibcxx-old",
        "glibc-too-old",
        "ld.so",
        ("apt-get update && apt-get install -y --no-install-recommends libstdc++6", "./tools/gen"),
        glibc,
        ("chroot", "buildx"),
        exit=1,
        setup=plus,
        image="debian:bullseye-slim",
        version="ldd --version",
    )


def _compilers() -> Iterator[Recipe]:
    ext = {"ext/setup.py": "from setuptools import Extension, setup\nsetup(name='fastpath', version='0.3', ext_modules=[Extension('fastpath', ['fastpath.c'])])\n", "ext/fastpath.c": "#include <Python.h>\nint x;\n"}
    none = r"command '(gcc|x86_64-linux-gnu-gcc|cc|g\+\+)' failed|No CMAKE_C(XX)?_COMPILER|no acceptable C compiler|C compiler cannot create|linker `cc` not found|gcc: (command )?not found|cc: not found|Unknown compiler|No such file or directory: 'gcc'|make: gcc: No such file"
    yield from _case(
        "nocc-pip", "compiler-missing", "pip", ("pip install setuptools wheel", "pip install --no-build-isolation ./ext"), none, ("chroot", "docker", "buildx"), files=ext, exit=1, image="python:3.11-slim", version="pip --version"
    )
    yield from _case(
        "nocc-cmake",
        "compiler-missing",
        "cmake",
        ("apt-get update && apt-get install -y --no-install-recommends cmake make", "cmake -S . -B build"),
        none,
        ("chroot", "buildah"),
        files=cmake_project(""),
        image="debian:bookworm-slim",
        exit=1,
    )
    yield from _case(
        "nocc-configure",
        "compiler-missing",
        "autoconf",
        ("apt-get update && apt-get install -y --no-install-recommends make", "./configure"),
        none,
        ("chroot", "buildkit"),
        files=autotools_project(""),
        setup="autoreconf -fi",
        image="debian:bookworm-slim",
        exit=(1, 77),
        version="!autoconf --version",
    )
    yield from _case("nocc-make", "compiler-missing", "make", ("apt-get update && apt-get install -y --no-install-recommends make", "make"), none, ("chroot", "docker"), files=c_project(), image="debian:bookworm-slim", exit=2)
    rust = {"Cargo.toml": "[package]\nname = 'app'\nversion = '1.4.2'\nedition = '2021'\n", "src/main.rs": "fn main() {}\n"}
    yield from _case(
        "nocc-cargo",
        "compiler-missing",
        "cargo",
        ("cargo build",),
        none,
        ("gitlab", "github"),
        files=rust,
        exit=101,
        setup="mkdir $RUN/bin; for p in cargo rustc; do ln -s $(command -v $p) $RUN/bin/$p; done; for p in date head wc cat printf bash ls env tr; do ln -s /bin/$p $RUN/bin/$p; done; export RUSTUP_HOME=/root/.rustup PATH=$(dirname $(command -v cargo)):$RUN/bin",
        version="!cargo --version",
    )
    compile_error = r"error: "
    bugs = {"semicolon": ("    int n = 3\n", "expected"), "undeclared": ("    total += tabel_sum(0);\n", "implicit|undeclared"), "types": ("    struct buffer b = 3;\n", ""), "werror": ("    int unused = 1;\n", "unused")}
    for index, (name, (body, key)) in enumerate(bugs.items()):
        cflags = "-O2 -Wall -Wextra -Werror -Wno-error=maybe-uninitialized -Isrc" if name in {"werror", "undeclared"} else "-O2 -Wall -Isrc"
        modules = c_project(c_main("", body), cflags=cflags, modules=2 if "Werror" in cflags else 9) if name != "werror" else c_project(c_main("", body, 2), cflags=cflags, modules=2)
        if name == "undeclared":
            modules = c_project(c_main("", body, 2), cflags=cflags, modules=2)
        yield from _case(
            f"compile-{name}",
            "cpp-compile-error",
            "gcc",
            ("gcc --version | head -1", "make -k" if index % 2 else "make"),
            compile_error,
            (("gitlab", "docker"), ("github", "buildx"), ("travis",), ("xtrace+tty", "jenkins"))[index],
            key=rf"error: .*({key})",
            files=modules,
            exit=2,
        )
    cxx = {
        "src/pool.cc": "#include <vector>\n#include <memory>\ntemplate <class T> struct Pool { std::vector<std::unique_ptr<T>> items; void add(T t) { items.push_back(t); } };\nint main() { Pool<int> p; p.add(3); }\n",
        "Makefile": c_project(cc="g++", compiler_var="CXX")["Makefile"],
    }
    yield from _case("compile-template", "cpp-compile-error", "g++", ("make",), compile_error, ("gitlab", "buildah"), files=merge(c_modules(6), cxx), exit=2)
    yield from _case("compile-clangxx", "cpp-compile-error", "clang++", ("make CXX=clang++",), compile_error, ("github", "azure"), files=merge(c_modules(6), cxx), exit=2, version="!clang++ --version")
    yield from _case(
        "compile-cmake",
        "cpp-compile-error",
        "cmake",
        ("cmake -S . -B build -G Ninja", "cmake --build build"),
        compile_error,
        ("gitlab", "github+tty"),
        files=cmake_project("", c_main("", "    return total->size;\n")),
        version="!cmake --version",
    )


def _systems() -> Iterator[Recipe]:
    old = r"CMake [\d.]+ or higher is required|Compatibility with CMake < 3\.5 has been removed"
    yield from _case("cmake-old", "cmake-too-old", "cmake", (TOOLS_C, "cmake -S . -B build"), old, ("gitlab", "docker", "buildx", "github"), files=cmake_project("", minimum="3.28"), exit=1)
    yield from _case(
        "cmake-old-bullseye",
        "cmake-too-old",
        "cmake",
        ("apt-get update && apt-get install -y --no-install-recommends cmake gcc libc6-dev make", "cmake -S . -B build"),
        old,
        ("chroot",),
        files=cmake_project("", minimum="3.22"),
        exit=1,
        image="debian:bullseye-slim",
    )
    yield from _case(
        "cmake-new",
        "cmake-too-old",
        "cmake",
        ("python -m venv .venv", ".venv/bin/pip install cmake==4.0.3 ninja==1.11.1.1", ".venv/bin/cmake -S . -B build"),
        old,
        ("gitlab", "github+tty"),
        files=cmake_project("", minimum="3.2"),
        exit=1,
        version="!echo cmake version 4.0.3",
    )
    sub = merge(cmake_project("add_subdirectory(third/tiny)"), {"third/tiny/CMakeLists.txt": "cmake_minimum_required(VERSION 2.8.12)\nproject(tiny C)\n"})
    yield from _case("cmake-new-sub", "cmake-too-old", "cmake", ("python -m venv .venv && .venv/bin/pip install cmake==4.0.3", ".venv/bin/cmake -S . -B build"), old, ("jenkins",), files=sub, exit=1, version="!echo cmake version 4.0.3")
    package = r"Could NOT find|Could not find a package configuration file"
    for index, (want, _comment) in enumerate(
        (
            ("find_package(OpenSSL 4 REQUIRED)", ""),
            ("find_package(fmt 9 REQUIRED)", ""),
            ("find_package(Boost 1.74 REQUIRED COMPONENTS system filesystem)", ""),
            ("find_package(Qt6 COMPONENTS Widgets REQUIRED)", ""),
            ("find_package(ZLIB 1.3 REQUIRED)", ""),
            ("find_package(Protobuf CONFIG REQUIRED)", ""),
            ("find_package(CURL REQUIRED)", ""),
        )
    ):
        name = want.split("(")[1].split()[0].rstrip(")")
        yield from _case(
            f"cmake-find-{name.lower()}",
            "cmake-package-missing",
            "cmake",
            ("cmake -S . -B build -DCMAKE_BUILD_TYPE=Release",),
            package,
            (("gitlab", "docker"), ("buildx",), ("github",), ("travis",), ("buildkit",), ("azure",), ("buildah",))[index],
            files=cmake_project(want),
            exit=1,
            key=rf"Could NOT find {name}|provided by \"{name}\"|By not providing",
        )
    pkg = r"No package '|was not found in the pkg-config search path|Dependency \".*\" not found|Package requirements|required packages were not found"
    yield from _case("pkgconfig-autoconf", "pkg-config-missing", "pkg-config", ("autoreconf -fi", "./configure"), pkg, ("gitlab", "docker"), files=autotools_project("PKG_CHECK_MODULES([GTK], [gtk4 >= 4.6])"), exit=1)
    yield from _case(
        "pkgconfig-cmake",
        "pkg-config-missing",
        "pkg-config",
        ("cmake -B build",),
        pkg,
        ("github", "buildx"),
        files=cmake_project("find_package(PkgConfig REQUIRED)\npkg_check_modules(AV REQUIRED IMPORTED_TARGET libavcodec libavformat)"),
        exit=1,
    )
    yield from _case("pkgconfig-make", "pkg-config-missing", "pkg-config", ('flags=$(pkg-config --cflags --libs libusb-9 dbus-1x) && make CFLAGS="$flags -Isrc"',), pkg, ("travis", "jenkins"), files=c_project(), exit=1)
    yield from _case(
        "pkgconfig-meson",
        "pkg-config-missing",
        "meson",
        ("meson setup build",),
        pkg,
        ("gitlab", "github+tty"),
        files=merge(
            c_project(),
            {
                "meson.build": "project('app', 'c', version: '1.4.2')\ncc = meson.get_compiler('c')\ncc.has_header('sys/epoll.h')\ncc.has_function('getrandom')\nglib = dependency('glib-2.0x', version: '>= 2.70')\nexecutable('app', 'src/main.c', dependencies: glib)\n"
            },
        ),
        exit=1,
        version="!meson --version",
    )
    yield from _case(
        "pkgconfig-absent",
        "pkg-config-missing",
        "cmake",
        ("apt-get update && apt-get install -y --no-install-recommends cmake gcc libc6-dev make", "cmake -B build"),
        "Could NOT find PkgConfig",
        ("chroot",),
        files=cmake_project("find_package(PkgConfig REQUIRED)"),
        image="debian:bookworm-slim",
        exit=1,
    )
    stop = r"configure: error:|possibly undefined macro|autoreconf: (command )?not found"
    for index, check in enumerate(
        (
            "AC_CHECK_FUNC([gtk_main], [], [AC_MSG_ERROR([the toolkit is too old, at least 3.22 is needed])])",
            "AC_CHECK_PROG([HAS_BISON], [bisonx], [yes])\nAS_IF([test x$HAS_BISON != xyes], [AC_MSG_ERROR([bison is required to build the grammar])])",
            "AS_IF([test ! -e /etc/acme.conf], [AC_MSG_ERROR([cannot find /etc/acme.conf; use --with-conf])])",
        )
    ):
        yield from _case(
            f"configure-{index}",
            "configure-failed",
            "autoconf",
            ("autoreconf -fi", "./configure --prefix=/usr --disable-static", "make"),
            stop,
            (("gitlab", "buildx"), ("github",), ("docker", "make"))[index],
            files=autotools_project(check),
            exit=1,
        )
    yield from _case("configure-macro", "configure-failed", "autoconf", ("autoreconf -fi", "./configure"), stop, ("jenkins", "travis"), files=autotools_project("AC_ACME_CHECK_TOOL([x])\nPKG_PROG_ACME"), exit=1)
    yield from _case("configure-noautoreconf", "configure-failed", "autoconf", (APT_SMALL, "autoreconf -fi && ./configure"), stop, ("chroot", "buildah"), files=autotools_project(""), image="debian:bookworm-slim", exit=127, version="")
    rule = r"No rule to make target|missing separator"
    norule = c_project()
    yield from _case("norule-file", "make-no-rule", "make", ("make",), rule, ("gitlab", "docker", "github"), files={**norule, "Makefile": norule["Makefile"].replace("build/app: ", "build/app: src/generated/version.h ")}, exit=2)
    yield from _case("norule-target", "make-no-rule", "make", ("make all", "make install-docs"), rule, ("travis", "buildx"), files=norule, exit=2)
    yield from _case("norule-separator", "make-no-rule", "make", ("make --version | head -1", "make"), rule, ("jenkins", "azure"), files={**norule, "Makefile": norule["Makefile"].replace("\t@mkdir", "        @mkdir", 1)}, exit=2)
    yield from _case("norule-none", "make-no-rule", "make", ("ls -la", "make test"), rule + "|No targets specified", ("gitlab",), files={"README": "x\n"}, exit=2)


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    for group in (_headers, _libraries, _runtime, _compilers, _systems):
        yield from group()
