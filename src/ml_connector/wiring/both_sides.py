"""Both sides of a connection as a tie-out reads them: documents with what a run would do, vouchers as IFS has them.

Rule: IFS is read once, while all flows that post are held; nothing of its side comes from what was remembered.
Must not know: how the sides compare.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import msgspec

from ml_connector import flows
from ml_connector.compare.tieout.calendar import Calendar
from ml_connector.compare.tieout.claims import claim_of
from ml_connector.compare.tieout.mirrors import Mirroring
from ml_connector.compare.tieout.sides import Claim, There
from ml_connector.run import Job
from ml_connector.sync.flow import BOTH, Shape
from ml_connector.sync.plan import Decision, Found
from ml_connector.sync.ports import Sight, Target
from ml_connector.systems.ifs.vouchers.lookup import Lookup, pack, unpack
from ml_connector.systems.ifs.vouchers.standing import Posted
from ml_connector.systems.through import Through
from ml_connector.wiring import choice
from ml_connector.wiring.joined import Joined, Watch
from ml_connector.wiring.partied import has_parties, without_parties
from ml_connector.wiring.remembered import Remembered
from ml_connector.wiring.spooled import Spooled

BATCH = 500
VOUCHERS = "vouchers"  # as a flow to those who watch
S = TypeVar("S", Claim, There)


class Reading:
    """Both sides of a connection as they are read."""

    def __init__(self, both: Joined, calendar: Calendar, claims: Spooled[Claim], watch: Watch) -> None:
        self._both, self._calendar, self._claims, self._watch = both, calendar, claims, watch
        chosen = choice.chosen((), both.had)
        self.documents = [flow.name for flow in chosen if both.read.rules and flow.name in both.read.rules.documents]
        mirrored = [flow for flow in chosen if flow.shape is Shape.MIRROR and flow.source.system in ("ifs", BOTH)]
        self.mirrors = {flow.name: Mirroring(flow.name, flow.title) for flow in mirrored}
        self.gone: dict[str, tuple[str, str]] = {}
        self._waiting: list[tuple[Sight, Decision]] = []
        self._of = ""  # the flow that these are of
        self._told: set[tuple[str, str]] = set()
        self._vouchers: dict[str, list[bytes]] = {}
        landing = both.read.landing
        self._lookup = Lookup(both.tenants.ifs, landing) if landing else None
        self._refers = landing is not None and landing.refers
        self._by_text = landing is not None and bool(landing.folder)
        self._parties = landing is not None and has_parties(both.tenants.ifs.profile.parts, landing)
        self._companies = _companies(both.settings.profile.mapping.subsidiaries)

    @property
    def names(self) -> list[str]:
        """The flows that are looked at."""
        return [*self.mirrors, *self.documents]

    def lens(self, job: Job) -> Job:
        """A flow as it is looked at: of documents, IFS is read once, when all of their flows are held."""
        name = job.flow.name
        if name in self.mirrors:
            return replace(job, target=_Counted(job.target, self.mirrors[name].there))
        target = job.target if self._by_text else Remembered(job.target, job.store, name)
        return replace(job, target=_Then(target, self._read if name == self.documents[-1] else _nothing))

    def tell(self, flow: str, sight: Sight, decision: Decision) -> None:
        """Take in what a run would do about a record."""
        if flow in self.mirrors:
            self.mirrors[flow].add(sight, decision)
            return
        if flow != self._of or len(self._waiting) >= BATCH:
            self.flush()
            self._of = flow
        if (flow, sight.key) not in self._told:  # one that moved while it was read may come twice
            self._told.add((flow, sight.key))
            self._waiting.append((sight, decision))

    def flush(self) -> None:
        """Put away the documents that were told."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        links = self._both.store(flows.FLOWS[self._of]).links(self._of, [sight.key for sight, _ in waiting])
        for sight, decision in waiting:
            if sight.there:
                claim = claim_of(self._of, sight, decision, links.get(sight.key), self._companies)
                self._claims.put(self._comparable(claim, "expected"))
            elif decision.held:
                self.gone[sight.key] = decision.held.sentence, decision.held.remedy

    def look(self, keys: Sequence[str]) -> None:
        """Where vouchers come by file, look for those of these documents.

        One may carry its reference in its text alone, or have landed after the others were read. Where files carry no
        references, those in their fields are of an earlier landing, were read, and count beside what is found.
        """
        if self._lookup and self._by_text and keys:
            for key, posted in self._lookup.posted(keys, marked=self._refers).items():
                read = () if self._refers else map(unpack, self._vouchers.get(key, ()))
                both = {one.target_id: one for one in (*read, *posted)}
                self._vouchers[key] = [pack(one) for one in both.values()]

    def taken(self, key: str) -> list[There]:
        """The vouchers of a document, given out once."""
        vouchers = (_there(unpack(one), self._calendar) for one in self._vouchers.pop(key, ()))
        return [self._comparable(one, "voucher") for one in vouchers]

    def left(self) -> Iterator[tuple[str, list[There]]]:
        """The vouchers that nobody took, by key."""
        for key in sorted(self._vouchers):
            yield key, self.taken(key)

    def _comparable(self, one: S, name: str) -> S:
        """The same, of its voucher only what both sides can say."""
        if self._parties:
            return one
        return msgspec.structs.replace(one, **{name: without_parties(getattr(one, name))})

    def _read(self) -> None:
        for number, one in enumerate(self._lookup.each() if self._lookup else (), 1):
            self._vouchers.setdefault(one.reference.key, []).append(pack(one))
            if number % BATCH == 0:
                self._watch(VOUCHERS, "read", number)


class _Then(Through):
    """A target of which something else is done when it would be walked."""

    def __init__(self, target: Target, then: Callable[[], None]) -> None:
        super().__init__(target)
        self._then = then

    def walk(self) -> Iterator[tuple[Found, ...]] | None:
        """What the target holds."""
        self._then()
        return self.target.walk()


class _Counted(Through):
    """A target whose records are counted as they are walked."""

    def __init__(self, target: Target, count: Callable[[str], None]) -> None:
        super().__init__(target)
        self._count = count

    def walk(self) -> Iterator[tuple[Found, ...]] | None:
        """What the target holds."""
        pages = self.target.walk()
        return None if pages is None else self._counted(pages)

    def _counted(self, pages: Iterator[tuple[Found, ...]]) -> Iterator[tuple[Found, ...]]:
        for page in pages:
            for one in page:
                self._count(one.key)
            yield page


def _nothing() -> None:
    """Nothing is to be done."""


def _companies(subsidiaries: Mapping[str, str]) -> dict[str, str]:
    """Companies by subsidiary, where that is one."""
    times = Counter(subsidiaries.values())
    return {reference: company for company, reference in subsidiaries.items() if times[reference] == 1}


def _there(posted: Posted, calendar: Calendar) -> There:
    reference, company = posted.reference, posted.voucher.company
    return There(
        reference.key,
        reference.version,
        reference.reversal,
        posted.place,
        posted.target_id,
        posted.period or calendar.period(company, posted.on),
        posted.on,
        posted.voucher,
    )
