"""HTTP/1.1 with keep-alive, over TLS or plain, one thread a connection. Knows nothing of AWS.

An application is a callable: Request -> Response. A Response can carry a mishap (a fault that a
test ordered), which is played while it is sent.
"""

import os
import select
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from http.client import responses
from http.server import BaseHTTPRequestHandler

PIECE = 64 * 1024
IDLE_S = 75
DRAIN_BYTES = 1024 * 1024


class Drop(Exception):
    """The connection is to be reset, now, without an answer."""


class TooLarge(Exception):
    """The request's body is over the limit."""


class Gone(Exception):
    """The client went away in the middle of its request."""


@dataclass
class Response:
    status: int
    headers: list = field(default_factory=list)  # pairs; Content-Length and Date are added
    body: object = b""  # bytes, or an iterator over bytes
    length: int = None  # of an iterator's body; None: chunked
    mishap: tuple = None  # (kind, arg): "truncate", "slow", "reset"


class Request:
    """`target` is what the request line holds, undecoded."""

    def __init__(self, handler):
        self._handler = handler
        self.method = handler.command
        self.target = handler.path
        self.path, _, self.query = handler.path.partition("?")
        self.headers = handler.headers
        self.host = (handler.headers.get("Host") or "").strip()
        self.peer = handler.client_address[0]
        self._reader = _body_reader(handler)
        self.unread = self._reader is not None

    def pieces(self):
        """The body, once, in pieces."""
        if self._reader is None:
            return
        reader, self._reader = self._reader, None
        yield from reader
        self.unread = False

    def read(self, limit):
        """The whole body; TooLarge."""
        pieces, size = [], 0
        for piece in self.pieces():
            size += len(piece)
            if size > limit:
                raise TooLarge()
            pieces.append(piece)
        return b"".join(pieces)

    @property
    def length(self):
        """Content-Length, or None when the body is chunked or not there."""
        text = self.headers.get("Content-Length")
        return int(text) if text and not _is_chunked(self.headers) else None

    @property
    def has_body(self):
        return _is_chunked(self.headers) or bool(self.length)

    def wait_until_gone(self, stopped, limit_s=3600):
        """Until the client closes, the server stops, or the limit."""
        connection, end = self._handler.connection, time.monotonic() + limit_s
        while time.monotonic() < end and not stopped():
            readable, _, _ = select.select([connection], [], [], 0.1)
            if readable:
                try:
                    if not connection.recv(PIECE):
                        return
                except OSError:
                    return


def _is_chunked(headers):
    return "chunked" in (headers.get("Transfer-Encoding") or "").lower()


def _body_reader(handler):
    if _is_chunked(handler.headers):
        return _read_chunked(handler.rfile)
    length = int(handler.headers.get("Content-Length") or 0)
    return _read_length(handler.rfile, length) if length else None


def _read_length(file, length):
    while length:
        piece = file.read(min(PIECE, length))
        if not piece:
            raise Gone()
        length -= len(piece)
        yield piece


