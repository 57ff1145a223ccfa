"""REST of the simulated Indodax: who may ask, when, and for what.

The one rule: signatures are checked over the very bytes that came, and a refusal has
the words of its interface: the token and tapi say `success: 0`, v2 says `code`.
"""

from collections import deque
from collections.abc import Mapping
from urllib.parse import parse_qsl

from msgspec import structs

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator.base import Answer, Request
from privstream.simulator.indodax.history import History, Wrong
from privstream.simulator.indodax.keys import Credentials, Timeliness
from privstream.simulator.indodax.socket import NAMESPACE
from privstream.simulator.indodax.tapi import Tapi, TapiRefused
from privstream.simulator.indodax.tokens import Tokens
from privstream.simulator.market import Books

TOKEN, TAPI, V2 = "/api/private_ws/v1/generate_token", "/tapi", "/api/v2/"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
RIGHTS = {"trade": "trade", "cancelOrder": "trade", "cancelByClientOrderId": "trade"}
RIGHTS |= {"withdrawFee": "withdraw", "withdrawCoin": "withdraw"}
MOST_A_SECOND, BLOCK = 20, 5.0  # documented for trading; we hold every call to it
NO_KEY = ("Invalid credentials. API not found or session has expired.", "invalid_credentials")
WRONG_VERSION = ("Invalid TAPI version key", "invalid_version_key")
BAD_SIGN = ("Invalid credentials. Bad sign.", "bad_sign")


class Rest:
    """Everything but the socket."""

    def __init__(
        self,
        books: Books,
        tokens: Tokens,
        credentials: Credentials,
        newer: Credentials,
        *,
        limits: bool,
    ) -> None:
        self._tapi, self._history = Tapi(books), History(books)
        self._tokens, self._credentials, self._newer = tokens, credentials, newer
        self._limits = limits
        self.knows_key = True
        """Whether the key is still one."""
        self.grants_newer = True
        """Whether a key of TAPI v2 gets a token for the stream, which no document says."""
        # The one request for a token, signed with SHA-512 whatever the key's kind.
        self._token_keys = {
            one.key: structs.replace(one, version="v1") for one in (credentials, newer)
        }
        self._timeliness = Timeliness()
        self._calls: deque[float] = deque()
        self._blocked_until = 0.0

    def answer(self, request: Request, now: Now) -> Answer:
        if request.path.startswith(V2):
            return self._v2(request, now)
        if request.path not in {TOKEN, TAPI} or request.method != "POST":
            return Answer(404, b"<html><body>Not Found</body></html>", "text/html")
        try:
            if request.path == TOKEN:
                return _json({"success": 1, "return": self._token(request, now)})
            self._count(now)
            return _json({"success": 1, "return": self._call(request, now)})
        except TapiRefused as refusal:
            return _json(refusal.body, refusal.status)

    # --- the token ---------------------------------------------------------------------

    def _token(self, request: Request, now: Now) -> object:
        fields = _form(request)
        if list(fields) != ["client", "tapi_key"] or fields["client"] != "tapi":
            raise TapiRefused("Invalid TAPI key", "invalid_tapi_key")
        if not fields["tapi_key"]:
            raise TapiRefused("Invalid TAPI key", "invalid_tapi_key")
        key, sign = fields["tapi_key"], request.headers.get("sign", "")
        if not self.knows_key or key not in {self._credentials.key, self._newer.key}:
            raise TapiRefused(*NO_KEY)
        if key == self._newer.key and not self.grants_newer:
            raise TapiRefused(*WRONG_VERSION, 403)
        if not self._token_keys[key].signed(request.body, sign):
            raise TapiRefused(*BAD_SIGN)
        channel = f"{NAMESPACE}:#{self._tokens.user}"
        return {"connToken": self._tokens.issue(now), "channel": channel}

    # --- tapi --------------------------------------------------------------------------

    def _call(self, request: Request, now: Now) -> object:
        key = request.headers.get("key")
        if key == self._newer.key:
            raise TapiRefused(*WRONG_VERSION, 403)
        if key != self._credentials.key or not self.knows_key:
            raise TapiRefused(*NO_KEY)
        if not self._credentials.signed(request.body, request.headers.get("sign", "")):
            raise TapiRefused(*BAD_SIGN)
        fields = _form(request)
        if problem := self._timeliness.untimely(fields, now):
            raise TapiRefused(*problem)
        method = fields.pop("method", "")
        if RIGHTS.get(method, "view") not in self._credentials.rights:
            raise TapiRefused("No permission", "no_permission")
        return self._tapi.call(method, fields, now)

    def _count(self, now: Now) -> None:
        """At most so many calls in any second, and a pause for who makes more."""
        if not self._limits:
            return
        self._calls.append(now.monotonic)
        while self._calls[0] <= now.monotonic - 1:
            self._calls.popleft()
        if len(self._calls) > MOST_A_SECOND:
            self._blocked_until = now.monotonic + BLOCK
        if now.monotonic < self._blocked_until:
            text = "Your User ID sent too many requests, please try again in 5 seconds"
            raise TapiRefused(text, "too_many_requests", 429)

    # --- v2 ----------------------------------------------------------------------------

    def _v2(self, request: Request, now: Now) -> Answer:
        try:
            return _json({"data": self._rows(request, now)})
        except Wrong as wrong:
            return _json({"code": wrong.code, "error": str(wrong)}, wrong.status)

    def _rows(self, request: Request, now: Now) -> object:
        name = request.path.removeprefix(V2)
        if name not in self._history.calls:
            raise Wrong(1113, "The requested resource does not exist.")
        if request.method != "GET":
            raise Wrong(1111, "Method not allowed.")
        self._authorise(request)
        fields = dict(parse_qsl(request.query, keep_blank_values=True))
        if problem := self._timeliness.untimely(fields, now):
            raise Wrong(1003 if problem[1] == "invalid_nonce" else 1002, problem[0])
        return self._history.calls[name](fields, now)

    def _authorise(self, request: Request) -> None:
        headers, credentials = request.headers, self._credentials
        for name in ("accept", "content-type"):
            if headers.get(name) != JSON:
                raise Wrong(1109, f"Invalid {name} header.")
        if not headers.get("sign"):
            raise Wrong(1101, "Sign not found in header.")
        if not headers.get("x-apikey"):
            raise Wrong(1102, "API key not found in header.")
        known = headers["x-apikey"] == credentials.key and self.knows_key
        if not known or not credentials.signed(request.query.encode(), headers["sign"]):
            raise Wrong(1001, "Invalid credentials. API not found or session expired.")
        if "view" not in credentials.rights:
            raise Wrong(1106, "No permission.")


def _form(request: Request) -> dict[str, str]:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != FORM:
        return {}
    return dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))


def _json(body: Mapping[str, object], status: int = 200) -> Answer:
    return Answer(status, exact.encode(body), JSON)
