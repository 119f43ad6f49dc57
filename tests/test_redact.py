"""Secrets go, everything else stays."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logkb.redact import redact

ALNUM = string.ascii_letters + string.digits
# Built from parts, so that no scanner takes this file for a leak.
SECRETS = {
    "github-token": ["gh" + "p_" + ALNUM[:36], "github" + "_pat_" + ALNUM[:22] + "_" + ALNUM[:59]],
    "gitlab-token": ["gl" + "pat-" + ALNUM[:20]],
    "npm-token": ["np" + "m_" + ALNUM[:36]],
    "pypi-token": ["py" + "pi-AgEIcHlwaS5vcmc" + ALNUM],
    "aws-key": ["AK" + "IAIOSFODNN7EXAMPLE"],
    "google-key": ["AI" + "za" + ALNUM[:35]],
    "slack-token": ["xo" + "xb-123456789012-abcdefABCDEF"],
    "stripe-key": ["sk" + "_live_" + ALNUM[:24]],
    "anthropic-key": ["sk" + "-ant-api03-" + ALNUM[:40]],
    "openai-key": ["sk" + "-proj-" + ALNUM[:40]],
    "huggingface-token": ["hf" + "_" + ALNUM[:34]],
    "jwt": ["ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"],
}


@pytest.mark.parametrize(("kind", "secret"), [(kind, secret) for kind, found in SECRETS.items() for secret in found])
def test_a_token_becomes_its_placeholder(kind: str, secret: str) -> None:
    assert redact(f"using {secret} now") == f"using <{kind}:1> now"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://bob:hunter22@example.org/x", "https://bob:<url-credential:1>@example.org/x"),
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer <authorization:1>"),
        ("Set-Cookie: session=abcdef; Path=/", "Set-Cookie: <cookie:1>"),
        ("DB_PASSWORD=correcthorse", "DB_PASSWORD=<secret:1>"),
        ('"apiKey": "abcdef123456"', '"apiKey": "<secret:1>"'),
        ("a=b password=correcthorse x password=correcthorse", "a=b password=<secret:1> x password=<secret:1>"),
    ],
)
def test_a_value_behind_a_telling_name_is_masked(text: str, masked: str) -> None:
    assert redact(text) == masked


def test_a_private_key_goes_whole() -> None:
    key = "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIabc\ndef==\n-----END RSA PRIVATE KEY-----"
    assert redact(f"a\n{key}\nb") == "a\n<private-key:1>\nb"


@pytest.mark.parametrize(
    "text",
    [
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "commit 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
        "123e4567-e89b-12d3-a456-426614174000",
        "/usr/lib/python3.11/site-packages/secret_sauce/token.py",
        "integrity sha512-9s3Tdfg0e1dDdrZkdDdrZg==",
        "DB_PASSWORD=***",
        "password=${{ secrets.PASSWORD }}",
        "npm ERR! code E401",
        "pip install sk-learn-utils",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=200), st.sampled_from([secret for found in SECRETS.values() for secret in found]))
def test_redacting_twice_changes_nothing(text: str, secret: str) -> None:
    once = redact(f"{text} token={secret} {text}")
    assert redact(once) == once


def test_the_time_grows_with_the_length_only() -> None:
    def seconds(size: int) -> float:
        text = "password=" * (size // 9) + "a:/" * (size // 3) + "-----BEGIN PRIVATE KEY-----" * (size // 200)
        started = time.process_time()
        redact(text)
        return time.process_time() - started

    small = max(seconds(20_000), 0.002)
    assert seconds(160_000) < small * 8 * 6
