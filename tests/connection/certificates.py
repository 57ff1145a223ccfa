"""Certificates for loopback: good ones, and each kind that must be refused."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme


class Certificates:
    """An authority that the client trusts, and servers' contexts."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._authority = trustme.CA()
        bundle = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(bundle))
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        monkeypatch.setenv("SSL_CERT_DIR", str(folder / "nothing"))

    def good(self) -> ssl.SSLContext:
        return _context(self._authority.issue_cert("localhost", "127.0.0.1"))

    def refused(self, why: str) -> ssl.SSLContext:
        """One that is `expired`, for the `wrong host`, or by an `unknown authority`."""
        if why == "expired":
            past = datetime(2020, 1, 1, tzinfo=UTC)
            return _context(
                self._authority.issue_cert(
                    "localhost", not_before=datetime(2019, 1, 1, tzinfo=UTC), not_after=past
                )
            )
        if why == "wrong host":
            return _context(self._authority.issue_cert("exchange.example"))
        return _context(trustme.CA().issue_cert("localhost"))


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context
