"""Which properties of a tenant's set are those that a part of the profile wants, and how well the set fits.

Rule: each property is taken once; the surest match goes first; among equals nothing is chosen.
Must not know: requests, other parts, how a set was come by.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from ml_connector.records.ledger import CODE_PARTS
from ml_connector.systems.ifs.csdl import EntitySet, Metadata
from ml_connector.systems.ifs.likeness import likeness, plain, words
from ml_connector.systems.ifs.profile import Part
from ml_connector.systems.ifs.recorded import ENVELOPE, OTHERS, RECORDED

LIKELY_FROM = 0.62
GUESS_FROM = 0.45
MARGIN = 0.06  # by how much the best must beat the next
_MEMBERS_FROM = 0.5
_WHERE = re.compile(r"\b([A-Za-z_]\w*)\s+eq\s+[\w.]+'([^']*)'")


class Confidence(StrEnum):
    """How sure a name is."""

    SURE = "sure"
    LIKELY = "likely"
    GUESS = "guess"


class Kind(StrEnum):
    """What a property holds."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    ENUM = "enum"
    OTHER = "other"


class Want(msgspec.Struct, frozen=True):
    """A property that the profile reads: its usual name, what it holds, how long it is, the values it may have.

    `field`: our own name for it. `context`: words of the set, which add nothing to a name in it.
    """

    name: str
    kind: Kind
    field: str = ""
    context: frozenset[str] = frozenset()
    length: int = 0
    members: frozenset[str] = frozenset()
    key: bool = False


class Match(msgspec.Struct, frozen=True):
    """The property that a want comes to, how sure that is, and why."""

    name: str
    confidence: Confidence
    why: str = ""


class Fit(msgspec.Struct, frozen=True):
    """How well a set fits a part, from 0 to 1, and its properties by the names that the profile has for them."""

    score: float
    service: str
    set: str
    matches: Mapping[str, Match] = {}


class Offer(msgspec.Struct, frozen=True):
    """A property that a tenant's set has."""

    name: str
    kind: Kind
    length: int = 0
    members: frozenset[str] = frozenset()


_STATES = frozenset({"Planned", "Released", "Confirmed", "Arrived", "Received", "Closed", "Cancelled"})
_REQUIREMENTS = frozenset({"Can", "Mandatory", "Blocked"})
_VALUES: dict[tuple[str, str], frozenset[str]] = {
    **{("accounts", f"requires_{part.lower()}"): _REQUIREMENTS for part in CODE_PARTS},
    ("accounts", "kind"): frozenset({"Assets", "Liabilities", "Revenues", "Cost"}),
    ("voucher_types", "allotted"): frozenset({"Yes", "No"}),
    ("user_groups", "periods"): frozenset({"OrdinaryPeriods", "YearEndPeriods"}),
    ("periods", "status"): frozenset({"Open", "Closed"}),
    ("hold_vouchers", "status"): frozenset({"AwaitingApproval", "Confirmed"}),
    ("loads", "state"): frozenset({"Loaded", "Checked", "Failed", "Created"}),
    ("supplier_invoices", "state"): frozenset({"Preliminary", "Posted", "PartlyPaid", "Paid", "Cancelled"}),
    ("orders", "state"): _STATES,
    ("order_lines", "state"): _STATES,
}
_NUMBERS = frozenset(
    {"quantity", "unit_price", "debit", "credit", "company_debit", "company_credit", "rate", "amount", "company_amount"}
) | {"net_days"}
_NUMBER_KEYS = frozenset({"AccountingYear", "AccountingPeriod", "VoucherNo", "RowNo", "RecordNo", "InvoiceId"})
_LENGTHS = {
    "Company": 20, "SupplierId": 20, "Identity": 20, "VendorNo": 20, "Country": 2, "AssociationNo": 50, "Name": 100,
    "AddressId": 50, "PayTermId": 20, "DefCurrency": 3, "CurrencyCode": 3, "Currency": 3, "Account": 20,
    "VoucherType": 3, "UserGroup": 30, "VoucherText": 200, "Text": 200, "ReferenceSerie": 50, "ReferenceNumber": 50,
    "PartyTypeId": 20, "LoadType": 20, "LoadId": 20, "LoadGroupItem": 50, "FileName": 200, "InvoiceNo": 50,
    "PoRefNumber": 50, "Cf_Airbase_Status": 50, "OrderNo": 12, "LineNo": 4, "ReleaseNo": 4, "PartNo": 25,
    "Contract": 5, "BuyerCode": 20, "CodePart": 1, "BankCountry": 2, "CountryCode": 2, "TimeZoneCode": 50,
    "BuyUnitMeas": 10, "Address1": 35, "Address2": 35, "ZipCode": 35, "City": 35, "State": 35,
    **{f"Code{part}": 20 for part in CODE_PARTS},
}  # fmt: skip