def _read_chunked(file):
    while True:
        line = file.readline(1024)
        if not line:
            raise Gone()
        size = int(line.split(b";")[0], 16)
        if size == 0:
            while file.readline(1024) not in (b"\r\n", b"\n", b""):
                pass
            return
        yield from _read_length(file, size)
        file.readline(8)


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """`tls`, if given, is an object with choose(host name) -> ssl.SSLContext."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address, application, tls=None, clock=None):
        super().__init__(address, Handler)
        self.application = application
        self.clock = clock
        self.tls_context = _tls_context(tls) if tls else None
        self.stopping = False

    def start(self):
        threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        ).start()
        return self

    def stop(self):
        self.stopping = True
        self.shutdown()
        self.server_close()

    @property
    def port(self):
        return self.server_address[1]

    def handle_error(self, request, client_address):
        kind = sys.exc_info()[0]
        if not issubclass(kind, (OSError, Drop, Gone)):
            traceback.print_exc()


def _tls_context(tls):
    context = tls.choose("")

    def on_name(connection, name, _context):
        connection.context = tls.choose(name or "")

    context.sni_callback = on_name
    return context


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    wbufsize = PIECE
    disable_nagle_algorithm = True

    def setup(self):
        if self.server.tls_context:
            self.request.settimeout(10)
            self.request = self.server.tls_context.wrap_socket(
                self.request, server_side=True, suppress_ragged_eofs=True
            )
        super().setup()

    def handle(self):
        try:
            super().handle()
        except Drop:
            self._reset()
        except (Gone, ConnectionError, ssl.SSLError, TimeoutError):
            self.close_connection = True

    def handle_expect_100(self):
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.wfile.flush()
        return True

    def serve(self):
        try:
            request = Request(self)
        except ValueError:
            self._send(Response(400, [("Content-Type", "text/plain")], b"bad length of the body\n"))
            self.close_connection = True
            return
        try:
            response = self.server.application(request)
        except (Drop, Gone, ConnectionError):
            raise
        except (
            Exception
        ):  # noqa: BLE001 - the fault is ours: it is shown, and the client gets a 500
            traceback.print_exc()
            response = Response(
                500, [("Content-Type", "text/plain")], b"the local cloud itself failed\n"
            )
        self._drain(request)
        self._send(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = serve

    def _drain(self, request):
        """What an answer left unread would be taken for the next request."""
        if not request.unread:
            return
        size = 0
        for piece in request.pieces():
            size += len(piece)
            if size > DRAIN_BYTES:
                self.close_connection = True
                return
        if request.unread:  # somebody began to read it, and stopped
            self.close_connection = True

    def _send(self, response):
        headers = list(response.headers)
        names = {name.lower() for name, _ in headers}
        is_bytes = isinstance(response.body, (bytes, bytearray))
        length = len(response.body) if is_bytes else response.length
        bodiless = self.command == "HEAD" or response.status in (204, 304) or response.status < 200
        chunked = length is None and not bodiless
        if chunked:
            headers.append(("Transfer-Encoding", "chunked"))
        elif (
            response.status not in (204, 304)
            and length is not None
            and "content-length" not in names
        ):
            headers.append(("Content-Length", str(length)))
        if "date" not in names and self.server.clock:
            headers.append(("Date", self.server.clock.http_date()))
        if self.close_connection:
            headers.append(("Connection", "close"))
        reason = responses.get(response.status, "Unknown")
        head = [f"HTTP/1.1 {response.status} {reason}"] + [
            f"{name}: {value}" for name, value in headers
        ]
        pieces = () if bodiless else ([response.body] if is_bytes else response.body)
        if chunked:
            pieces = _as_chunks(pieces)
        self._send_pieces(
            ("\r\n".join(head) + "\r\n\r\n").encode("latin-1"), pieces, length, response.mishap
        )

    def _send_pieces(self, head, pieces, length, mishap):
        kind, arg = mishap or (None, None)
        if kind == "reset":
            raise Drop()
        if kind == "slow":
            self._send_slowly(head, pieces, arg)
            return
        rest = (length or 2 * PIECE) // 2 if kind == "truncate" else None
        self.wfile.write(head)
        for piece in pieces:
            if rest is not None:
                piece, rest = piece[:rest], rest - len(piece)
            self.wfile.write(piece)
            if rest is not None and rest <= 0:
                break
        self.wfile.flush()
        if kind == "truncate":
            self.close_connection = True

    def _send_slowly(self, head, pieces, pause_ms):
        for piece in [head, *pieces]:
            for index in range(len(piece)):
                self.wfile.write(piece[index : index + 1])
                self.wfile.flush()
                time.sleep(pause_ms / 1000)
                if self.server.stopping:
                    raise Drop()

    def _reset(self):
        """RST instead of FIN."""
        self.close_connection = True
        try:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())
        except OSError:
            pass  # it is gone already, which is what was wanted

    def finish(self):
        try:
            super().finish()
        except (OSError, ValueError):
            pass  # the client is gone: nothing can be flushed to it
        finally:
            self.connection.close()  # of TLS, the server itself knows only the socket below

    def log_message(self, *_args):
        pass


def _as_chunks(pieces):
    for piece in pieces:
        if piece:
            yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"
