"""Which kind of key an account has: one of the older kind (TAPI v1), or one of TAPI v2.

The one rule: neither works in the other's place. What the setting `api` leaves open is found
out by one call, which a key of the older kind is refused with a word of its own. Source:
https://github.com/btcid/indodax-official-api-docs, INDODAX-TradeAPI-2.md; checked 2026-11-30.
"""

from typing import TypeAlias

from msgspec import structs

from privstream.exchanges.base import Right
from privstream.exchanges.indodax import rest
from privstream.exchanges.indodax.refusals import WrongKeyKind
from privstream.exchanges.indodax.tapi_v1 import WITHOUT, TapiV1
from privstream.exchanges.indodax.tapi_v2 import TapiV2
from privstream.model.account import Account, Token
from privstream.model.errors import LoginRefused, PermissionMissing, PrivstreamError
from privstream.model.rest import RestFlow

Tapi: TypeAlias = TapiV1 | TapiV2
STREAM_HINT = (
    "this is a key of TAPI v2; no document says that such keys open the stream, so it may "
    "need a key of the older kind (TAPI v1)"
)


class Key:
    """One account's key, and what it can ask for."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._tapi: Tapi | None = None

    def tapi(self) -> RestFlow[Tapi]:
        """What the key can ask; found out once."""
        if self._tapi is None:
            self._tapi = yield from self._found()
        return self._tapi

    def _found(self) -> RestFlow[Tapi]:
        choice = self._account.options.get("api", "auto")
        newer = TapiV2(self._account)
        if choice == "v2":
            return newer
        if choice == "v1" or self._account.endpoints.api_url is None:  # as in the demo
            return TapiV1(self._account)
        try:
            yield from newer.account()
        except WrongKeyKind:
            return TapiV1(self._account)
        return newer

    def fetch_token(self) -> RestFlow[Token]:
        """A token for the stream; a refusal says so where it may be for the kind of the key."""
        try:
            return (yield from rest.fetch_token(self._account))
        except LoginRefused as problem:
            if isinstance(problem, WrongKeyKind) or (yield from self._is_v2()):
                raise LoginRefused(problem.message, STREAM_HINT) from problem
            raise

    def _is_v2(self) -> RestFlow[bool]:
        """Whether that is certain."""
        try:
            return isinstance((yield from self.tapi()), TapiV2)
        except PrivstreamError:  # then the refusal of the token says all that is known
            return False

    def rights(self) -> RestFlow[tuple[Right, ...]]:
        """What the key may do, as far as reading tells."""
        try:
            tapi = yield from self.tapi()
            return (yield from tapi.rights())
        except PermissionMissing as problem:
            lacking = Right("Reading", held=False, without=WITHOUT, kind=TapiV2.kind)
            return (_refused(lacking, problem),)


def _refused(right: Right, problem: PermissionMissing) -> Right:
    return structs.replace(right, refusal=problem.message, hint=problem.hint)
