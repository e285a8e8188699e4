"""What the endpoints work with: the store, the worker beside them, the tokens.

Rule: made once, when the process starts; endpoints get it as a dependency.
Must not know: what an endpoint does.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from ml_connector.console.attempts import Attempts
from ml_connector.console.verifying import Verifying
from ml_connector.settings import Installation
from ml_connector.store.access import Access
from ml_connector.store.api_tokens import ApiTokens
from ml_connector.store.entry import Entry
from ml_connector.store.invitations import Invitations
from ml_connector.store.orders import Orders
from ml_connector.store.schedules import Schedules
from ml_connector.store.sessions import Sessions
from ml_connector.store.users import Users
from ml_connector.wiring import Opened
from ml_connector.wiring.looking import Looks
from ml_connector.wiring.sso import SingleSignOn


@dataclass(frozen=True)
class Site:
    """One process's share: `alive` tells whether its worker has a lease, `nudge` has it look for orders now.
    `attempts`: of tokens; `entries`: of passwords.
    """

    opened: Opened
    alive: Callable[[], bool]
    nudge: Callable[[], None]
    tokens: ApiTokens
    attempts: Attempts
    installation: Installation = field(default_factory=Installation)
    entries: Attempts = field(default_factory=Attempts)
    sso: SingleSignOn | None = None
    looks: Looks = field(kw_only=True)
    verifying: Verifying = field(default_factory=Verifying)

    @property
    def orders(self) -> Orders:
        """The orders of the store."""
        return Orders(self.opened.database)

    @property
    def access(self) -> Access:
        """Who has access, to be changed."""
        two_persons = self.installation.access_two_persons
        return Access(self.opened.database, self.opened.vault, two_persons=two_persons)

    @property
    def entry(self) -> Entry:
        """The way in."""
        return Entry(self.opened.database, self.opened.vault)

    @property
    def invitations(self) -> Invitations:
        """The links of the store."""
        return Invitations(self.opened.database, self.opened.vault)

    @property
    def users(self) -> Users:
        """The people of the store."""
        return Users(self.opened.database)

    @property
    def sessions(self) -> Sessions:
        """Who has signed in."""
        return Sessions(self.opened.database)

    @property
    def schedules(self) -> Schedules:
        """The schedules of the store."""
        return Schedules(self.opened.database, self.opened.vault)


def _site(request: Request) -> Site:
    return request.app.state.site


Here = Annotated[Site, Depends(_site)]
