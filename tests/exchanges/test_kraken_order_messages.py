"""How orders are spelled in both of Kraken's protocols, and what is refused before."""

import pytest

from privstream.model.errors import UsageError
from privstream.model.order_entry import Ticket
from tests.exchanges.kraken_order_desk import UUID, entry, sent, ticket

# --- spelling ------------------------------------------------------------------------------

LIMIT = '"order_type":"limit","side":"buy","symbol":"ETH/EUR","order_qty":0.250'


@pytest.mark.parametrize(
    ("order", "text"),
    [
        (ticket(), f'{LIMIT},"limit_price":1890.10'),
        (ticket(client_order_id=UUID), f'{LIMIT},"limit_price":1890.10,"cl_ord_id":"{UUID}"'),
        (ticket(userref="-7"), f'{LIMIT},"limit_price":1890.10,"order_userref":-7'),
        (
            ticket(time_in_force="post_only"),
            f'{LIMIT},"limit_price":1890.10,"post_only":true',
        ),
        (ticket(time_in_force="fok"), f'{LIMIT},"limit_price":1890.10,"time_in_force":"fok"'),
        (ticket(time_in_force="ioc"), f'{LIMIT},"limit_price":1890.10,"time_in_force":"ioc"'),
        (
            ticket(expire="2026-12-02T08:00:00Z", start="2026-12-01T08:00:00Z"),
            (
                f'{LIMIT},"limit_price":1890.10,"time_in_force":"gtd",'
                '"effective_time":"2026-12-01T08:00:00Z","expire_time":"2026-12-02T08:00:00Z"'
            ),
        ),
        (
            ticket(expire="+60"),  # never earlier than asked for: the clock says .5 s
            (
                f'{LIMIT},"limit_price":1890.10,"time_in_force":"gtd",'
                '"expire_time":"2026-05-28T20:27:41Z"'
            ),
        ),
        (
            ticket(flags="post,fcib"),
            f'{LIMIT},"limit_price":1890.10,"post_only":true,"fee_preference":"base"',
        ),
        (ticket(leverage="5"), f'{LIMIT},"limit_price":1890.10,"margin":true'),
        (ticket(validate=True), f'{LIMIT},"limit_price":1890.10,"validate":true'),
        (
            ticket("market", flags="viqc,fciq"),
            (
                '"order_type":"market","side":"buy","symbol":"ETH/EUR","cash_order_qty":0.250,'
                '"fee_preference":"quote"'
            ),
        ),
        (
            ticket("market", "sell", flags="nompp"),
            (
                '"order_type":"market","side":"sell","symbol":"ETH/EUR","order_qty":0.250,'
                '"no_mpp":true'
            ),
        ),
        (
            ticket("iceberg"),
            (
                '"order_type":"iceberg","side":"buy","symbol":"ETH/EUR","order_qty":0.250,'
                '"limit_price":1890.10,"display_qty":0.05'
            ),
        ),
        (
            ticket("stop_loss", "sell", stop_price="-2.5%"),
            (
                '"order_type":"stop-loss","side":"sell","symbol":"ETH/EUR","order_qty":0.250,'
                '"triggers":{"reference":"last","price":-2.5,"price_type":"pct"}'
            ),
        ),
        (
            ticket("take_profit", "sell", stop_price="+150"),
            (
                '"order_type":"take-profit","side":"sell","symbol":"ETH/EUR","order_qty":0.250,'
                '"triggers":{"reference":"last","price":150,"price_type":"quote"}'
            ),
        ),
        (
            ticket("stop_loss_limit"),
            (
                '"order_type":"stop-loss-limit","side":"buy","symbol":"ETH/EUR","order_qty":0.250,'
                '"limit_price":1890.10,'
                '"triggers":{"reference":"last","price":1900.0,"price_type":"static"}'
            ),
        ),
        (
            ticket("take_profit_limit"),
            (
                '"order_type":"take-profit-limit","side":"buy","symbol":"ETH/EUR","order_qty":0.250,'
                '"limit_price":1890.10,'
                '"triggers":{"reference":"last","price":1900.0,"price_type":"static"}'
            ),
        ),
        (
            ticket("trailing_stop", "sell", trailing_offset="1.5%"),
            (
                '"order_type":"trailing-stop","side":"sell","symbol":"ETH/EUR","order_qty":0.250,'
                '"triggers":{"reference":"last","price":1.5,"price_type":"pct"}'
            ),
        ),
        (
            ticket("trailing_stop_limit", "sell", price="-15"),
            (
                '"order_type":"trailing-stop-limit","side":"sell","symbol":"ETH/EUR",'
                '"order_qty":0.250,"limit_price":-15,"limit_price_type":"quote",'
                '"triggers":{"reference":"last","price":120,"price_type":"quote"}'
            ),
        ),
        (
            ticket("settle_position", "sell"),
            '"order_type":"settle-position","side":"sell","symbol":"ETH/EUR","order_qty":0.250',
        ),
        (
            ticket(close_type="stop-loss-limit", close_price="1795", close_stop_price="-5%"),
            (
                f'{LIMIT},"limit_price":1890.10,"conditional":{{"order_type":"stop-loss-limit",'
                '"limit_price":1795,"trigger_price":-5,"trigger_price_type":"pct"}'
            ),
        ),
        (
            ticket(close_type="trailing_stop_limit", close_price="0", close_stop_price="20"),
            (
                f'{LIMIT},"limit_price":1890.10,"conditional":{{"order_type":"trailing-stop-limit",'
                '"limit_price":0,"limit_price_type":"quote",'
                '"trigger_price":20,"trigger_price_type":"quote"}'
            ),
        ),
    ],
    ids=lambda value: value.order_type if isinstance(value, Ticket) else "",
)
def test_v2_sends_bare_numbers_with_the_digits_as_typed(order: Ticket, text: str) -> None:
    assert sent("v2", order).rstrip("}") == text.rstrip("}")