def wants(name: str, part: Part) -> tuple[Want, ...]:
    """What a part reads, each property once."""
    fixed = {column: frozenset({member}) for column, member in _WHERE.findall(part.where)}
    fields = {part.fields[field]: field for field in reversed(part.fields) if part.fields[field]}
    names = dict.fromkeys(item for item in (*part.key, part.company, *fixed, *fields) if item)
    return tuple(_want(name, part, fields.get(item, ""), item, fixed) for item in names)


def _want(name: str, part: Part, field: str, item: str, fixed: Mapping[str, frozenset[str]]) -> Want:
    members = fixed.get(item) or _VALUES.get((name, field), frozenset())
    kind = Kind.ENUM if members else _kind(field, item)
    context = words(part.set) | words(part.service)
    return Want(item, kind, field, context, _LENGTHS.get(item, 0), members, item in part.key or item in fixed)


def _kind(field: str, item: str) -> Kind:
    if field.endswith("_on") or field in ("valid_from", "valid_until"):
        return Kind.DATE
    return Kind.NUMBER if field in _NUMBERS or item in _NUMBER_KEYS else Kind.TEXT


def fit(name: str, part: Part, service: str, set_name: str, metadata: Metadata) -> Fit:
    """How well one set of a service fits a part."""
    entity_set = metadata.sets[set_name]
    wanted = wants(name, part)
    others = OTHERS if part.service == RECORDED else frozenset[str]()
    matches = assigned(wanted, _offers(entity_set, metadata), others)
    score = (
        0.50 * _share([match_worth(matches.get(want.name)) for want in wanted if not want.key])
        + 0.22 * _key_worth(wanted, matches, entity_set)
        + 0.15 * likeness(part.set, set_name)
        + 0.08 * likeness(part.service, service)
        + 0.05 * _share([float(act in (*entity_set.actions, *entity_set.links)) for act in part.actions.values()])
    )
    return Fit(score, service, set_name, matches)


def could_fit(name: str, part: Part, entity_set: EntitySet) -> bool:
    """Whether a set is worth a closer look, by a cheap test: as many keys, and enough of the names or of the kinds."""
    wanted = wants(name, part)
    keys = sum(want.key for want in wanted)
    if not entity_set.key or abs(keys - len(entity_set.key)) > 1 or 2 * len(entity_set.properties) < len(wanted):
        return False
    there = {plain(item) for item in entity_set.properties}
    return sum(plain(want.name) in there for want in wanted) * 4 >= len(wanted)


def match_worth(match: Match | None) -> float:
    """How much a match counts."""
    return {Confidence.SURE: 1.0, Confidence.LIKELY: 0.85, Confidence.GUESS: 0.5}[match.confidence] if match else 0.0


def _share(worths: Sequence[float]) -> float:
    return sum(worths) / len(worths) if worths else 1.0


def _key_worth(wanted: Sequence[Want], matches: Mapping[str, Match], entity_set: EntitySet) -> float:
    keys = [want for want in wanted if want.key]
    covered = {matches[want.name].name for want in keys if want.name in matches}
    left_out = sum(item not in covered for item in entity_set.key)
    return _share([match_worth(matches.get(want.name)) for want in keys]) / (1 + left_out)


def _offers(entity_set: EntitySet, metadata: Metadata) -> list[Offer]:
    return [
        Offer(item, _offered(kind, metadata), entity_set.lengths.get(item, 0), frozenset(metadata.enums.get(kind, ())))
        for item, kind in entity_set.properties.items()
        if item not in ENVELOPE
    ]


def _offered(kind: str, metadata: Metadata) -> Kind:
    if kind in metadata.enums:
        return Kind.ENUM
    if kind == "Edm.String":
        return Kind.TEXT
    if kind in ("Edm.Date", "Edm.DateTimeOffset"):
        return Kind.DATE
    numeric = kind.startswith(("Edm.Int", "Edm.Decimal", "Edm.Double", "Edm.Single", "Edm.Byte"))
    return Kind.NUMBER if numeric else Kind.OTHER


