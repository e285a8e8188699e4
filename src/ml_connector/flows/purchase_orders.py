"""Purchase orders of IFS reach Airbase with their lines; IFS is master.

Rule: the order number is the identifier on both sides; an order follows its supplier, never precedes it.
Must not know: property or field names of either API.
"""

import msgspec

from ml_connector.records import money
from ml_connector.records.money import Money
from ml_connector.records.purchase_order import OrderLine, PurchaseOrder, SpendOrder, SpendOrderLine
from ml_connector.sync.flow import Context, End, Flow, Reference
from ml_connector.sync.outcome import Held, Mapped, Owner
from ml_connector.sync.policy import Policy

PLANNED = "Planned"
STATUS = {
    PLANNED: "open",
    "Released": "open",
    "Confirmed": "open",
    "Arrived": "open",
    "Received": "open",
    "Closed": "closed",
    "Cancelled": "cancelled",
}


def map_order(order: PurchaseOrder, context: Context) -> Mapped[SpendOrder] | Held:
    """The order as Airbase should have it; one that is only planned or already over need not be created."""
    problem = _problem(order, context)
    if problem:
        return msgspec.structs.replace(problem, idle=not _due(order))
    status = STATUS[order.state]
    lines = tuple(_line(number, line) for number, line in enumerate(order.lines, start=1))
    spend_order = SpendOrder(
        number=order.order_no,
        vendor_id=context.links[_supplier(order)],
        subsidiary=context.tables.subsidiaries[order.company],
        currency=order.currency,
        total=money.total(line.amount for line in lines if line.status != "cancelled"),
        ordered_on=order.ordered_on,
        buyer=order.buyer,
        status=status,
        lines=lines,
    )
    return Mapped(spend_order, active=status == "open", due=_due(order))


def retire(order: SpendOrder) -> SpendOrder:
    """The order once it is gone from IFS."""
    return msgspec.structs.replace(order, status="cancelled")


def references(order: PurchaseOrder) -> tuple[Reference, ...]:
    """An order needs its supplier."""
    return (_supplier(order),)


def _supplier(order: PurchaseOrder) -> Reference:
    return Reference("suppliers", order.supplier_id)


def _line(number: int, line: OrderLine) -> SpendOrderLine:
    return SpendOrderLine(
        number=number,
        reference=f"{line.line_no}-{line.release_no}",
        part_number=line.part_no,
        description=line.description,
        quantity=line.quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        amount=money.rounded(money.times(line.quantity, line.unit_price), line.currency),
        delivery_on=line.wanted_on,
        status=STATUS[line.state],
    )


def _due(order: PurchaseOrder) -> bool:
    return STATUS.get(order.state) != "closed" and order.state not in (PLANNED, "Cancelled")


def _stake(order: PurchaseOrder) -> Money:
    worth = money.total(money.times(line.quantity, line.unit_price) for line in order.lines)
    return Money(money.rounded(worth, order.currency), order.currency)


def _problem(order: PurchaseOrder, context: Context) -> Held | None:
    states = (order.state, *(line.state for line in order.lines))
    unknown = next((state or "(none)" for state in states if state not in STATUS), None)
    foreign = next((line for line in order.lines if line.currency != order.currency), None)
    if unknown:
        return Held(
            "unknown_state",
            f"Order {order.order_no} has the state {unknown}, which the connector does not know.",
            "Report the state; until it is known the order is not sent.",
            Owner.ADMINISTRATOR,
            _stake(order),
        )
    if foreign:
        return Held(
            "mixed_currencies",
            f"Order {order.order_no} is in {order.currency}, but line {foreign.line_no} is in {foreign.currency}.",
            "Bring the order into one currency in IFS.",
            Owner.PURCHASING,
        )
    if order.company not in context.tables.subsidiaries:
        return Held(
            "company_not_mapped",
            f"Order {order.order_no} belongs to company {order.company}, which has no subsidiary in Airbase.",
            f"Map it: ml-connector connect … --subsidiary {order.company}=<Airbase reference>, then run again.",
            Owner.ADMINISTRATOR,
            _stake(order),
            lacks=order.company,
        )
    if _supplier(order) not in context.links:
        return Held(
            "supplier_not_linked",
            f"Order {order.order_no} waits for supplier {order.supplier_id}, which is not in Airbase yet.",
            f"See in IFS whether company {order.company} may buy from it: a supplier without an agreement there, or "
            "with an expired one, is not in Airbase. Once it is there, the order follows by itself.",
            Owner.CLERK,
            _stake(order),
        )
    return None


PURCHASE_ORDERS = Flow(
    name="purchase_orders",
    title="Purchase orders to Airbase",
    source=End("ifs", "purchase_orders"),
    target=End("airbase", "purchase_orders"),
    source_kind=PurchaseOrder,
    target_kind=SpendOrder,
    map=map_order,
    retire=retire,
    references=references,
    needs=("suppliers",),
    dated=lambda order: order.ordered_on,
    editable=("buyer", "lines.part_no", "lines.description", "lines.unit"),
    policy=Policy(deactivate_share_max=0.3),  # closing orders is daily business, losing a third of them is not
    heeds=(),
)
