"""What either side has that a mapping may lead to: companies, subsidiaries, payment terms, accounts.

Rule: read when first asked for, bounded, and worth no failure: what can't be read is no suggestion.
Must not know: how anything is shown.
"""

from collections.abc import Mapping
from functools import cached_property
from itertools import islice

from ml_connector.errors import ConnectorError
from ml_connector.records.supplier import VendorTerms
from ml_connector.sync.flow import End
from ml_connector.systems.airbase.subsidiaries import subsidiaries
from ml_connector.systems.ifs.pager import Plan
from ml_connector.wiring.joined import Joined
from ml_connector.wiring.suggesting import Suggestion, suggestions

PAGES_MAX = 20


class There:
    """What the systems of a connection have, from value to name."""

    def __init__(self, both: Joined) -> None:
        self._both = both

    def suggested(self, table: str, value: str) -> tuple[Suggestion, ...]:
        """What a value that a table lacks may stand for."""
        if table == "subsidiaries":
            theirs = value not in self.companies and value in self.subsidiaries
            known, other = (self.subsidiaries, self.companies) if theirs else (self.companies, self.subsidiaries)
            return suggestions(value, known.get(value, ""), other)
        if table == "payment_terms":
            return suggestions(value, self.ifs_terms.get(value, ""), self.airbase_terms)
        if table in ("account", "accounts"):
            return suggestions(value, "", self.accounts)
        return ()

    @cached_property
    def companies(self) -> Mapping[str, str]:
        """Companies of IFS."""
        return self._of_ifs("companies", "name", 0)

    @cached_property
    def ifs_terms(self) -> Mapping[str, str]:
        """Payment terms of IFS."""
        return self._of_ifs("payment_terms", "description", 1)

    @cached_property
    def subsidiaries(self) -> Mapping[str, str]:
        """Subsidiaries of Airbase that have a reference."""
        try:
            there = subsidiaries(self._both.tenants.airbase)
        except ConnectorError:
            return {}
        return {reference: name for reference, name in there.items() if reference}

    @cached_property
    def airbase_terms(self) -> Mapping[str, str]:
        """Payment terms that vendors of Airbase have, and those that are mapped to."""
        mapped = self._both.settings.profile.mapping.payment_terms
        found = dict.fromkeys(mapped.values(), "")
        try:
            for page in islice(self._both.ends.source(End("airbase", "vendor_terms")).read_all(), PAGES_MAX):
                records = (sight.record for sight in page.sights)
                found |= {one.terms: "" for one in records if isinstance(one, VendorTerms) and one.terms}
        except ConnectorError:
            pass
        return found

    @cached_property
    def accounts(self) -> Mapping[str, str]:
        """Accounts of IFS, in any company."""
        try:
            return {number: terms.description for (_, number), terms in self._both.books().accounts.items()}
        except ConnectorError:
            return {}

    def _of_ifs(self, name: str, field: str, part_of_key: int) -> Mapping[str, str]:
        part = self._both.tenants.ifs.profile.parts[name]
        try:
            pages = self._both.tenants.ifs.pages(name, Plan(part.properties, part.key), prefetch=False)
            rows = (row for page in islice(pages, PAGES_MAX) for row in page.rows)
            return {str(row.get(part.key[part_of_key])): str(row.get(part.fields[field]) or "") for row in rows}
        except ConnectorError:
            return {}
