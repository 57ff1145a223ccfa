"""Which variables of the environment change where connections go and whom they trust.

The one rule: it says what a variable does here, which is not what it does elsewhere
(see connection/network.py); its value is shown only where it is a path.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from privstream.connection import network
from privstream.doctor.findings import Finding, failed, passed, warned, wrong
from privstream.model.errors import ConfigError

PROXY = ("https_proxy", "HTTPS_PROXY")
EXCEPTIONS = ("no_proxy", "NO_PROXY")
TRUST = {"SSL_CERT_FILE": Path.is_file, "SSL_CERT_DIR": Path.is_dir}
OTHER_PROXIES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "ws_proxy", "wss_proxy")
OTHER_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "WEBSOCKET_CLIENT_CA_BUNDLE")
KEY_LOG = "SSLKEYLOGFILE"
ANY_HOST = "exchange.invalid"


def examine_variables(environ: Mapping[str, str]) -> Iterator[Finding]:
    """What is in force, and what somebody may wrongly believe to be."""
    found = [*_proxies(environ), *_trust(environ), *_not_obeyed(environ)]
    yield from found or [passed("environment", "no proxy or certificate variable is set")]


def _proxies(environ: Mapping[str, str]) -> Iterator[Finding]:
    named = next((name for name in PROXY if environ.get(name)), None)
    if named is None:
        return
    try:
        proxy = network.proxy_for(ANY_HOST)
    except ConfigError as problem:
        yield failed("environment", problem, "give it as http://HOST:PORT")
        return
    unset = f"where no proxy is needed: unset {named}"
    if proxy is None:
        yield warned("environment", f"{named} is set, but no_proxy excepts every host", unset)
        return
    exceptions = next((name for name in EXCEPTIONS if environ.get(name)), None)
    but = f", but those that {exceptions} excepts" if exceptions else ""
    text = f"{named} sends every encrypted connection through {proxy.host}:{proxy.port}{but}"
    yield warned("environment", text, unset)


def _trust(environ: Mapping[str, str]) -> Iterator[Finding]:
    for name, exists in TRUST.items():
        path = environ.get(name)
        if not path:
            continue
        if not exists(Path(path)):
            text = f"{name} names {path}, which is not there: certificates cannot be verified"
            yield wrong("environment", text, f"unset {name}, or name what is there")
        else:
            text = f"{name} makes certificates of {path} trusted in place of the system's own"
            yield warned("environment", text, f"unless you set it on purpose: unset {name}")


def _not_obeyed(environ: Mapping[str, str]) -> Iterator[Finding]:
    if environ.get(KEY_LOG):
        text = f"{KEY_LOG} is set: privstream writes no TLS keys there, other programs do"
        yield warned("environment", text, f"unset {KEY_LOG}")
    for name in OTHER_PROXIES:
        if environ.get(name):
            text = f"{name} is set, which privstream does not obey"
            yield warned("environment", text, f"set https_proxy, or unset {name}")
    for name in OTHER_BUNDLES:
        if environ.get(name):
            text = f"{name} is set, which privstream does not obey"
            yield warned("environment", text, f"set SSL_CERT_FILE, or unset {name}")
