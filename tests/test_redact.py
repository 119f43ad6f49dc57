"""Secrets go, everything else stays. Samples are built from parts, so that no scanner takes this file for a leak."""

from __future__ import annotations

import base64
import json
import random
import re
import string
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logkb.redact import BLOCK, BLOCK_LENGTH, PLACEHOLDER, Redactor, redact

ROOT = Path(__file__).parent.parent
PASSING = sorted((ROOT / "corpus" / "passing").rglob("*.log"))
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
chosen = random.Random(20240229)


def some(count: int, alphabet: str = BASE62) -> str:
    return "".join(chosen.choice(alphabet) for _ in range(count))


def checked(prefix: str, crc_of: str = "") -> str:
    """GitHub's and npm's form: 30 characters and their CRC-32 in base 62, six digits."""
    body = some(30)
    rest, digits = zlib.crc32((crc_of + body).encode()), ""
    while rest:
        rest, digit = divmod(rest, 62)
        digits = BASE62[digit] + digits
    return prefix + body + digits.rjust(6, "0")


def b64(count: int) -> str:
    return base64.b64encode(chosen.randbytes(count)).decode()


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jwt(**claims: object) -> str:
    head = b64url(json.dumps({"alg": "RS256", "typ": "JWT"}).encode())
    return f"{head}.{b64url(json.dumps(claims).encode())}.{b64url(chosen.randbytes(64))}"


