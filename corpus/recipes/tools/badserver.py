"""A web server on loopback that answers wrongly in one chosen way. Usage: badserver.py PORT MODE [CERT KEY]"""

from __future__ import annotations

import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGES = {
    400: "Bad Request",
    401: "Authorization Required",
    403: "Forbidden",
    404: "Not Found",
    407: "Proxy Authentication Required",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Time-out",
}


class Handler(BaseHTTPRequestHandler):
    """Answer as the mode says: a status, a page instead of a file, a cut answer, silence."""

    protocol_version = "HTTP/1.1"
    mode = ""
    seen = 0

    def _answer(self) -> None:
        Handler.seen += 1
        if self.mode == "slow":
            time.sleep(120)
        if self.mode == "reset":
            self.connection.setsockopt(1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # SO_LINGER: close with a reset
            self.close_connection = True
            self.connection.close()
            return
        status = 200 if not self.mode.isdigit() else int(self.mode)
        if self.mode == "flaky":
            status = 503 if Handler.seen < 3 else 200
        title = f"{status} {PAGES.get(status, 'OK')}"
        body = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx/1.24.0</center>\r\n</body>\r\n</html>\r\n".encode()
        if self.mode == "cut":
            body = bytes(200_000)
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="Acme"')
        if status == 407:
            self.send_header("Proxy-Authenticate", 'Basic realm="proxy.example.org"')
        if status == 429:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:70_000] if self.mode == "cut" else body)
        self.close_connection = self.mode == "cut" or status == 407

    do_GET = do_HEAD = do_POST = do_CONNECT = do_PUT = _answer  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


if __name__ == "__main__":
    port, Handler.mode = int(sys.argv[1]), sys.argv[2]
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    if len(sys.argv) > 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[3], sys.argv[4])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
