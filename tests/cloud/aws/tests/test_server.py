"""The HTTP server and TLS."""

import socket
import ssl
import tempfile
import unittest
from contextlib import contextmanager

from ..certificates import Authority
from ..cloud import Cloud
from ..house import Tls, make_endpoint
from ..server import Response, Server
from .case import ECR, LAMBDA, MemoryStorage, REGISTRY


class Wire(unittest.TestCase):
    """The server itself."""

    def serve(self, application, tls=None):
        server = Server(("127.0.0.1", 0), application, tls).start()
        self.addCleanup(server.stop)
        return server

    def talk(self, server, data):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            received = b""
            while piece := connection.recv(65536):
                received += piece
        return received

    def test_keep_alive_and_chunks(self):
        server = self.serve(lambda request: Response(200, [], request.read(1000)[::-1]))
        first = (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:"
            b" chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
        )
        second = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
        received = self.talk(server, first + second)
        self.assertEqual(received.count(b"HTTP/1.1 200"), 2)
        self.assertIn(b"edcba", received)
        self.assertTrue(received.endswith(b"ih"))

    def test_an_unread_body_is_not_the_next_request(self):
        server = self.serve(lambda request: Response(200, [], request.path.encode()))
        received = self.talk(
            server,
            (
                b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET /GET /b"
                b" HTTP/1.1\r\nHost: x\r\n\r\n"
            ),
        )
        self.assertEqual(received.count(b"HTTP/1.1 200"), 2)
        self.assertTrue(received.endswith(b"/b"))

    def test_expect_continue(self):
        server = self.serve(lambda request: Response(200, [], request.read(10)))
        received = self.talk(
            server,
            b"PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
        )
        self.assertTrue(received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"))

    def test_streams_without_length(self):
        server = self.serve(lambda _: Response(200, [], iter([b"ab", b"c"])))
        received = self.talk(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertTrue(received.endswith(b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"))

    @contextmanager
    def open_tls(self, server, host, ca_file):
        context = ssl.create_default_context(cafile=ca_file)
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
            with context.wrap_socket(plain, server_hostname=host) as connection:
                yield connection

    def test_tls(self):
        cloud = Cloud(MemoryStorage())
        endpoint = make_endpoint(cloud)
        with tempfile.TemporaryDirectory() as folder:
            Authority.make("test").save(folder)
            server = self.serve(endpoint.serve, Tls(Authority.load(folder), cloud, endpoint))
            for host in (LAMBDA, "my_f-1--x.lambda-url.us-east-1.on.aws", REGISTRY):
                with self.open_tls(server, host, f"{folder}/ca.pem") as connection:
                    self.assertEqual(connection.getpeercert()["subjectAltName"], (("DNS", host),))
            with self.open_tls(server, LAMBDA, f"{folder}/ca.pem") as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                connection.recv(1000)
                self.assertFalse(connection.session.has_ticket)  # a resumed session checks nothing
            cloud.faults.order({"service": "lambda", "operation": "GetFunction", "fault": "tls"})
            with self.open_tls(server, ECR, f"{folder}/ca.pem"):
                pass
            with self.assertRaises(ssl.SSLCertVerificationError):
                with self.open_tls(server, LAMBDA, f"{folder}/ca.pem"):
                    pass
            with self.open_tls(server, LAMBDA, f"{folder}/ca.pem"):
                pass
