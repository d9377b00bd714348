"""Whether a certificate has a name, by service_identity (RFC 6125, RFC 9525)."""

import ipaddress

import service_identity
from cryptography import x509
from OpenSSL import SSL
from service_identity.pyopenssl import verify_hostname, verify_ip_address

_NO_NAME = (
    *(service_identity.VerificationError, service_identity.CertificateError, ValueError),
    *(x509.DuplicateExtension, x509.UnsupportedGeneralNameType),  # of a certificate of any making
)


def has_name(connection: SSL.Connection, name: str) -> bool:
    """Return whether the certificate of the other side is for a host name, or a numeric address."""
    try:
        if is_address(name):
            verify_ip_address(connection, name.strip("[]"))
        else:
            verify_hostname(connection, name)
    except _NO_NAME:
        return False
    return True


def is_address(host: str) -> bool:
    """Return whether a host is named by its address, as in 192.0.2.1 or [IPv6:2001:db8::1]."""
    try:
        ipaddress.ip_address(host.strip("[]").removeprefix("IPv6:"))
    except ValueError:
        return False
    return True
