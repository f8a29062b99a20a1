"""Certificates for any host name, made when a client asks for it, from the throw-away CA."""

import datetime
import os
import ssl
import tempfile
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """A CA: its certificate and key, and a server context for each host name."""

    def __init__(self, certificate, key):
        self._certificate = certificate
        self._key = key
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._contexts = {}
        self._lock = threading.Lock()

    @classmethod
    def load(cls, folder):
        with open(os.path.join(folder, "ca.pem"), "rb") as file:
            certificate = x509.load_pem_x509_certificate(file.read())
        with open(os.path.join(folder, "ca.key"), "rb") as file:
            key = serialization.load_pem_private_key(file.read(), None)
        return cls(certificate, key)

    @classmethod
    def make(cls, name="a CA that nobody knows"):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(subject, subject, key.public_key(), days=30)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        builder = builder.add_extension(_usage(sign_certificates=True), critical=True)
        return cls(builder.sign(key, hashes.SHA256()), key)

    def save(self, folder):
        with open(os.path.join(folder, "ca.pem"), "wb") as file:
            file.write(self._certificate.public_bytes(serialization.Encoding.PEM))
        with open(os.path.join(folder, "ca.key"), "wb") as file:
            file.write(_key_pem(self._key))

    def context(self, host):
        """A server context whose certificate is for `host`."""
        with self._lock:
            if host not in self._contexts:
                self._contexts[host] = self._make_context(host)
            return self._contexts[host]

    def _make_context(self, host):
        context = new_context()
        chain = self._leaf(host) + self._certificate.public_bytes(serialization.Encoding.PEM)
        with tempfile.NamedTemporaryFile() as file:
            file.write(_key_pem(self._leaf_key) + chain)
            file.flush()
            context.load_cert_chain(file.name)
        return context

    def _leaf(self, host):
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
        builder = _builder(subject, self._certificate.subject, self._leaf_key.public_key(), days=20)
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        builder = builder.add_extension(names, critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def new_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # No resumption: a resumed session would never see a changed certificate.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    context.set_alpn_protocols(["http/1.1"])
    return context


def _builder(subject, issuer, public_key, days):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
    )
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=days))
    identifier = x509.SubjectKeyIdentifier.from_public_key(public_key)
    return builder.add_extension(identifier, critical=False)


def _usage(sign_certificates):
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
