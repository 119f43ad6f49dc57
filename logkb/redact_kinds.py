# ruff: noqa: E501
"""The kinds of secrets with a form of their own, and the places where a secret stands in the open. Compiled at first use.

Formats as their vendors document them. Every pattern is linear: it starts with a literal or with a character that its own
body excludes, every repetition is bounded or possessive, and nothing that may fail late follows a long run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. A text without any of the `keywords` (lower case) cannot hold it.

    The pattern's group `secret` is masked; without that group all of it is. A match of one of the `whole` lengths is
    complete, so that the next line of the log is no part of it.
    """

    name: str
    keywords: tuple[str, ...]
    pattern: str
    whole: tuple[int, ...] = ()


# What a value cannot start with: what CI systems print instead of a secret, a template, a variable, our own placeholder.
OPEN = r"(?!\*{2}|\\?[<$]|\{\{|%[A-Za-z({]|\[(?i:secure|masked|redacted|filtered|hidden)\]?|x{3,}\b)"

KINDS: tuple[Kind, ...] = (
    Kind("private-key", ("age-secret-key-1",), r"AGE-SECRET-KEY-1[0-9A-Z]{58}", (74,)),
    # A PEM block in base64, as kubeconfig files hold it; certificates and public keys start differently.
    Kind("private-key", ("ls0tls1crudjti",), r"LS0tLS1CRUdJTi(?!BDRVJU|BQVUJMSUM)[A-Za-z0-9+/=]{40,20000}"),
    Kind("github-token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"gh[pousr]_(?:[A-Za-z0-9]{36,255}|[0-9]{1,12}_eyJ[A-Za-z0-9_.-]{36,2000})", (40,)),
    Kind("github-token", ("github_pat_",), r"github_pat_[A-Za-z0-9_]{36,255}", (93,)),
    Kind("gitlab-token", ("glpat-", "gloas-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "glsoat-", "glffct-", "glwt-"),
         r"gl(?:pat|oas|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|ffct|wt)-[A-Za-z0-9_=-]{20,320}(?:\.[0-9A-Za-z]{2,12}){0,2}"),
    Kind("gitlab-token", ("gr1348941",), r"GR1348941[A-Za-z0-9_-]{20}", (29,)),
    Kind("npm-token", ("npm_",), r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}", (40,)),
    Kind("pypi-token", ("pypi-ag",), r"pypi-Ag[A-Za-z0-9_-]{30,1000}"),
    Kind("docker-token", ("dckr_pat_", "dckr_oat_"), r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,100}"),
    Kind("aws-key", ("akia", "asia", "abia", "acca"), r"(?<![A-Za-z0-9+/])A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9+/])", (20,)),
    Kind("aws-secret", ("akia", "asia"), r"A(?:KIA|SIA)[A-Z0-9]{16}[\s,;:|\"']{1,6}(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])", (40,)),
    Kind("google-key", ("aiza",), r"AIza[A-Za-z0-9_-]{35}", (39,)),
    Kind("google-token", ("ya29.",), r"ya29\.[A-Za-z0-9_-]{20,2000}"),
    Kind("google-token", ("1//0",), r"(?<![A-Za-z0-9/])1//0[A-Za-z0-9_-]{38,200}"),
    Kind("google-secret", ("gocspx-",), r"GOCSPX-[A-Za-z0-9_-]{28}", (35,)),
    Kind("azure-secret", ("7q~", "8q~"), r"(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}"),
    # Azure's own marks inside a key (DevOps, Storage, Batch, Cosmos DB, Service Bus, Event Hubs, Container Registry, Functions, Search).
    Kind("azure-key", ("azdo",), r"(?<![A-Za-z0-9])[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}(?![A-Za-z0-9])", (84,)),
    Kind("azure-key", ("+ast", "+aba", "+asb", "+aeh", "+acr", "acdb", "azfu", "azse"),
         r"(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{76}(?:\+ASt|\+ABa|ACDb)[A-Za-z0-9+/]{6}==|[A-Za-z0-9+/]{33}(?:\+ASb|\+AEh)[A-Za-z0-9+/]{6}=|[A-Za-z0-9+/]{42}\+ACR[A-Za-z0-9+/]{6}|[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{5}==?|[A-Za-z0-9]{42}AzSe[A-Za-z0-9]{6})(?![A-Za-z0-9+/=])"),
    Kind("azure-sas", ("sig=",), r"[?&;\"' ]sig=(?P<secret>(?:[A-Za-z0-9+/]|%2[BFbf]){40,90}(?:=|%3[Dd]){0,2})"),
    Kind("slack-token", ("xox",), r"(?:xoxe\.)?xox[abcdeoprs]-[A-Za-z0-9-]{10,400}"),
    Kind("slack-token", ("xapp-",), r"xapp-\d-[A-Z0-9]{8,20}-\d{8,20}-[A-Za-z0-9]{20,128}"),
    Kind("slack-webhook", ("hooks.slack.com/",), r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9_/]{20,150})"),
    Kind("stripe-key", ("k_live_", "k_test_"), r"(?<![A-Za-z0-9])[rs]k_(?:live|test)_[A-Za-z0-9]{16,250}"),
    Kind("stripe-key", ("whsec_",), r"(?<![A-Za-z0-9])whsec_[A-Za-z0-9+/=]{24,100}"),
    Kind("anthropic-key", ("sk-ant-",), r"(?<![A-Za-z0-9])sk-ant-[A-Za-z0-9_-]{20,300}"),
    Kind("openai-key", ("sk-",), r"(?<![A-Za-z0-9_-])sk-(?:(?:proj|svcacct|admin|None|or-v1)-[A-Za-z0-9_-]{20,300}|[A-Za-z0-9]{32,200})"),
    Kind("huggingface-token", ("hf_", "api_org_"), r"(?<![A-Za-z0-9_])(?:hf|api_org)_[A-Za-z0-9]{34}", (37, 42)),
    Kind("jwt", ("eyj",), r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,8000}+\.(?:eyJ)?[A-Za-z0-9_-]{8,8000}+\.[A-Za-z0-9_-]{0,2000}(?:\.[A-Za-z0-9_-]{8,8000}\.[A-Za-z0-9_-]{8,100})?"),
)  # fmt: skip

VALUES: tuple[Kind, ...] = (
    # The password may hold an @: the host starts after the last one. Only data stores' URLs may hold a slash before it,
    # because http://localhost:4873/@scope/name is a URL with a port.
    Kind("url-credential", ("://",), r"://(?<=[A-Za-z0-9]://)[^\s/:@'\"<>?#`]{0,100}:" + OPEN + r"(?P<secret>[^\s/@'\"<>`]{1,300}(?:@[^\s/@'\"<>`]{1,300}){0,3})(?=@[A-Za-z0-9_\[.-])"),
    Kind("url-credential", ("://",), r"(?i:postgres(?:ql)?|mysql|mariadb|mongodb|mongodb\+srv|rediss?|amqps?|clickhouse|cockroachdb|mssql|sqlserver)://[^\s/:@'\"<>?#`]{0,100}:" + OPEN + r"(?P<secret>(?!\d{1,5}/)[^\s@'\"<>`]{1,300}(?:@[^\s/@'\"<>`]{1,300}){0,3})(?=@[A-Za-z0-9_\[.-])"),
    Kind("url-credential", ("://",), r"://(?<=[A-Za-z0-9]://)(?P<secret>(?=[^\s@]{0,200}\d)(?=[^\s@]{0,200}[A-Za-z])[A-Za-z0-9_.~%-]{20,200})(?=@[A-Za-z0-9])"),
    Kind("url-credential", ("jdbc:oracle:",), r"(?i:jdbc:oracle:[a-z]{1,10}:)[^\s/@'\"]{1,60}/" + OPEN + r"(?P<secret>[^\s@'\"]{1,200})(?=@)"),
    Kind("authorization", ("authorization",),
         r"(?i:authorization)(?:\\?[\"'])?\s{0,3}(?:[:=]|=>|,)\s{0,3}(?:\\?[\"'])?(?i:(?:digest|aws4-hmac-sha256|hawk|oauth|signature)\s{1,3})" + OPEN + r"(?P<secret>[^\r\n]{8,2000})"),
    Kind("authorization", ("authorization",),
         r"(?i:authorization)(?:\\?[\"'])?\s{0,3}(?:[:=]|=>|,)\s{0,3}(?:\\?[\"'])?(?i:(?P<scheme>basic|bearer|token|negotiate|ntlm|apikey|private-token|splunk|bot|key)(?:\s{1,3}|%20|:\s?))?(?!(?i:digest|aws4-hmac-sha256|hawk|oauth|signature)\s)" + OPEN + r"(?P<secret>[A-Za-z0-9._~+/=:-]{4,8000})"),
    Kind("cookie", ("cookie",), r"(?i:cookie2?)(?:\\?[\"'])?\s{0,3}(?::|=>)\s{0,3}(?:\\?[\"'])?" + OPEN + r"(?P<secret>[^\s=;,'\"\\]{1,256}=[^\r\n'\"\\]{1,4000})"),
    Kind("docker-auth", ("auth",), r"\"auth\"\s{0,3}:\s{0,3}\"(?P<secret>[A-Za-z0-9+/=]{8,2000})\""),
    Kind("url-parameter", ("x-amz-", "x-goog-", "signature=", "access_token=", "token=", "key=", "code=", "sig="),
         r"[?&](?i:x-amz-signature|x-amz-security-token|x-goog-signature|signature|sig|access_token|refresh_token|id_token|token|api_?key|key|code|client_secret|auth)=" + OPEN + r"(?P<secret>[^\s&'\"<>#)\]]{16,4000})"),
)  # fmt: skip

EMAIL = Kind(
    "email",
    ("@",),
    r"(?<![A-Za-z0-9._%+-])(?!git@)[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,8}[A-Za-z]{2,24}(?![\w-])",
)


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled at its first use."""
    return re.compile(pattern)
