"""The commands by what somebody is about to do.

Rule: each command is in one group; one that nobody put anywhere comes last.
Must not know: what a command does.
"""

from collections.abc import Iterable

GROUPS = {
    "Try": ("demo", "sandbox"),
    "Connect": ("connect", "disconnect", "connections", "check", "discover", "fit", "drift", "config", "rules"),
    "Move": ("plan", "run", "approve", "flows", "flow", "schedule", "blackout", "orders", "hook", "hooks", "inbox"),
    "Records": ("exceptions", "exception", "record", "search", "replay", "backfill", "edit", "edits"),
    "Ledger and audit": ("tie-out", "clearing", "invoices", "files", "journal", "evidence"),
    "Keep it going": ("serve", "worker", "workers", "alerts", "backup", "restore", "clean", "vault", "user", "token"),
}


def grouped(names: Iterable[str]) -> dict[str, list[str]]:
    """These commands by group, in the order in which they are needed."""
    left = list(names)
    found = {title: [name for name in group if name in left] for title, group in GROUPS.items()}
    known = {name for group in found.values() for name in group}
    return {**found, "Further": [name for name in left if name not in known]}
