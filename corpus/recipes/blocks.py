"""Building blocks of recipes: small real projects whose builds give a failure its context."""

from __future__ import annotations

from collections.abc import Mapping

_NAMES = ("buffer", "queue", "table", "strings", "config", "logger", "codec", "clock", "arena", "parser", "crc", "ring")


def _module(name: str, index: int) -> str:
    """Write one small C module; every third has something for the compiler to warn about."""
    warn = "    int unused_result;\n" if index % 3 == 2 else ""
    return f"""#include "{name}.h"
#include <stdlib.h>
#include <string.h>

struct {name} {{ size_t size; unsigned char *data; }};

struct {name} *{name}_new(size_t size) {{
{warn}    struct {name} *self = (struct {name} *)malloc(sizeof *self);
    if (!self) return NULL;
    self->size = size;
    self->data = (unsigned char *)calloc(size, 1);
    return self;
}}

void {name}_free(struct {name} *self) {{
    if (self) free(self->data);
    free(self);
}}

unsigned {name}_sum(const struct {name} *self) {{
    unsigned total = {index};
    for (size_t i = 0; i < self->size; i++) total = total * 31 + self->data[i];
    return total;
}}
"""


def _header(name: str) -> str:
    return f"#pragma once\n#include <stddef.h>\nstruct {name};\nstruct {name} *{name}_new(size_t size);\nvoid {name}_free(struct {name} *self);\nunsigned {name}_sum(const struct {name} *self);\n"


def c_modules(count: int = 8, folder: str = "src") -> dict[str, str]:
    """Return the sources of a small C library, without a build system."""
    files = {}
    for index, name in enumerate(_NAMES[:count]):
        files[f"{folder}/{name}.c"] = _module(name, index)
        files[f"{folder}/{name}.h"] = _header(name)
    return files


def c_main(extra: str = "", body: str = "", uses: int = 3) -> str:
    """Return a main program that uses the first modules."""
    includes = "".join(f'#include "{name}.h"\n' for name in _NAMES[:uses])
    calls = "".join(f"    struct {n} *{n} = {n}_new({16 * (i + 1)}); total += {n}_sum({n}); {n}_free({n});\n" for i, n in enumerate(_NAMES[:uses]))
    return f'{includes}#include <stdio.h>\n{extra}\nint main(void) {{\n    unsigned total = 0;\n{calls}{body}    printf("total %u\\n", total);\n    return 0;\n}}\n'


def makefile(program: str = "app", cc: str = "gcc", cflags: str = "-O2 -Wall -Wextra -Isrc", libs: str = "", compiler_var: str = "CC") -> str:
    """Return the Makefile of the small C project."""
    return f"""{compiler_var} ?= {cc}
{compiler_var} := {cc}
CFLAGS = {cflags}
LDLIBS = {libs}
SOURCES = $(sort $(wildcard src/*.c src/*.cc))
OBJECTS = $(patsubst %,build/%.o,$(basename $(SOURCES)))

all: build/{program}

build/{program}: $(OBJECTS)
	$({compiler_var}) -o $@ $^ $(LDFLAGS) $(LDLIBS)

build/src/%.o: src/%.c
	@mkdir -p $(@D)
	$({compiler_var}) $(CFLAGS) -c -o $@ $<

build/src/%.o: src/%.cc
	@mkdir -p $(@D)
	$({compiler_var}) $(CFLAGS) -c -o $@ $<

check: all
	./build/{program}

clean:
	rm -rf build

.PHONY: all check clean
"""


def c_project(main: str = "", *, modules: int = 8, **options: str) -> dict[str, str]:
    """Return a C project with a Makefile."""
    return {**c_modules(modules), "src/main.c": main or c_main(), "Makefile": makefile(**options)}


def cmake_project(extra: str, main: str = "", *, modules: int = 8, language: str = "C", minimum: str = "3.16") -> dict[str, str]:
    """Return the same project built by CMake; `extra` goes after the target."""
    listing = f"""cmake_minimum_required(VERSION {minimum})
project(app VERSION 1.4.2 LANGUAGES {language})
include(CheckIncludeFile)
include(CheckFunctionExists)
include(CheckSymbolExists)
check_include_file(unistd.h HAVE_UNISTD_H)
check_include_file(sys/epoll.h HAVE_EPOLL)
check_include_file(sys/event.h HAVE_KQUEUE)
check_function_exists(strlcpy HAVE_STRLCPY)
check_function_exists(getrandom HAVE_GETRANDOM)
find_package(Threads REQUIRED)
file(GLOB SOURCES CONFIGURE_DEPENDS src/*.c)
add_executable(app ${{SOURCES}})
target_link_libraries(app PRIVATE Threads::Threads)
target_compile_options(app PRIVATE -Wall -Wextra)
{extra}
"""
    return {**c_modules(modules), "src/main.c": main or c_main(), "CMakeLists.txt": listing}


def autotools_project(checks: str, main: str = "", *, modules: int = 6) -> dict[str, str]:
    """Return the same project built by autotools; `checks` goes into configure.ac."""
    sources = " ".join(f"src/{name}.c src/{name}.h" for name in _NAMES[:modules])
    return {
        **c_modules(modules),
        "src/main.c": main or c_main(),
        "configure.ac": f"""AC_INIT([app], [1.4.2], [bugs@app.example.org])
AC_CONFIG_AUX_DIR([build-aux])
AM_INIT_AUTOMAKE([foreign subdir-objects])
AC_PROG_CC
AC_PROG_INSTALL
AC_CHECK_HEADERS([stdlib.h string.h sys/event.h sys/epoll.h bsd/string.h])
AC_CHECK_FUNCS([strlcpy getrandom arc4random kqueue])
AC_TYPE_SIZE_T
AC_C_BIGENDIAN
{checks}
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
""",
        "Makefile.am": f"AM_CPPFLAGS = -I$(srcdir)/src\nbin_PROGRAMS = app\napp_SOURCES = src/main.c {sources}\n",
    }


def shell_file(*lines: str) -> str:
    """Return an executable shell script."""
    return "#!/bin/sh\n" + "\n".join(lines) + "\n"


def merge(*parts: Mapping[str, str]) -> dict[str, str]:
    """Join several sets of files."""
    return {name: text for part in parts for name, text in part.items()}


# Steps that real jobs begin with; what they print is real, and harmless.
LOCAL_CLONE = "git -c init.defaultBranch=main init -q upstream && cd upstream && git -c user.name=ci -c user.email=ci@example.org commit -q --allow-empty -m 'Release 1.4.2' && cd .. && git clone --no-local upstream checkout"
SYSTEM_INFO = "uname -a\ndf -h . | tail -1\nnproc"
TOOLS_C = "gcc --version | head -1\ncmake --version | head -1\nmake --version | head -1"
PIP_SMALL = "python -m venv .venv\n.venv/bin/pip install 'click==8.1.7' 'jinja2==3.1.4' 'packaging==24.1' 'pyyaml==6.0.2'"
APT_SMALL = "apt-get update\napt-get install -y --no-install-recommends ca-certificates curl xz-utils"