def assigned(wanted: Sequence[Want], offers: Sequence[Offer], others: frozenset[str] = frozenset()) -> dict[str, Match]:
    """The offers that the wants come to: the same name, then the likest, then the only one left.

    `others`: names that can't be a wanted property renamed.
    """
    found = _same(wanted, offers)
    unlike = [offer for offer in offers if offer.name not in others]
    found |= _alike(*_left(wanted, unlike, found))
    return found | _last(*_left(wanted, unlike, found))


def _left(
    wanted: Sequence[Want], offers: Sequence[Offer], found: Mapping[str, Match]
) -> tuple[list[Want], list[Offer]]:
    taken = {match.name for match in found.values()}
    free = [offer for offer in offers if offer.name not in taken]
    return [want for want in wanted if want.name not in found], free


def _same(wanted: Sequence[Want], offers: Sequence[Offer]) -> dict[str, Match]:
    by_plain: dict[str, list[Offer]] = {}
    for offer in offers:
        by_plain.setdefault(plain(offer.name), []).append(offer)
    names = {offer.name for offer in offers}
    found: dict[str, Match] = {}
    for want in wanted:
        near = by_plain.get(plain(want.name), [])
        if want.name in names:
            found[want.name] = Match(want.name, Confidence.SURE)
        elif len(near) == 1:
            found[want.name] = Match(near[0].name, Confidence.SURE, "the same but for case and underscores")
    return found


def _alike(wanted: Sequence[Want], offers: Sequence[Offer]) -> dict[str, Match]:
    ranked = sorted(((alike(want, offer), want.name, offer.name) for want in wanted for offer in offers), reverse=True)
    found: dict[str, Match] = {}
    taken: set[str] = set()
    for score, want, offer in ranked:
        if score < GUESS_FROM or want in found or offer in taken:
            continue
        if _rivals(ranked, score, want, offer, found.keys(), taken):
            continue
        sure = Confidence.LIKELY if score >= LIKELY_FROM else Confidence.GUESS
        found[want] = Match(offer, sure, f"its name and type are like those of {want}")
        taken.add(offer)
    return found


def _rivals(
    ranked: Iterable[tuple[float, str, str]], score: float, want: str, offer: str, met: Iterable[str], taken: set[str]
) -> bool:
    """Whether another match of the same want or offer is nearly as good."""
    done = set(met)
    return any(
        other_score > score - MARGIN
        for other_score, other_want, other_offer in ranked
        if (other_want == want) != (other_offer == offer) and other_want not in done and other_offer not in taken
    )


def alike(want: Want, offer: Offer) -> float:
    """How well an offer suits a want, from 0 to 1."""
    shared = len(want.members & offer.members) / len(want.members) if want.members else 0.0
    if want.members and shared >= _MEMBERS_FROM and len(want.members) > 1:
        return min(1.0, 0.6 * shared + 0.4 * named(want, offer.name) + 0.1)
    size = 0.06 if want.length and want.length == offer.length else -0.06 if want.length and offer.length else 0.0
    return max(0.0, named(want, offer.name) + size) * _kinship(want, offer, shared)


def named(want: Want, name: str) -> float:
    """How well a name suits a want: like the usual one, like our own, or the same but for words of the set."""
    ours = 0.95 * likeness(want.field, name) if want.field else 0.0
    bare = words(want.name) - want.context
    return max(likeness(want.name, name), ours, 0.85 * (bool(bare) and bare == words(name) - want.context))


def _kinship(want: Want, offer: Offer, shared: float) -> float:
    if want.kind is offer.kind:
        return 1.0 if not want.members else 0.5 + 0.5 * shared
    return 0.8 if {want.kind, offer.kind} == {Kind.TEXT, Kind.ENUM} else 0.2


def _last(wanted: Sequence[Want], offers: Sequence[Offer]) -> dict[str, Match]:
    """What is left over on both sides exactly once of a kind, and of a length where both have one."""
    found: dict[str, Match] = {}
    for want in wanted:
        near = [offer for offer in offers if _suits(want, offer)]
        rivals = [other for other in wanted for offer in near if other is not want and _suits(other, offer)]
        if len(near) == 1 and not rivals:
            found[want.name] = Match(near[0].name, Confidence.GUESS, f"the only {want.kind} left over")
    return found


def _suits(want: Want, offer: Offer) -> bool:
    if want.kind is not offer.kind or offer.name.startswith("Cf_") is not want.name.startswith("Cf_"):
        return False
    return not (want.length and offer.length) or want.length == offer.length
