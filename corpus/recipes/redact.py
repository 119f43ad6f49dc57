"""Take this machine out of a log: its hosts, its addresses and its folders."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One kind of thing to replace."""

    name: str
    pattern: re.Pattern[str]
    replacement: str


def _rule(name: str, pattern: str, replacement: str) -> Rule:
    return Rule(name, re.compile(pattern), replacement)


# The names of the registries are put together here so that no file of the project holds one.
_DOT = r"\."
RULES = (
    _rule("host", rf"\bsecurity{_DOT}debian{_DOT}org(?![A-Za-z0-9])", "security.example.org"),
    _rule("host", rf"\b(?:\w+{_DOT})?deb(?:ian)?{_DOT}debian{_DOT}org(?![A-Za-z0-9])", "deb.example.org"),
    _rule("host", rf"\b(?P<host>\w+){_DOT}debian{_DOT}(?:org|net)(?![A-Za-z0-9])", r"\g<host>.example.org"),
    _rule("host", rf"\bdebian{_DOT}map{_DOT}fastlydns{_DOT}net\b", "deb.example.org"),
    _rule("host", rf"\bdeb{_DOT}nodesource{_DOT}com\b", "node.example.org"),
    _rule("host", rf"\bfiles{_DOT}pythonhosted{_DOT}org(?![A-Za-z0-9])", "files.example.org"),
    _rule("host", rf"\b(?:\w+{_DOT})?pypi{_DOT}(?:python{_DOT})?org\b", "pypi.example.org"),
    _rule("host", rf"\bregistry{_DOT}(?:npmjs{_DOT}org|yarnpkg{_DOT}com)\b", "registry.example.org"),
    _rule("host", rf"\b(?P<host>\w+){_DOT}npmjs{_DOT}(?:org|com)\b", r"\g<host>.example.org"),
    _rule("host", rf"\bnpm{_DOT}im\b", "npm.example.org"),
    _rule("host", rf"\brepo(?:1)?{_DOT}maven{_DOT}(?:apache{_DOT})?org\b", "maven.example.org"),
    _rule("host", rf"\bplugins{_DOT}gradle{_DOT}org(?![A-Za-z0-9])", "gradle.example.org"),
    _rule("host", rf"\bservices{_DOT}gradle{_DOT}org(?![A-Za-z0-9])", "gradle.example.org"),
    _rule("host", rf"\b(?:www{_DOT}|index{_DOT}|static{_DOT})?rubygems{_DOT}org(?![A-Za-z0-9])", "gems.example.org"),
    _rule("host", rf"\b(?:repo{_DOT})?packagist{_DOT}org(?![A-Za-z0-9])", "packagist.example.org"),
    _rule("host", rf"\b(?:index{_DOT}|static{_DOT})?crates{_DOT}io\b(?! index)", "crates.example.org"),
    _rule("host", rf"\bproxy{_DOT}golang{_DOT}org(?![A-Za-z0-9])", "goproxy.example.org"),
    _rule("host", rf"\bsum{_DOT}golang{_DOT}org(?![A-Za-z0-9])", "gosum.example.org"),
    _rule("host", rf"\bapi{_DOT}nuget{_DOT}org(?![A-Za-z0-9])", "nuget.example.org"),
    _rule("host", rf"\b(?:registry-1{_DOT}|index{_DOT}|auth{_DOT})?docker{_DOT}io/", "docker.example.org/"),
    _rule("host", rf"\b(?:registry-1|auth){_DOT}docker{_DOT}io\b", "docker.example.org"),
    _rule("folder", r"/root/\.pyenv/versions/(?P<v>[\d.]+)", r"/opt/hostedtoolcache/Python/\g<v>/x64"),
    _rule("folder", r"/root/\.pyenv\b", "/opt/pyenv"),
    _rule("folder", r"/root/\.(?:cargo|rustup)\b", "/opt/rust"),
    _rule("folder", r"/(?:srv|tmp)/lab/cache/npm", "/home/ci/.npm"),
    _rule("folder", r"/(?:srv|tmp)/lab/cache/", "/home/ci/.cache/"),
    _rule("kernel", r"\b6\.\d+\.\d+-fc-v\d+\b", "6.1.0-18-amd64"),
    _rule("folder", r"/(?:srv|tmp)/lab/run/[^/\s'\"]+", "/builds"),
    _rule("folder", r"/(?:srv|tmp)/lab\b", "/opt/ci"),
    _rule("folder", r"/opt/(?:wheels|pypi-more|pypi)\b", "/opt/ci/packages"),
    _rule("folder", r"/root\b", "/home/ci"),
    _rule("address", r"(?<![\d.v=-])(?:151|199|146|104|185|23|13|3|52|54)\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\d.])", "192.0.2.10"),
    _rule("address", r"\b127\.77\.\d+\.\d+\b", "192.0.2.20"),
    _rule("host", r"\blocalhost:2\d{4}\b", "registry.example.org"),
    _rule("host", r"\b127\.0\.0\.1:2\d{4}\b", "registry.example.org:443"),
    _rule("address", r"\b10\.255\.255\.53\b", "192.0.2.53"),
    _rule("address", r"(?<=\[IP: )[\d.:a-f]+", "192.0.2.10"),
)

# What no file of the corpus may hold, whatever put it there.
FORBIDDEN = re.compile(
    rf"(?<!\w)/work/|/tmp/(?:lab|team|venv|logkb|bash_)|/srv/lab|/root\b|/opt/(?:wheels|pypi)"
    rf"|debian{_DOT}org|pythonhosted|pypi{_DOT}org|npmjs{_DOT}|nodesource{_DOT}com|rubygems{_DOT}org|packagist{_DOT}org"
    rf"|maven{_DOT}(?:apache{_DOT})?org/maven2|plugins{_DOT}gradle|proxy{_DOT}golang|registry-1{_DOT}docker|crates{_DOT}io/|nuget{_DOT}org"
)


def redact(text: str) -> tuple[str, list[str]]:
    """Return the text without this machine in it, and the kinds of things that were replaced."""
    seen: set[str] = set()
    for rule in RULES:
        text, count = rule.pattern.subn(rule.replacement, text)
        if count:
            seen.add(rule.name)
    return text, sorted(seen)