V1 = '"pair":"ETH/EUR","type":"buy","ordertype":"limit","volume":"0.250"'


@pytest.mark.parametrize(
    ("order", "text"),
    [
        (ticket(), f'{V1},"price":"1890.10"'),
        (ticket(price="-1%"), f'{V1},"price":"-1%"'),
        (ticket(price="#5.50"), f'{V1},"price":"#5.50"'),
        (ticket(client_order_id=UUID), f'{V1},"price":"1890.10","cl_ord_id":"{UUID}"'),
        (ticket(userref="4711"), f'{V1},"price":"1890.10","userref":"4711"'),
        (
            ticket(expire="+60", start="2026-12-01T08:00:00Z"),
            f'{V1},"price":"1890.10","timeinforce":"GTD","starttm":"1796112000","expiretm":"+60"',
        ),
        (ticket(time_in_force="ioc"), f'{V1},"price":"1890.10","timeinforce":"IOC"'),
        (
            ticket(flags="fcib", time_in_force="post_only"),
            f'{V1},"price":"1890.10","oflags":"fcib,post"',
        ),
        (ticket(leverage="3"), f'{V1},"price":"1890.10","leverage":"3"'),
        (ticket(validate=True), f'{V1},"price":"1890.10","validate":"true"'),
        (
            ticket("market", flags="viqc,nompp"),
            (
                '"pair":"ETH/EUR","type":"buy","ordertype":"market","volume":"0.250",'
                '"oflags":"viqc,nompp"'
            ),
        ),
        (
            ticket("stop_loss_limit", "sell", stop_price="1800", price="last-50"),
            (
                '"pair":"ETH/EUR","type":"sell","ordertype":"stop-loss-limit","volume":"0.250",'
                '"price":"1800","price2":"-50"'
            ),
        ),
        (
            ticket("take_profit", "sell", stop_price="#2%"),
            (
                '"pair":"ETH/EUR","type":"sell","ordertype":"take-profit","volume":"0.250",'
                '"price":"#2%"'
            ),
        ),
        (
            ticket("trailing_stop", "sell", trailing_offset="1.5%"),
            (
                '"pair":"ETH/EUR","type":"sell","ordertype":"trailing-stop","volume":"0.250",'
                '"price":"+1.5%"'
            ),
        ),
        (
            ticket("trailing_stop_limit", "sell", price="-15"),
            (
                '"pair":"ETH/EUR","type":"sell","ordertype":"trailing-stop-limit","volume":"0.250",'
                '"price":"+120","price2":"-15"'
            ),
        ),
        (
            ticket(close_type="stop_loss_limit", close_price="1795", close_stop_price="1800"),
            (
                f'{V1},"price":"1890.10","close[ordertype]":"stop-loss-limit",'
                '"close[price]":"1800","close[price2]":"1795"'
            ),
        ),
        (
            ticket(close_type="limit", close_price="+5%"),
            f'{V1},"price":"1890.10","close[ordertype]":"limit","close[price]":"+5%"',
        ),
    ],
    ids=lambda value: value.order_type if isinstance(value, Ticket) else "",
)
def test_v1_sends_texts_and_the_trigger_before_the_limit(order: Ticket, text: str) -> None:
    assert sent("v1", order) == text


