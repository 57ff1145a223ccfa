"""Order entry on Kraken: tickets checked, spelled and sent over the private socket.

Wire examples
    v2  {"method":"add_order","params":{"order_type":"limit","side":"buy","order_qty":0.25,
        "limit_price":1890.15,"symbol":"ETH/EUR","cl_ord_id":"…","token":"…"},"req_id":1}
    v1  {"event":"addOrder","reqid":1,"pair":"XBT/EUR","type":"sell","ordertype":"limit",
        "volume":"0.01000000","price":"51000.0","token":"…"}

Quirks
    * v2 takes bare JSON numbers, v1 texts: both get the digits as they were typed.
    * v2 knows no leverage but the pair's largest; v1 knows no iceberg and no fill-or-kill.
    * A client id is unique among open orders only: an order that closed at once could be
      placed under it again. Hence nothing is ever sent twice.
    * An error names no order, so each is canceled by a request of its own.

Source
    docs.kraken.com: WebSocket v2 add_order, cancel_order, cancel_all; WebSocket v1
    addOrder, cancelOrder, cancelAll; REST OpenOrders, ClosedOrders, QueryOrders,
    AssetPairs; checked 2026-11-20.
"""

from privstream.exchanges.kraken.ordering.entry import KrakenEntry

__all__ = ["KrakenEntry"]