URLSAFE = BASE62 + "_-"
HEX = "0123456789abcdef"
TOKENS: dict[str, list[str]] = {
    "github-token": [
        *(checked("gh" + f"{kind}_") for kind in "pousr"),
        "github" + "_pat_" + some(22) + "_" + some(59),
        "gh" + "s_" + "123456_" + jwt(iss="ghes", aud="api"),
    ],
    "gitlab-token": [
        *("gl" + f"{kind}-" + some(20, URLSAFE) for kind in ("pat", "oas", "dt", "rt", "rtr", "ptt", "ft", "imt", "agent", "soat", "ffct", "wt")),
        "gl" + "cbt-64_" + some(20, URLSAFE),
        "gl" + "pat-" + some(27, URLSAFE) + ".01.1" + some(8, string.digits),
        "GR" + "1348941" + some(20, URLSAFE),
    ],
    "npm-token": [checked("np" + "m_") for _ in range(3)],
    "pypi-token": ["py" + "pi-AgEIcHlwaS5vcmcCJ" + some(150, URLSAFE), "py" + "pi-AgENdGVzdC5weXBpLm9yZwIk" + some(140, URLSAFE)],
    "docker-token": ["dckr" + "_pat_" + some(27, URLSAFE), "dckr" + "_oat_" + some(32, URLSAFE)],
    "aws-key": ["AK" + "IA" + some(16, string.ascii_uppercase + "234567"), "AS" + "IA" + some(16, string.ascii_uppercase + "234567")],
    "google-key": ["AI" + "za" + "Sy" + some(33, URLSAFE) for _ in range(2)],
    "google-token": ["ya" + "29.a0Af" + some(120, URLSAFE), "1/" + "/0g" + some(60, URLSAFE)],
    "google-secret": ["GOC" + "SPX-" + some(28, URLSAFE)],
    "azure-secret": [some(3) + "8" + "Q~" + some(34), some(3) + "7" + "Q~" + some(31)],
    "azure-key": [some(76) + "AZ" + "DO" + some(4), some(76) + "+A" + "St" + some(6) + "=="],
    "slack-token": [
        "xo" + "xb-" + some(12, string.digits) + "-" + some(13, string.digits) + "-" + some(24),
        "xo" + "xp-" + "-".join(some(12, string.digits) for _ in range(3)) + "-" + some(32, HEX),
        "xo" + "xe.xo" + "xp-1-" + some(160),
        "xa" + "pp-1-A" + some(10, string.ascii_uppercase) + "-" + some(13, string.digits) + "-" + some(64, HEX),
    ],
    "stripe-key": ["sk" + "_live_" + some(24), "rk" + "_test_" + some(99), "whs" + "ec_" + some(32)],
    "anthropic-key": ["sk" + "-ant-api03-" + some(93, URLSAFE) + "AA", "sk" + "-ant-admin01-" + some(93, URLSAFE) + "AA"],
    "openai-key": [
        "sk" + "-" + some(20) + "T3Blbk" + "FJ" + some(20),
        "sk" + "-proj-" + some(74, URLSAFE) + "T3Blbk" + "FJ" + some(74, URLSAFE),
        "sk" + "-svcacct-" + some(58, URLSAFE) + "T3Blbk" + "FJ" + some(58, URLSAFE),
    ],
    "huggingface-token": ["hf" + "_" + some(34, string.ascii_letters), "api" + "_org_" + some(34, string.ascii_letters)],
    "jwt": [jwt(sub="1234567890", iat=1516239022), jwt(iss="https://example.org", scope="a b")],
    "private-key": ["AGE-SECRET" + "-KEY-1" + some(58, string.ascii_uppercase + string.digits), b64(0) + base64.b64encode(b"-----BEGIN " + b"RSA PRIVATE KEY-----\n" + chosen.randbytes(300)).decode()],
}  # fmt: skip
ALL_TOKENS = [(kind, token) for kind, tokens in TOKENS.items() for token in tokens]
LONG = some(40, BASE62 + "/+")
# What stands before the secret, the secret, what follows it.
PLACES: dict[str, list[tuple[str, str, str]]] = {
    "url-credential": [
        ("git clone https://bob:", "hunter22", "@example.org/x.git"),
        ("https://x-access-token:", some(30), "@example.org/o/r"),
        ("https://", some(40, HEX), "@example.org/o/r"),
        ("DATABASE_URL=postgres://app:", "s3/cr@t!", "@db.example.org:5432/app?sslmode=require"),
        ("mysql://root:", "t0ps3cret", "@127.0.0.1:3306/db"),
        ("mongodb+srv://u:", "p4ss-word", "@cluster0.example.org/test"),
        ("redis://:", "r3d1s-pw", "@cache:6379/0"),
        ("amqps://guest:", "rabb1t", "@mq.example.org:5671/%2f"),
        ("jdbc:oracle:thin:scott/", "t1gerish", "@//db.example.org:1521/x"),
    ],
    "authorization": [
        ("> Authorization: Basic ", b64(18), ""),
        ("* [HTTP/2] [1] [authorization: Bearer ", some(40), "]"),
        ('curl -H "Authorization: token ', some(40, HEX), '" https://example.org'),
        ("Proxy-Authorization: Basic ", b64(12), ""),
        ('{"Authorization": "Bearer ', some(32), '"}'),
        ("Authorization: AWS4-HMAC-SHA256 ", "Credential=x/20240101/eu-west-1/s3/aws4_request, Signature=" + some(64, HEX), ""),
        ("Authorization: Digest ", 'username="bob", realm="r", response="' + some(32, HEX) + '"', ""),
    ],
    "cookie": [
        ("> Cookie: ", "session=" + some(20) + "; theme=dark", ""),
        ("< Set-Cookie: ", "sid=" + some(30) + "; Path=/; HttpOnly", ""),
        ("curl -H 'Cookie: ", "_gitlab_session=" + some(32, HEX), "' https://example.org"),
    ],
    "password": [
        ("DB_PASSWORD=", "correcthorse", ""),
        ("export PGPASSWORD='", "correct horse battery", "'"),
        ("mysql --password ", "Tr0ub4dor", " -e 'select 1'"),
        ("mysql --password=", "Tr0ub4dor&3", " db"),
        ("  password: ", "Tr0ub4dor", ""),
        ('{"db_password": "', 'pa\\"ss', '", "user": "bob"}'),
        ("Server=db;User Id=sa;Password=", "P@ssw0rd!", ";Encrypt=true"),
        ("Server=db;Uid=sa;Pwd=", "P@ssw0rd!", ";"),
        ("jdbc:sqlserver://db:1433;user=sa;password=", "s3cr3t-x", ";databaseName=x"),
        ("jdbc:postgresql://db/x?user=u&password=", "s3cr3t-x", "&ssl=true"),
        ("-Dkeystore.password=", "changeit", " -X"),
        ("<password>", "mvn-s3cret", "</password>"),
        ("'password' => '", "ruby-s3cret", "',"),
    ],
    "secret": [
        ('"apiKey": "', some(32, HEX), '",'),
        ("API_TOKEN=", some(12), ""),
        ("token: ", some(32), ""),
        ("client_secret=", "not-random-at-all", "&grant=x"),
        ("X-Vault-Token: ", "hvs." + some(90, URLSAFE), ""),
        ("PRIVATE-TOKEN: ", some(20), ""),
        ("//example.org/:_authToken=", "123e4567-e89b-12d3-a456-426614174000", ""),
        ("  signing_key: ", b64(32), ""),
        ("SharedAccessKeyName=x;SharedAccessKey=", b64(32), ";EntityPath=y"),
    ],
    "azure-key": [("DefaultEndpointsProtocol=https;AccountName=x;AccountKey=", b64(64), ";EndpointSuffix=core.windows.net")],
    "azure-sas": [("https://x.blob.core.windows.net/c?sv=2022-11-02&sig=", "%2B" + some(40) + "%3D", "&se=2030-01-01")],
    "aws-secret": [
        ("AWS_SECRET_ACCESS_KEY=", LONG, ""),
        ('"SecretAccessKey": "', LONG, '",'),
        ("aws_secret_access_key = ", LONG, ""),
        ("AWS_SESSION_TOKEN=", b64(300), ""),
    ],
    "slack-webhook": [("https://hooks.slack.com/services/", f"T{some(9)}/B{some(9)}/{some(24)}", "")],
    "docker-auth": [('{"auths": {"example.org": {"auth": "', b64(15), '"}}}')],
    "url-parameter": [("https://example.org/a.zip?X-Amz-Signature=", some(64, HEX), "&x=y"), ("GET /v1/x?access_token=", some(40), "")],
}  # fmt: skip
ALL_PLACES = [(kind, *place) for kind, places in PLACES.items() for place in places]
NAMED = [pytest.param(*sample, id=f"{sample[0]}-{index}") for index, sample in enumerate(ALL_PLACES)]
BARE = [pytest.param(*sample, id=f"{sample[0]}-{index}") for index, sample in enumerate(ALL_TOKENS)]
KEY_TYPES = ["", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED "]


def pem(kind: str, lines: int = 8) -> list[str]:
    return [
        "-----BEGIN " + f"{kind}PRIVATE KEY-----",
        *(b64(48) for _ in range(lines)),
        b64(20),
        f"-----END {kind}PRIVATE" + " KEY-----",
    ]


def leaks(secret: str, text: str) -> list[str]:
    """Parts of the secret, eight characters long, that the text still shows."""
    seen = re.sub(r"\x1b\[[0-9;]*m", "", text).replace("\\\n", "").replace("\n", "")
    parts = {secret[at : at + 8] for at in range(max(1, len(secret) - 7))}
    return sorted(part for part in parts if part in seen)


@pytest.mark.parametrize(("kind", "secret"), BARE)
def test_a_token_becomes_its_placeholder(kind: str, secret: str) -> None:
    assert redact(f"using {secret} now") == f"using <{kind}:1> now"
    assert redact(f"using '{secret}'.") == f"using '<{kind}:1>'."


@pytest.mark.parametrize(("kind", "before", "secret", "after"), NAMED)
def test_a_value_is_masked_where_it_stands(kind: str, before: str, secret: str, after: str) -> None:
    assert redact(before + secret + after) == f"{before}<{kind}:1>{after}"


@pytest.mark.parametrize("after", ["", ", next", "\nnext"])
@pytest.mark.parametrize(("before", "quote"), [("GCP_SECRET=", ""), ("API_TOKEN='", "'"), ('"password": "', '"')])
def test_a_value_of_any_length_is_masked_to_its_end(before: str, quote: str, after: str) -> None:
    secret = some(5_000)
    masked = redact(before + secret + quote + after)
    assert re.sub(r"<[a-z]+:1>", "<1>", masked) == f"{before}<1>{quote}{after}"


@pytest.mark.parametrize(("kind", "secret"), BARE)
def test_colours_inside_a_token_hide_nothing(kind: str, secret: str) -> None:
    for at in (1, 3, len(secret) // 2, len(secret) - 1):
        text = f"\x1b[36mtoken \x1b[1m{secret[:at]}\x1b[0m\x1b[31m{secret[at:]}\x1b[0m!"
        assert f"<{kind}:1>" in redact(text)
        assert not leaks(secret, redact(text))
        assert re.findall(r"\x1b\[\d*m", redact(text)) == re.findall(r"\x1b\[\d*m", text)


@pytest.mark.parametrize(("kind", "before", "secret", "after"), NAMED)
def test_colours_inside_a_value_hide_nothing(kind: str, before: str, secret: str, after: str) -> None:
    at = len(secret) // 2
    for text in (f"{before}\x1b[1m{secret}\x1b[0m{after}", f"{before}{secret[:at]}\x1b[0;31m{secret[at:]}\x1b[m{after}"):
        assert f"<{kind}:1>" in redact(text)
        assert not leaks(secret, redact(text))


def wrapped(text: str, width: int, prefix: str = "") -> str:
    return "\n".join(prefix + text[at : at + width] for at in range(0, len(text), width))


@pytest.mark.parametrize("prefix", ["", "2024-05-01T10:00:00.1234567Z "])
@pytest.mark.parametrize(("kind", "secret"), BARE)
def test_a_token_that_a_terminal_wrapped_is_masked_on_every_line(kind: str, secret: str, prefix: str) -> None:
    for inside in {1, 3, 5, len(secret) // 2, len(secret) - 1}:
        if inside < 80:
            text = wrapped("pushing with " + "." * (66 - inside) + " " + secret + " to the registry", 80, prefix)
            assert not leaks(secret, redact(text)), inside
            assert f"<{kind}:1>" in redact(text)
            assert redact(text).count("\n") == text.count("\n")
            assert redact(text).replace("\n" + prefix, "").endswith(" to the registry")


@pytest.mark.parametrize(("kind", "before", "secret", "after"), NAMED)
def test_a_value_that_a_terminal_wrapped_is_masked(kind: str, before: str, secret: str, after: str) -> None:
    for inside in {2, len(secret) // 2}:
        lead = "." * (79 - inside - len(before) % 80) + " " if len(before) % 80 + inside < 79 else ""
        text = wrapped(lead + before + secret + after, 80)
        assert not leaks(secret, redact(text)), text


@pytest.mark.parametrize(("kind", "before", "secret", "after"), NAMED)
def test_a_value_is_masked_where_the_wrap_is_in_its_name(kind: str, before: str, secret: str, after: str) -> None:
    for cut in (1, 2, 4):
        text = wrapped("." * (79 - (len(before) - cut) % 80) + " " + before + secret + after, 80)
        assert not leaks(secret, redact(text)), text


@pytest.mark.parametrize(("kind", "secret"), BARE)
def test_a_backslash_at_the_line_s_end_hides_nothing(kind: str, secret: str) -> None:
    for at in (1, len(secret) // 2, len(secret) - 1):
        text = f"x {secret[:at]}\\\n{secret[at:]} y\nnext line"
        assert not leaks(secret, redact(text))
        assert f"<{kind}:1>" in redact(text)
        assert redact(text).endswith(" y\nnext line")


@pytest.mark.parametrize(("kind", "before", "secret", "after"), NAMED)
def test_a_backslash_inside_a_value_hides_nothing(kind: str, before: str, secret: str, after: str) -> None:
    for at in (2, len(secret) // 2 + 1, len(secret) - 1):
        text = f"x {before}{secret[:at]}\\\n{secret[at:]}{after}\nnext line"
        assert not leaks(secret, redact(text)), text
        assert redact(text).endswith("\nnext line")


def test_the_line_behind_a_long_secret_stays() -> None:
    for line in (
        "Error: the token was refused",
        "fatal: unable to access it",
        "make: *** [all] Error 1",
        "2024-05-01T10:00:00Z Done",
        "  at x",
    ):
        for _, secret in ALL_TOKENS:
            text = f"curl --header {secret}".rjust(85) + f"\n{line}"
            assert redact(text).endswith(f"\n{line}"), text


PREFIXES = [
    "",
    "2024-05-01T10:00:00.0000000Z ",
    "#12 3.456 ",
    "web-1  | ",
    "build\tStep\t2024-05-01T10:00:00.0000000Z ",
    "[host-7 build] > ",
]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("kind", KEY_TYPES)
def test_a_private_key_goes_from_every_line(kind: str, prefix: str) -> None:
    key = pem(kind)
    text = "\n".join(prefix + line for line in ["before", *key, "after it all"])
    shown = redact(text)
    for line in key[1:-1]:
        assert not leaks(line, shown)
    assert shown.count("\n") == text.count("\n")
    assert shown.startswith(f"{prefix}before\n{prefix}<private-key:1>\n")
    assert shown.endswith(f"\n{prefix}after it all")


@pytest.mark.parametrize("end", [None, 5])
def test_a_private_key_that_is_cut_off_goes_as_far_as_it_is_there(end: int | None) -> None:
    key = pem("RSA ")[:-1][:end]
    shown = redact("\n".join([*key, "Error: the key could not be read", "make: *** failed", "exit 1", "bye"]))
    assert "Error: the key could not be read\nmake: *** failed\nexit 1\nbye" in shown
    assert not [part for line in key[1:] for part in leaks(line, shown)]


def test_the_rest_of_a_private_key_whose_beginning_is_out_of_sight_goes() -> None:
    key = pem("RSA ")
    for text in ("\n".join([*key[3:], "ok"]), "\n".join([*key[3:6], "ok"]), "\n".join(["cut", *key[3:], "ok"])):
        shown = redact(text)
        assert not [part for line in key[1:-1] for part in leaks(line, shown)]
        assert shown.endswith("\nok")
    digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert redact(digest) == digest


def test_a_private_key_in_json_or_with_pgp_headers_goes() -> None:
    key = pem("")
    body = "".join(key[1:-1])
    account = json.dumps(
        {"type": "service_account", "private_key_id": "abc", "private_key": "\n".join(key) + "\n", "client_id": "1"}
    )
    for text in (account, json.dumps(account), wrapped(account, 80), "KEY=" + "\\n".join(key)):
        assert not leaks(body, redact(text).replace("\\n", "")), text
        assert "<private-key:1>" in redact(text)
    assert "client_id" in redact(account)
    block = (
        "-----BEGIN PGP "
        + "PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n"
        + b64(48)
        + "\n=AbC1\n-----END PGP PRIVATE"
        + " KEY BLOCK-----\nok"
    )
    assert redact(block).split("\n")[-1] == "ok"
    assert not re.search(r"[A-Za-z0-9+/]{40}", redact(block))


def test_words_about_keys_are_no_keys() -> None:
    text = "error: expected -----BEGIN " + "PRIVATE KEY-----, got nothing\nnext\nsha256:" + "a" * 64
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "commit 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
        "123e4567-e89b-12d3-a456-426614174000",
        "/usr/lib/python3.11/site-packages/secret_sauce/token.py",
        "integrity sha512-9s3Tdfg0e1dDdrZkdDdrZg==",
        '"integrity": "sha512-' + b64(64) + '"',
        "Cache restored from key: node-modules-Linux-8f14e45fceea167a5a36dedd4bea2543",
        "cache-key=2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
        "DB_PASSWORD=***",
        "DB_PASSWORD=[MASKED]",
        "export TOKEN=[secure]",
        "password=${{ secrets.PASSWORD }}",
        "password: $DB_PASSWORD",
        "password=os.environ['PASSWORD']",
        "    token = self.get_token(user)",
        "password: authentication failed for user bob",
        "fatal: could not read Password for 'https://example.org': terminal prompts disabled",
        "Authorization: required",
        "authorization: Basic realm expected",
        "Unexpected token: } at line 3",
        "SyntaxError: Unexpected token < in JSON at position 0",
        "PWD=/builds/group/project",
        "TOKEN_FILE=/run/secrets/token",
        "secret_name: projects/x/secrets/y",
        "npm ERR! code E401",
        "pip install sk-learn-utils",
        "task-runner-with-a-rather-long-name-v1",
        "http://localhost:4873/@babel/core/-/core-7.0.0.tgz",
        "git@github.com:octo/repo.git",
        "actions/checkout@v4.1.7",
        "https://example.org/path?key=value&page=2",
        "tokens: 123456789",
        "glibc-common-langpack-en_US-2.36",
        "https://example.org/a/b:c@d",
    ],
)  # fmt: skip
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_passed_logs_lose_no_hash_digest_uuid_or_path() -> None:
    assert len(PASSING) >= 200
    shapes = re.compile(
        r"sha\d{1,3}[:-][A-Za-z0-9+/=]{16,}|\b[0-9a-f]{32,64}\b|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
        r"|(?:/[\w.@+-]+){2,}|https?://\S+|\b\d+\.\d+\.\d+\S*"
    )
    masked, kept = [], 0
    for path in PASSING:
        text = path.read_text(encoding="utf-8", errors="replace")
        shown = redact(text)
        assert shapes.findall(shown) == shapes.findall(text), path
        kept += len(shapes.findall(text))
        masked += [(path.name, found[0]) for found in PLACEHOLDER.finditer(shown)]
    assert kept > 2000
    assert masked == []


@pytest.mark.parametrize(("kind", "secret"), BARE[::4])
def test_the_same_secret_keeps_its_number_across_texts_and_forms(kind: str, secret: str) -> None:
    other = "gl" + "pat-" + some(20)
    redactor = Redactor()
    assert redactor.redact(f"{secret} {secret}") == f"<{kind}:1> <{kind}:1>"
    assert redactor.redact(f"\x1b[1m{secret[:9]}\x1b[0m{secret[9:]}") == f"\x1b[1m<{kind}:1>\x1b[0m"
    assert redactor.redact(f"a {other} b {secret}").endswith(f"b <{kind}:1>")


def test_a_new_secret_never_takes_the_number_of_a_placeholder_in_the_text() -> None:
    assert redact("<github-token:3> " + checked("gh" + "p_")) == "<github-token:3> <github-token:4>"


def test_emails_go_on_request_only() -> None:
    text = "Author: Bob <bob.smith+ci@mail.example.org>, git@github.com:o/r.git, left-pad@1.3.0, checkout@v4"
    assert redact(text) == text
    assert redact(text, emails=True) == text.replace("bob.smith+ci@mail.example.org", "<email:1>")


SECRETS = [secret for _, secret in ALL_TOKENS] + [before + secret + after for _, before, secret, after in ALL_PLACES]
PIECES = st.lists(
    st.sampled_from([*SECRETS, "password", "=", ": ", "\n", "\\\n", " ", '"', "'", "\x1b[0m", "://", "@", "Authorization: ", "<secret:1>", *pem("")])
    | st.text(max_size=12),
    max_size=12,
).map("".join)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(PIECES)
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = redact(text)
    assert redact(once) == once
    assert once.count("\n") == text.count("\n")


@settings(max_examples=50, deadline=None)
@given(st.lists(PIECES, max_size=4), st.integers(0, 900))
def test_a_stream_of_lines_has_as_many_lines_and_shows_no_more(parts: list[str], filler: int) -> None:
    lines = [line for part in parts for line in [*part.split("\n"), *["plain"] * filler]]
    shown = list(Redactor().lines(iter(lines)))
    assert len(shown) == len(lines)
    if len(lines) < BLOCK:
        assert "\n".join(shown) == redact("\n".join(lines))


def test_a_key_over_the_edge_of_a_block_goes_from_a_stream() -> None:
    key = pem("RSA ", 60)
    for offset in (BLOCK - 30, BLOCK - 1, BLOCK + 10):
        shown = list(Redactor().lines([*["x"] * offset, *key, *["y"] * BLOCK]))
        assert shown == [*["x"] * offset, *["<private-key:1>"] * len(key), *["y"] * BLOCK]


def test_a_stream_of_long_lines_is_masked_in_bounded_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    whole = Redactor.redact

    def measured(self: Redactor, text: str) -> str:
        sizes.append(len(text))
        return whole(self, text)

    monkeypatch.setattr(Redactor, "redact", measured)
    line = "x " * 30_000
    key = pem("RSA ", 60)
    shown = list(Redactor().lines([*[line] * 40, *key, *[line] * 40, "password=hunter2horse"]))
    assert shown == [*[line] * 40, *["<private-key:1>"] * len(key), *[line] * 40, "password=<password:1>"]
    assert max(sizes) <= BLOCK_LENGTH + len(line)


HOSTILE = [
    "password=", "password", "token: ", "a:/", "://", "://a:", "http://a:b", "-----BEGIN " + "PRIVATE KEY-----", "-----BEGIN " + "PRIVATE KEY-----\n",
    "-----BEGIN " + "PRIVATE KEY-----!", "-----BEGIN " + "PRIVATE KEY-----aa-----END PRIVATE" + " KEY-----", "-----END PRIVATE" + " KEY-----\n", "a" * 60 + "A1\n",
    "-----BEGIN " + "PRIVATE KEY-----\n\n\n", "-----BEGIN " + "PRIVATE KEY-----\n" + "aA1" * 20 + "\n!\n",
    "eyJ", "eyJ.", "eyJaaaaaaaa.", "gh" + "p_", "gl" + "pat-", "sk" + "-", "sk" + "-ant-", "xo" + "xb-", "AK" + "IA", "AZ" + "DO", "+A" + "St", "8" + "Q~", "sig=", "?sig=",
    "authorization: ", "authorization: digest ", "cookie: a=", "cookie: ", '"auth": "', "?key=", "\x1b[", "\x1b]", "a" * 79 + "\n", "a\\\n", "@a.", "a@", "<secret:1>",
    "secret_" * 9, "-_." * 20, '"' + "\\" * 5, "password='", ";password=;", "1//0", "LS0tLS1CRUdJTi", "hooks.slack.com/services/", "\r", "\\n", "key", "jdbc:oracle:a:b/",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_time_grows_with_the_length_only(piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        started = time.process_time()
        redact(text, emails=True)
        return time.process_time() - started

    # Eight times the text takes some eight times as long; a quadratic pattern would take sixty-four times.
    small = max(seconds(6_000), 0.002)
    assert min(seconds(48_000) for _ in range(2)) < small * 8 * 4