@pytest.mark.parametrize("digits", ["1", "0.00000001", "12345678901234567890.1234567890", "1.500"])
def test_no_digit_of_an_amount_is_lost(digits: str) -> None:
    assert f'"order_qty":{digits},' in sent("v2", ticket(quantity=digits))
    assert f'"volume":"{digits}"' in sent("v1", ticket(quantity=digits))


def test_an_exponent_is_written_out() -> None:
    assert '"order_qty":0.001,' in sent("v2", ticket(quantity="1e-3"))


# --- what is refused before anything is sent -----------------------------------------------


@pytest.mark.parametrize(
    ("order", "says"),
    [
        (ticket("fantasy"), "no order type"),
        (ticket(price=None), "of type limit needs --price"),
        (ticket("market", price="5"), "of type market has no --price"),
        (ticket("stop_loss", stop_price=None), "of type stop-loss needs --stop-price"),
        (ticket(stop_price="5"), "has no --stop-price"),
        (ticket("trailing_stop", trailing_offset=None), "needs --trailing-offset"),
        (ticket("trailing_stop", trailing_offset="-5"), "is a distance"),
        (ticket("iceberg", display_quantity=None), "needs --display-quantity"),
        (ticket(quantity="0"), "must not be 0"),
        (ticket(quantity="0.00"), "must not be 0"),
        (ticket(quantity="-1"), "is no number"),
        (ticket(quantity="nan"), "is no number"),
        (ticket(quantity="Infinity"), "is no number"),
        (ticket(quantity="1,5"), "is no number"),
        (ticket(quantity="1_000"), "is no number"),
        (ticket(quantity="٣"), "is no number"),
        (ticket(quantity="1e999999"), "is no number"),
        (ticket(price=".5"), "is no number"),
        (ticket(price="+0"), "must not be 0"),
        (ticket(price="-5"), "is negative"),
        (ticket("stop_loss", stop_price="-5"), "is negative"),
        (ticket(price="last5"), "is no price"),
        (ticket(price="1%%"), "is no number"),
        (ticket(price="-1%"), "takes no relative --price"),
        (ticket("stop_loss", stop_price="#5"), "with #"),
        (ticket(time_in_force="gtd"), "needs --expire"),
        (ticket(time_in_force="ioc", expire="+60"), "for gtd orders"),
        (ticket("stop_loss", time_in_force="fok"), "only limit orders can be fok"),
        (ticket(expire="tomorrow"), "is no time"),
        (ticket(expire="2026-12-02T08:00:00.5Z"), "whole seconds"),
        (ticket("market", time_in_force="post_only"), "limit price can be post-only"),
        (ticket(time_in_force="ioc", flags="post"), "cannot also be filled at once"),
        (ticket(flags="post,fancy"), "no flag"),
        (ticket(flags="fcib,fciq"), "either"),
        (ticket(flags="viqc"), "market buys"),
        (ticket("market", flags="viqc", leverage="2"), "exclude each other"),
        (ticket(leverage="1"), "is no leverage"),
        (ticket(leverage="2.5"), "is no leverage"),
        (ticket(userref="x"), "is no userref"),
        (ticket(userref="2147483648"), "is no userref"),
        (ticket(userref="1", client_order_id=UUID), "exclude each other"),
        (ticket(client_order_id="x" * 19), "no such client id"),
        (ticket(close_price="5"), "need --close-type"),
        (ticket(close_type="market"), "closes nothing"),
        (ticket(close_type="stop_loss"), "needs --close-stop-price"),
        (ticket(close_type="trailing_stop", close_stop_price="-5"), "is a distance"),
    ],
)
def test_what_cannot_be_right_is_a_usage_error(order: Ticket, says: str) -> None:
    taken = {key: value for key, value in order.options.items() if value is not None}
    order = Ticket(**{**{f: getattr(order, f) for f in order.__struct_fields__}, "options": taken})
    with pytest.raises(UsageError, match=says) as refused:
        entry().check(order)
    assert refused.value.exit == 2


@pytest.mark.parametrize("order", [ticket("iceberg"), ticket(time_in_force="fok")])
def test_what_v1_has_not_is_said_with_the_way_out(order: Ticket) -> None:
    with pytest.raises(UsageError) as refused:
        entry("v1").check(order)
    assert refused.value.hint == "use --protocol v2"
