# ruff: noqa: E501
"""Mask secrets before text leaves this machine. Stable placeholders: the same secret gets the same number in one text.

Formats as their vendors document them. Every pattern is linear: a literal prefix, then one bounded class.
"""

from __future__ import annotations

import re

_KINDS: tuple[tuple[str, str], ...] = (
    ("private-key", r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY-----[A-Za-z0-9+/=\s\\:,-]{0,20000}?(?:-----END (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY-----|\Z)"),
    ("github-token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b"),
    ("gitlab-token", r"\bgl(?:pat|ptt|dt|rt|cbt|soat|ft|imt|agent|oas)-[A-Za-z0-9_-]{20,300}"),
    ("npm-token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("pypi-token", r"\bpypi-[A-Za-z0-9_-]{50,500}"),
    ("docker-token", r"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,100}"),
    ("aws-key", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    ("google-key", r"\bAIza[A-Za-z0-9_-]{35}"),
    ("google-token", r"\bya29\.[A-Za-z0-9_-]{20,500}"),
    ("slack-token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,250}"),
    ("slack-webhook", r"hooks\.slack\.com/services/[A-Za-z0-9/]{20,100}"),
    ("stripe-key", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,200}"),
    ("anthropic-key", r"\bsk-ant-[A-Za-z0-9_-]{20,200}"),
    ("openai-key", r"\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,300}"),
    ("huggingface-token", r"\bhf_[A-Za-z0-9]{30,60}\b"),
    ("jwt", r"\beyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,2000}"),
)  # fmt: skip
_VALUES: tuple[tuple[str, str], ...] = (
    ("url-credential", r"(?P<keep>\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@'\"]{0,100}:)(?P<secret>[^\s/@'\"]{1,200})(?=@)"),
    ("authorization", r"(?P<keep>(?i:\b(?:proxy-)?authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:(?:basic|bearer|token)\s{1,3})?))(?P<secret>[A-Za-z0-9._~+/=-]{8,2000})"),
    ("cookie", r"(?P<keep>(?i:\b(?:set-)?cookie:\s{0,3}))(?P<secret>\S[^\r\n]{0,2000})"),
    (
        "secret",
        r"(?P<keep>(?<![<\w.-])(?i:[\w.-]{0,40}(?:password|passwd|passphrase|secret|api[_-]?key|apikey|access[_-]?key|auth[_-]?token|access[_-]?token|_token|token_|private[_-]?key|client[_-]?secret|account[_-]?key)[\w-]{0,20}[\"']?\s{0,3}[=:]\s{0,3}[\"']?))"
        r"(?P<secret>(?!\*{3}|<|\$|\{|\[|(?:null|none|true|false|undefined|empty|required|missing|not|is|the)\b)[^\s'\",;]{6,500})",
    ),
)  # fmt: skip
_PLACEHOLDER = re.compile(r"<[a-z-]+:\d+>")
_PATTERNS = tuple((kind, re.compile(pattern)) for kind, pattern in (*_KINDS, *_VALUES))


def redact(text: str) -> str:
    """The text with every secret replaced by a placeholder such as `<github-token:1>`. Redacting twice changes nothing."""
    numbers: dict[tuple[str, str], int] = {}
    counts: dict[str, int] = {}

    def placeholder(kind: str, secret: str) -> str:
        if (kind, secret) not in numbers:
            counts[kind] = counts.get(kind, 0) + 1
            numbers[kind, secret] = counts[kind]
        return f"<{kind}:{numbers[kind, secret]}>"

    for kind, pattern in _PATTERNS:

        def replace(found: re.Match[str], kind: str = kind) -> str:
            groups = found.groupdict()
            if "secret" not in groups:
                return placeholder(kind, found[0])
            if _PLACEHOLDER.match(groups["secret"]):
                return found[0]
            return f"{groups['keep']}{placeholder(kind, groups['secret'])}"

        text = pattern.sub(replace, text)
    return text
