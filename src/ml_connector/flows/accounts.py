"""Accounts of IFS become accounts of Airbase; IFS is master.

Rule: an account is there for the subsidiaries of those companies that may post to it today.
Must not know: property or field names of either API.
"""

import msgspec

from ml_connector.flows.chart import use
from ml_connector.records.ledger import Account
from ml_connector.records.spend_chart import ChartAccount
from ml_connector.sync.flow import Context, End, Flow, Setting
from ml_connector.sync.outcome import Held, Mapped

STATISTICAL = "Statistics"  # and kinds that begin so: such an account holds no money


def map_account(account: Account, context: Context) -> Mapped[ChartAccount] | Held:
    """The account that Airbase should have today; one that nobody may post to need not be made."""
    used = use([terms for terms in account.terms if not terms.kind.startswith(STATISTICAL)], context)
    wanted = ChartAccount(account.account, used.name or account.account, used.active, used.subsidiaries)
    return Mapped(wanted, active=used.active, due=used.active, wake_on=used.wake_on)


def retire(account: ChartAccount) -> ChartAccount:
    """The account once it is gone from IFS."""
    return msgspec.structs.replace(account, active=False)


ACCOUNTS = Flow(
    name="accounts",
    title="Accounts to Airbase",
    source=End("ifs", "accounts"),
    target=End("airbase", "accounts"),
    source_kind=Account,
    target_kind=ChartAccount,
    map=map_account,
    retire=retire,
    setting=Setting(("writable",), ("accounts",), listed=True),
    heeds=(),
)
