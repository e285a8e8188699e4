"""What mapping one record can come to: due, or held for a person.

Rule: nothing is dropped and nothing is guessed; what can't be mapped is held with a cause and a remedy.
Must not know: which flow maps.
"""

from datetime import date
from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

from ml_connector.records.money import Money

T = TypeVar("T")


class Owner(StrEnum):
    """Who can remove a cause."""

    ADMINISTRATOR = "administrator"
    CLERK = "AP clerk"
    CONTROLLER = "controller"
    PURCHASING = "purchasing"


class Held(msgspec.Struct, frozen=True):
    """Why a record waits: a cause to group by, a sentence, what to do, who does it, what is at stake.

    `idle`: the record need not be in the target; unless it is linked already, it waits for nobody. `lacks`: the value
    that a table of the connection does not have yet, where that is the cause.
    """

    cause: str
    sentence: str
    remedy: str
    owner: Owner = Owner.ADMINISTRATOR
    stake: Money | None = None
    idle: bool = False
    lacks: str = ""


class Trace(msgspec.Struct, frozen=True):
    """What is remembered of the source of a posted document.

    `origin`: what of it a correction depends upon; while that stays, the document stands as it was posted, whatever
    the rules say by now. `story`: what chains a request, its bills and its payments. `alike`: equal for what may be the
    same thing sent twice; "" for none.
    """

    origin: str = ""
    story: str = ""
    alike: str = ""


class Admitted(msgspec.Struct, frozen=True):
    """A document may be posted: on which day it takes effect (None: its own), and what a person should know of it.

    `late`: it takes effect later than its own day.
    """

    on: date | None = None
    late: bool = False
    warnings: tuple[str, ...] = ()


class Mapped(msgspec.Struct, Generic[T], frozen=True):
    """What the target should hold.

    `due` False: a record that is not there yet need not be created. `active` False: it should be switched off.
    `wake_on`: the next day on which time alone may change the answer.
    """

    record: T
    active: bool = True
    due: bool = True
    wake_on: date | None = None
