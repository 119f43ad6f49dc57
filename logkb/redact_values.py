"""Values that only their name gives away: `password=…`, `"apiKey": "…"`, `--token …`, `<secret>…</secret>`, `AccountKey=…;`.

Each telling word is found first; what stands round it is then read in a window of fixed size, so the time is linear.
"""

from __future__ import annotations

import math
import string
from collections import Counter
from collections.abc import Iterator
from functools import cache

from logkb.redact_kinds import OPEN, compiled

# `key` says nothing by itself: caches have keys, too; see _KEY_OF.
_WORDS = ("passw", "passphrase", "passcode", "pwd", "secret", "token", "credential", "key")
_REST = {"passw": ("ord", "d")}
_KEY_OF = (
    r"(?:api|access|auth|account|private|signing|encryption|shared|storage|deploy|license|master|service|session|client|consumer|admin"
    r"|app|application|subscription|webhook|ssh|gpg|write|upload)[_-]?$"
)
# A name that ends so tells about a secret, and is none: where it is, what it is called, how long it lives.
_ABOUT = (
    r"(?i)(?:file|path|dir|folder|name|names|id|ids|type|count|length|len|size|expir\w*|ttl|age|url|uri|endpoint|host|version|policy"
    r"|field|prefix|suffix|env|var|status|state|alg|algorithm|regex|pattern|reset|hint|min|max|limit|manager|store|provider|class"
    r"|format|usage|present|set|enabled|disabled|required|valid|scope|scopes|ref|arn|stdin|prompt|error|rule|mode|source|issuer|auth"
    r"|from|helper|hash|digest|sha256|fingerprint|public|s)$"
)
_OTHER_KEYS = r"(?i)(?:cache|public|primary|foreign|partition|sort|unexpected|next|page|continuation|csrf\w*param)[_-]?"
# An unquoted value goes on over a delimiter unless the next name, or nothing more, follows it.
_VALUE = (
    r"(?:\\?[\"'`]\]?|\])?"
    r"(?P<sep>[ \t]{0,3}(?:=>|:=|=(?!=)|:(?![:/\\]))[ \t]{0,3}|>|[ \t]{1,3})"
    r"(?:(?P<open>\\?[\"'])(?P<quoted>(?:(?!(?P=open))(?:\\.|[^\n\\])){1,500})|(?P<bare>[^\s\"'<>,;&)}\]`](?:[^\s\"'<>,;&)}\]`]"
    r"|[,;&)}\]](?!\s|$|[)}\],;\"'`]|[ \t]{0,3}[A-Za-z_][\w.-]{0,40}[ \t]?[=:])){0,500}))"
)
# So many characters decide whether a value is a secret; where it is longer, all of it goes.
LONG_VALUE = 500
_BARE_REST, _QUOTED_REST = r"[^\s\"'<>,;&)}\]`]*+", r"(?:\\.|[^\n\\\"'])*+"
_NAME_CHARACTERS = string.ascii_letters + string.digits + "_-."
_STRONG = r"(?i)passw(?:or)?d|passphrase|passcode|pwd|client[_-]?secret|secret[_-]?(?:access[_-]?)?key|account[_-]?key"
# What follows `password:` in prose.
_PROSE = """
    null none nil true false undefined empty required missing not is the optional invalid incorrect failed denied expired ok yes
    no set unset changed unchanged unknown default defined provided found must should can cannot could was has have for from and
    or with a an to in of on at this that it error string str bool int text type hidden masked redacted removed secret password
    token passed success authentication authenticated disabled enabled prompt stdin write read never always object function
    sensitive value
"""
_CODE = r"[A-Za-z_]\w*(?:(?:\.|->|::)[A-Za-z_]\w*)+|[A-Za-z_][\w.]*[(\[].*|(?:new|await|self|this|process|os|env)\b[ .].*"
_PATH = r"(?:~|\.{1,2})?/(?:[\w.@+%-]+/)*[\w.@+%-]*|[A-Za-z]:\\.*|[\w.-]+(?:/[\w.-]+){1,20}"
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_DIGEST = r"(?i)(?:sha\d{1,3}|md5|blake\w{1,3})[:-].*"


