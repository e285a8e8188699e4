"""Who may do what: roles of people, and what each of them may.

Rule: who looks after settings and access does not thereby approve; somebody may hold several roles.
Must not know: how anybody signs in.
"""

from collections.abc import Iterable
from enum import StrEnum


class May(StrEnum):
    """What somebody may do. WORK: replay, run, assign, put right. CONFIGURE: mapping, schedules, flows. ADMINISTER:
    connections with their secrets, webhooks, people, tokens.
    """

    READ = "read"
    WORK = "work"
    APPROVE = "approve"
    CONFIGURE = "configure"
    ADMINISTER = "administer"


class Role(StrEnum):
    """A role of a person."""

    VIEWER = "viewer"
    CLERK = "clerk"
    APPROVER = "approver"
    ADMINISTRATOR = "administrator"


GRANTS = {
    Role.VIEWER: (May.READ,),
    Role.CLERK: (May.READ, May.WORK),
    Role.APPROVER: (May.READ, May.WORK, May.APPROVE),
    Role.ADMINISTRATOR: (May.READ, May.WORK, May.CONFIGURE, May.ADMINISTER),
}


def granted(roles: Iterable[Role]) -> frozenset[May]:
    """What these roles together may."""
    return frozenset(one for role in roles for one in GRANTS[role])
