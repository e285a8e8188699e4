"""How flows and what became of them are told in words.

Rule: the same thing is called the same on every page; a state has a word and a kind (ok, warn, bad, busy, idle).
Must not know: HTML, the store.
"""

from collections.abc import Mapping
from typing import Any

from ml_connector.flows import FLOWS
from ml_connector.sync.flow import BOTH
from ml_connector.wiring import further

WAYS = {"airbase": "IFS → Airbase", "ifs": "Airbase → IFS", BOTH: "IFS ↔ Airbase"}
CAME_TO = {
    "created": "created",
    "updated": "changed",
    "posted": "posted",
    "corrected": "corrected",
    "deactivated": "switched off",
    "held": "held",
    "refused": "refused",
    "uncertain": "uncertain",
}
DONE = ("created", "updated", "posted", "corrected", "deactivated")
LABELS = CAME_TO | {
    "read": "read",
    "unchanged": "unchanged",
    "not_due": "not due yet",
    "recovered": "settled by looking them up",
    "late": "later than their own date",
    "unannounced": "not announced by a webhook",
    "lapsed": "edits that lapsed",
}
RUN_STATES = {
    "done": ("ok", "done"),
    "blocked": ("warn", "waits for approval"),
    "failed": ("bad", "failed"),
    "died": ("bad", "was cut off"),
    "running": ("busy", "running"),
    "plan": ("idle", "planned"),
}
ORDER_STATES = {
    "queued": ("idle", "waits for a worker"),
    "running": ("busy", "running"),
    "done": ("ok", "done"),
    "blocked": ("warn", "waits for approval"),
    "failed": ("bad", "failed"),
    "cancelled": ("idle", "taken back"),
}
CAUSES = {
    "schedule": "by schedule",
    "catch-up": "catching up",
    "webhook": "by a webhook",
    "person": "by hand",
    "replay": "replay",
    "backfill": "backfill",
}


def title(flow: str) -> str:
    """A flow's title."""
    return FLOWS[flow].title if flow in FLOWS else flow


def name(flow: str) -> str:
    """A flow in a word or two."""
    return flow.replace("_", " ")


def called(flow: str) -> str:
    """A flow in a word or two, where it stands alone."""
    return name(flow).capitalize()


def way(flow: str) -> str:
    """From which system to which."""
    source, target = FLOWS[flow].source.system, FLOWS[flow].target.system
    if {source, target} & further.SYSTEMS.keys():
        return f"{further.title(source)} → {further.title(target)}"
    return WAYS[target]


def moved(figures: Mapping[str, Any]) -> int:
    """How many records took effect in the target."""
    return sum(int(figures.get(one, 0)) for one in DONE)


def came_to(figures: Mapping[str, Any]) -> str:
    """What a run came to, without what is zero."""
    told = [f"{figures[one]:,} {word}" for one, word in CAME_TO.items() if figures.get(one)]
    return ", ".join(told) or "nothing new"


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}" if text else ""