def assignments(text: str, lower: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and kind of each value that its name gives away. `lower` is the text in lower case, of the same length."""
    end = 0
    for start, word in _words(lower):
        if start < end:
            continue
        before = text[max(0, start - 60) : start]
        lead = before[len(before.rstrip(_NAME_CHARACTERS)) :]
        if word == "key" and not compiled(_KEY_OF).search(lead.lower()):
            continue
        after = text[start + len(word) : start + 45]
        tail = after[: len(after) - len(after.lstrip(_NAME_CHARACTERS))]
        end = start + len(word) + len(tail)
        rest = next((tail[len(more) :] for more in _REST.get(word, ()) if tail.lower().startswith(more)), tail)
        if compiled(_ABOUT).search(rest) or compiled(_OTHER_KEYS).search(lead):
            continue
        found = compiled(_VALUE).match(text, end)
        if found is None or not _is_assignment(text, start - len(lead), lead, found["sep"]):
            continue
        group = "quoted" if found["quoted"] is not None else "bare"
        if not compiled(OPEN).match(found[group]):
            continue
        name = text[start - len(lead) : end]
        if _is_secret(name, found["sep"], found[group], quoted=group == "quoted", after=text[found.end() : found.end() + 40]):
            end = found.end(group)
            if len(found[group]) >= LONG_VALUE:
                following = compiled(_QUOTED_REST if group == "quoted" else _BARE_REST).match(text, end)
                end = following.end() if following else end
            yield found.start(group), end, _kind(name)


def _words(lower: str) -> list[tuple[int, str]]:
    """Where the telling words stand, in order."""
    found = []
    for word in _WORDS:
        position = lower.find(word)
        while position >= 0:
            found.append((position, word))
            position = lower.find(word, position + len(word))
    return sorted(found)


def _is_assignment(text: str, start: int, lead: str, separator: str) -> bool:
    if separator == ":" and text[max(0, start - 2) : start] == "//":
        return False
    if separator == ">":
        return text[max(0, start - 1) : start] == "<"
    return bool(separator.strip()) or lead.startswith("--")


def _kind(name: str) -> str:
    name = name.lower()
    if "account" in name and "key" in name:
        return "azure-key"
    if "aws" in name or name.endswith("secretaccesskey"):
        return "aws-secret"
    return "password" if "pass" in name or "pwd" in name else "secret"


@cache
def _prose() -> frozenset[str]:
    return frozenset(_PROSE.split())


def _is_secret(name: str, separator: str, value: str, *, quoted: bool, after: str) -> bool:
    if len(value) < 3 or value.strip().rstrip(".!?,:").lower() in _prose() or set(value) <= set("*.x-_#?%"):
        return False
    strong = bool(compiled(_STRONG).search(name))
    random = looks_random(value)
    path = bool(compiled(_PATH).fullmatch(value))
    code = bool(compiled(_CODE).fullmatch(value))
    if path and not random:
        # PWD and OLDPWD are folders.
        return strong and "=" in separator and name.isupper() and name not in ("PWD", "OLDPWD")
    if name.startswith("--") or "=" in separator or quoted or separator == ">":
        if code and not quoted and not name.isupper():
            return False
        return strong or random or (len(value) >= 6 and not (name[-1:].islower() and value.isdigit()))
    # `name: word` may be prose. A password of letters alone is believed only at the end of its line.
    if strong:
        last = not after.split("\n", 1)[0].strip(" \t\r,;\"'}])")
        return not code and (random or (last and (not value.isalpha() or len(value) >= 6)))
    return random and not compiled(_UUID).fullmatch(value)


def looks_random(value: str) -> bool:
    """Whether 16 or more characters look drawn by lot: letters and digits, no digest's name, 3 bits each (3.3 beyond hex)."""
    if len(value) < 16 or compiled(_DIGEST).fullmatch(value):
        return False
    if not (any(character.isdigit() for character in value) and any(character.isalpha() for character in value)):
        return False
    counts = Counter(value)
    entropy = -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
    return entropy >= (3.0 if set(value.lower()) <= set("0123456789abcdef-") else 3.3)
