"""The network: real clients against names, servers, certificates and proxies that are wrong, in a network of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..blocks import c_project
from ..model import Recipe, spread


@dataclass(frozen=True)
class Client:
    """A program that fetches; URL stands for the address."""

    command: str
    version: str
    exits: tuple[int, ...] = (1,)
    files: tuple[tuple[str, str], ...] = ()
    wrapper: str = ""


@dataclass(frozen=True)
class Fault:
    """What is wrong with the other end, and the words that clients have for it."""

    cause: str
    words: str
    setup: str
    scheme: str = "http"
    clients: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()


POM = "<project xmlns='http://maven.apache.org/POM/4.0.0'><modelVersion>4.0.0</modelVersion><groupId>org.acme</groupId><artifactId>app</artifactId><version>1.4.2</version><dependencies><dependency><groupId>org.acme</groupId><artifactId>core-client</artifactId><version>3.1</version></dependency></dependencies></project>\n"
SETTINGS = "<settings><mirrors><mirror><id>acme</id><mirrorOf>*</mirrorOf><url>URL/maven2</url></mirror></mirrors></settings>\n"
FETCH_PY = "import sys\nimport urllib.request\n\nprint('fetching the model list', flush=True)\nwith urllib.request.urlopen(sys.argv[1], timeout=6) as answer:\n    print(len(answer.read()), 'bytes')\n"
FETCH_JS = "console.log('downloading the fixtures');\nfetch(process.argv[2], { signal: AbortSignal.timeout(6000) }).then(async (r) => { if (!r.ok) throw new Error(`request failed: ${r.status} ${r.statusText}`); console.log((await r.text()).length); });\n"
CLIENTS: Mapping[str, Client] = {
    "curl": Client("curl -fSL --retry 1 --retry-delay 1 --connect-timeout 6 --max-time 8 -o tool.tar.gz URL/releases/v2.1/tool-linux-amd64.tar.gz && tar -xzf tool.tar.gz", "!curl --version", (5, 6, 7, 18, 22, 28, 35, 52, 56, 60)),
    "wget": Client("wget --tries=2 --timeout=5 --waitretry=1 URL/releases/v2.1/tool-linux-amd64.tar.gz", "!wget --version", (1, 4, 5, 6, 8)),
    "pip": Client("python -m pip install --retries 1 --timeout 5 --trusted-host mirror.example.org --index-url URL/simple --target deps requests==2.32.3", "!python3 -m pip --version", (1, 2)),
    "npm": Client("npm install --registry URL/ --fetch-retries=0 --fetch-timeout=6000 lodash@4.17.21", "!npm --version", (1, 146, 252, 255), (("package.json", '{"name": "app", "version": "1.0.0", "private": true}\n'),)),
    "git": Client("git -c http.lowSpeedLimit=1000 -c http.lowSpeedTime=5 clone --depth 1 URL/acme/vendor.git third_party/vendor", "!git --version", (128,)),
    "apt": Client(
        "echo 'deb [trusted=yes] URL/debian bookworm main' > /etc/apt/sources.list && apt-get -o Acquire::Retries=1 -o Acquire::http::Timeout=5 -o Acquire::https::Timeout=5 update -o APT::Update::Error-Mode=any",
        "apt-get --version",
        (100,),
        wrapper="chroot",
    ),
    "python": Client("python fetch.py URL/models.json", "!python3 --version", (1,), (("fetch.py", FETCH_PY),)),
    "node": Client("node fetch.js URL/fixtures.json", "!node --version", (1,), (("fetch.js", FETCH_JS),)),
    "go": Client("GOPROXY=URL GOFLAGS=-mod=mod GONOSUMDB=* GONOSUMCHECK=1 GOSUMDB=off go mod download -x github.com/acme/lib@v1.2.3", "!go version", (1,), (("go.mod", "module example.org/acme/app\n\ngo 1.19\n"),)),
    "maven": Client("sed -i s,URL,URL, settings.xml; mvn -B -s settings.xml package", "!mvn --version", (1,), (("pom.xml", POM), ("settings.xml", SETTINGS))),
    "gem": Client("gem install --no-document --clear-sources --source URL/ acme-client", "!gem --version", (1, 2)),
    "uv": Client("/srv/lab/tools/uv/bin/uv pip install --target deps --index-url URL/simple requests==2.32.3", "!/srv/lab/tools/uv/bin/uv --version", (1, 2)),
}
SERVER = "python3 $TOOLS/badserver.py {port} {mode} {files} > /dev/null 2>&1 &\nfor i in $(seq 60); do (echo > /dev/tcp/127.0.0.1/{port}) 2>/dev/null && break; sleep 0.1; done\n"
LOCAL = "echo '127.0.0.1 mirror.example.org proxy.example.org' >> /etc/hosts\n"
LOST = LOCAL + "for p in 80 443; do python3 $TOOLS/blackhole.py $p > /dev/null 2>&1 & done; sysctl -qw net.ipv4.tcp_syn_retries=1; sleep 0.7\n"


def _certificate(subject: str = "mirror.example.org", days: str = "30", extra: str = "") -> str:
    return (
        LOCAL
        + f"openssl req -x509 -newkey rsa:2048 -nodes -keyout $RUN/key.pem -out $RUN/cert.pem -days {days} -subj '/O=Acme Proxy/CN={subject}' -addext 'subjectAltName=DNS:{subject}' 2>/dev/null\n"
        + extra
        + SERVER.format(port=443, mode="200", files="$RUN/cert.pem $RUN/key.pem")
    )


EXPIRED = _certificate().replace("openssl req", "faketime -f '-90d' openssl req")
TRUSTED = _certificate(extra="cat /etc/ssl/certs/ca-certificates.crt $RUN/cert.pem > $RUN/tmp/ca.pem; for v in SSL_CERT_FILE PIP_CERT REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS GIT_SSL_CAINFO; do export $v=/tmp/ca.pem; done\n")
MOST = ("curl", "wget", "pip", "npm", "git", "apt", "python", "node", "go", "gem", "uv", "maven")
PLAIN = ("curl", "wget", "npm", "git", "python", "node")
X509 = r"(?i)certificate verify failed|SSL certificate problem|x509:|self.signed|UNABLE_TO_VERIFY|CERT_|PKIX|certificate verification failed|unable to get local issuer|not trusted|invalid peer certificate|certificate|altname"
FAULTS: Mapping[str, Fault] = {
    "dns": Fault(
        "dns-failure", r"(?i)could not resolve|unable to resolve|temporary failure|name or service not known|EAI_AGAIN|ENOTFOUND|no such host|NameResolution|getaddrinfo|dial tcp: lookup|unknown ?host|dns error|resolution", "", "https", MOST
    ),
    "refused": Fault("connection-refused", r"(?i)connection refused|ECONNREFUSED|failed to connect|couldn't connect|could not connect|connect\(", LOCAL, "https", MOST),
    "reset": Fault(
        "connection-refused",
        r"(?i)reset by peer|ECONNRESET|connection aborted|empty reply|EOF|closed connection|socket hang up|other side closed|terminated|closed unexpectedly|Remote end closed|Connection failed",
        LOCAL + SERVER.format(port=80, mode="reset", files=""),
        "http",
        ("curl", "wget", "pip", "npm", "git", "python", "node", "go", "apt", "uv"),
    ),
    "cut": Fault(
        "connection-refused", r"(?i)bytes (missing|remaining)|IncompleteRead|partial file|closed|terminated|aborted|unexpected EOF|ended|premature", LOCAL + SERVER.format(port=80, mode="cut", files=""), "http", ("curl", "python", "node")
    ),
    "timeout": Fault("connection-timeout", r"(?i)timed out|ETIMEDOUT|TimeoutError|deadline exceeded", LOST, "http", ("curl", "wget", "pip", "npm", "git", "apt", "python", "node", "uv", "gem", "maven", "go")),
    "slow": Fault(
        "connection-timeout",
        r"(?i)timed out|ETIMEDOUT|TimeoutError|too slow|less than 1000|network timeout|aborted due to|Connection timeout|Connection failed",
        LOCAL + SERVER.format(port=80, mode="slow", files=""),
        "http",
        ("curl", "wget", "pip", "npm", "git", "apt", "python", "node"),
    ),
    "selfsigned": Fault("tls-certificate", X509, _certificate(), "https", MOST),
    "expired": Fault("tls-certificate", X509 + "|expired", EXPIRED, "https", ("curl", "wget", "python", "git", "npm")),
    "wrongname": Fault(
        "tls-certificate",
        X509 + "|does not match|alternative",
        TRUSTED.replace("mirror.example.org", "proxy.example.org").replace("127.0.0.1 proxy.example.org", "127.0.0.1 mirror.example.org"),
        "https",
        ("curl", "python", "git", "node", "wget"),
    ),
    "gone": Fault("http-not-found", r"404", LOCAL + SERVER.format(port=80, mode="404", files=""), "http", ("curl", "wget", "python", "node", "go")),
    "e500": Fault("http-server-error", r"500|Internal Server Error", LOCAL + SERVER.format(port=80, mode="500", files=""), "http", PLAIN),
    "e502": Fault("http-server-error", r"502|Bad Gateway", LOCAL + SERVER.format(port=80, mode="502", files=""), "http", ("curl", "wget", "git", "apt", "pip")),
    "e503": Fault("http-server-error", r"503|Service Unavailable", LOCAL + SERVER.format(port=80, mode="503", files=""), "http", ("curl", "npm", "pip", "go", "maven", "gem", "uv")),
    "e504": Fault("http-server-error", r"504|Gateway Time", LOCAL + SERVER.format(port=80, mode="504", files=""), "http", ("wget", "npm", "git", "node")),
    "proxy": Fault(
        "proxy-auth",
        r"407|Proxy Authentication Required|Tunnel connection failed|response 407|proxy authorization required",
        LOCAL + SERVER.format(port=3128, mode="407", files=""),
        "https",
        ("curl", "wget", "pip", "npm", "git", "python", "go", "uv"),
        (("https_proxy", "http://proxy.example.org:3128"), ("HTTPS_PROXY", "http://proxy.example.org:3128")),
    ),
    "proxy-http": Fault("proxy-auth", r"407|Proxy Authentication Required", LOCAL + SERVER.format(port=3128, mode="407", files=""), "http", ("curl", "wget", "apt"), (("http_proxy", "http://proxy.example.org:3128"),)),
}
WRAPPERS = ("gitlab", "github", "jenkins", "travis", "azure", "xtrace", "make", "github+tty")
PRELUDES = (("make",), ("uname -a\nid -un", "python --version"), ("git --version", "make -j2", "./build/app"), ("node --version",), ())


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    number = 0
    for fault_name, fault in FAULTS.items():
        for name in fault.clients:
            client = CLIENTS[name]
            number += 1
            wrapper = client.wrapper or WRAPPERS[number % len(WRAPPERS)]
            prelude = () if client.wrapper else PRELUDES[number % len(PRELUDES)]
            url = f"{fault.scheme}://mirror.example.org"
            files = {**c_project(modules=4 + number % 6), **{key: text.replace("URL", url) for key, text in client.files}}
            words = fault.words.removeprefix("(?i)")
            recipe = Recipe(
                name=f"net-{fault_name}-{name}", cause=fault.cause, tool=name, family=f"{name}-{fault.cause}", version=client.version, signature=fault.words, exit=client.exits, files=files,
                steps=(*prelude, client.command.replace("URL", url)), setup=fault.setup, offline=True, env=dict(fault.env), timeout=120, key=rf"(?i)(error|fatal|curl: |wget: |ERR|err:|failed|warning|http).*({words})|{words}",
            )  # fmt: skip
            yield from spread(recipe, (wrapper,))
