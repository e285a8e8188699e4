"""Find: what the target holds of these records, where nothing can be decided without a look.

Rule: one look for any number of records; when that is dearer than walking all of the target, it is walked once.
Must not know: IFS, Airbase, SQL, HTTP.
"""

from collections.abc import Collection, Iterator, Mapping

from ml_connector.run.job import Outcome, Pass
from ml_connector.run.recovering import by_key
from ml_connector.sync.flow import Shape
from ml_connector.sync.outcome import Mapped
from ml_connector.sync.plan import Found, Link


def walk_target(now: Pass) -> None:
    """Remember everything that the target holds under a key of ours."""
    seen = 0
    pages = now.job.target.walk()
    if pages is None:
        return
    for page in pages:
        now.job.store.remember(now.run_id, page)
        seen += len(page)
        now.job.watch("look", seen)
    now.walked = True


def find(
    now: Pass, links: Mapping[str, Link], mapped: Mapping[str, Outcome], handed: Collection[str]
) -> dict[str, list[Found]]:
    """What the target holds, of every key that it was asked for: what would be created, and what is suspect."""
    asked = sorted({*_asked(now, links, mapped), *handed, *((now.suspects | now.ours) & mapped.keys())})
    if not now.walked and len(asked) > now.job.target.find_max:
        walk_target(now)
    if now.walked:
        asked = list(mapped)
    found = now.job.store.found(now.run_id, asked) if now.walked else now.job.target.find(asked) if asked else ()
    return {key: [] for key in asked} | by_key(found)


def _asked(now: Pass, links: Mapping[str, Link], mapped: Mapping[str, Outcome]) -> Iterator[str]:
    """Keys that nothing can be decided about without a look into the target."""
    posting, both_ways = now.job.flow.shape is Shape.POST, now.job.flow.both_ways
    for key, outcome in mapped.items():
        link = links.get(key)
        wanted = isinstance(outcome, Mapped) and outcome.due and outcome.active
        withdrawn = not isinstance(outcome, Mapped) or not outcome.active
        doubted = link is not None and not link.digest
        unlinked = link is None and (wanted or (posting and withdrawn))
        if unlinked or doubted or (both_ways and isinstance(outcome, Mapped)):
            yield key
