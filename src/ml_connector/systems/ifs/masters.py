"""Payment terms that companies of IFS agreed with suppliers: to be read, and to be set.

Rule: only the payment term of an agreement that is there is set; none is made.
Must not know: which side is right, what the terms are called elsewhere.
"""

from collections.abc import Mapping, Sequence

from ml_connector.errors import RemoteError
from ml_connector.records.supplier import SupplierTerms
from ml_connector.sync.outcome import Held, Owner
from ml_connector.sync.ports import Done, Refused, Result, Unknown
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.entities import Entities, Raw, bring, one_result, result_of, said
from ml_connector.systems.ifs.source import IfsSource


class TermsEnd:
    """The agreements of one tenant's suppliers."""

    def __init__(self, client: IfsClient) -> None:
        self._client = client
        self._entities = Entities(client, "supplier_terms")
        self._source = IfsSource(client, "supplier_terms")

    def read(self, keys: Sequence[str]) -> dict[str, tuple[SupplierTerms, ...]]:
        """The current agreements of these suppliers, ordered by company.

        A supplier that has none, or some that can't be read, is left out.
        Raises: RemoteError.
        """
        return {sight.key: sight.record.terms for group in self._source.read(keys) for sight in group if sight.record}

    def set(self, supplier_id: str, terms: Mapping[str, str]) -> Result:
        """Set the payment term of agreements of a supplier, by company.

        Raises: RemoteError when nothing was delivered.
        """
        if problem := self._unsettable(terms):
            return Refused(supplier_id, problem)
        changed = False
        for company, term in terms.items():
            try:
                result = one_result(supplier_id, lambda c=company, t=term: self._set(supplier_id, c, t))
            except RemoteError as error:
                if not changed:
                    raise
                return Unknown(supplier_id, f"set in some companies only: {said(error)}")
            if not isinstance(result, Done):
                return result
            changed = True
        return Done(supplier_id, supplier_id)

    def _set(self, supplier_id: str, company: str, term: str) -> Result:
        column = self._entities.part.fields["payment_term"]
        brought = bring(
            lambda: self._agreement(supplier_id, company),
            lambda row: (row.get(column) or "") == term,
            lambda row: self._entities.patch(row, {column: term}),
        )
        return result_of(supplier_id, supplier_id, brought) if brought.row else _no_agreement(supplier_id, company)

    def _agreement(self, supplier_id: str, company: str) -> Raw | None:
        part = self._entities.part
        wanted = self._entities.equal([(part.key[0], supplier_id), (part.key[1], company)])
        return next(iter(self._entities.rows(wanted, most=1)), None)

    def _unsettable(self, terms: Mapping[str, str]) -> Held | None:
        if not self._entities.part.fields["payment_term"]:
            return Held(
                "field_not_named",
                "The profile names no property for the payment term of a supplier.",
                "Name it: [ifs.supplier_terms.fields] payment_term.",
            )
        allowed = self._client.companies
        other = sorted(company for company in terms if allowed and company not in allowed)
        if not other:
            return None
        return Held(
            "company_not_connected",
            f"Terms of company {other[0]} would be set, which this connection does not hold.",
            "Add the company to the connection, or take it out of the mapping.",
        )


def _no_agreement(supplier_id: str, company: str) -> Refused:
    return Refused(
        supplier_id,
        Held(
            "no_agreement",
            f"Supplier {supplier_id} has no invoice data in company {company} in IFS.",
            "Add the supplier to the company there, then run again.",
            Owner.PURCHASING,
        ),
    )
