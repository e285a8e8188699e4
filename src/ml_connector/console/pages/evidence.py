"""Evidence: made of a tie-out at a click, taken along as one file.

Rule: it is for administrators and approvers; making it changes nothing but the journal, which tells of it.
Must not know: SQL, what is in it.
"""

from fastapi import Response

from ml_connector.console.api.evidence import packed
from ml_connector.console.api.shapes import Connected
from ml_connector.console.api.tie_outs import Numbered, Period
from ml_connector.console.pages.routing import Pages
from ml_connector.console.person import Who
from ml_connector.console.refusals import Refused
from ml_connector.console.site import Here
from ml_connector.store.rights import May

routes = Pages()


@routes.act("/c/{name}/tie-out/{period}/{number}/evidence", May.WORK)
def make(who: Who, connection: Connected, here: Here, period: Period, one: Numbered) -> Response:
    """The evidence of a tie-out."""
    if not (who.can("approve") or who.can("administer")):
        raise Refused(403, "forbidden", "evidence is for administrators and approvers; ask one of them for it")
    return packed(here, connection.name, period, one.number, who.name)
