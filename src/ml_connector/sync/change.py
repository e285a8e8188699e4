"""The life of a change, as a table.

Rule: a state moves only along `MOVES`; what is not in the table can't happen.
Must not know: what is being changed.
"""

from enum import StrEnum


class State(StrEnum):
    """Where a change stands."""

    PLANNED = "planned"  # decided, nothing promised
    INTENDED = "intended"  # written down; its request may be sent from now on
    UNCERTAIN = "uncertain"  # sent, no answer: only a look-up may move it
    SETTLED = "settled"  # the target has it, the link says so
    REFUSED = "refused"  # the target said no
    DROPPED = "dropped"  # certain not to have happened; the next plan decides anew
    HANDED = "handed"  # in a file that the target will take later; the target tells when it has


class Event(StrEnum):
    """What can happen to a change."""

    INTEND = "intend"
    DONE = "done"  # the target confirmed
    REFUSE = "refuse"
    LOSE = "lose"  # no answer came
    MISS = "miss"  # the request was certainly not delivered
    FIND = "find"  # looked up: it is there
    LACK = "lack"  # looked up: it is not there
    HAND = "hand"  # handed over in a file


MOVES: dict[tuple[State, Event], State] = {
    (State.PLANNED, Event.INTEND): State.INTENDED,
    (State.INTENDED, Event.DONE): State.SETTLED,
    (State.INTENDED, Event.REFUSE): State.REFUSED,
    (State.INTENDED, Event.LOSE): State.UNCERTAIN,
    (State.INTENDED, Event.MISS): State.DROPPED,
    (State.UNCERTAIN, Event.FIND): State.SETTLED,
    (State.UNCERTAIN, Event.LACK): State.DROPPED,
    (State.INTENDED, Event.HAND): State.HANDED,
    (State.UNCERTAIN, Event.HAND): State.HANDED,
    (State.HANDED, Event.LACK): State.DROPPED,  # a person says that the file will never be loaded
    (State.DROPPED, Event.INTEND): State.INTENDED,  # sent again, after the look-up
}

OPEN = (State.INTENDED, State.UNCERTAIN)


def move(state: State, event: Event) -> State:
    """The state after an event.

    Raises: ValueError for a move that the table does not have.
    """
    try:
        return MOVES[state, event]
    except KeyError:
        raise ValueError(f"a change that is {state} can't {event}") from None
