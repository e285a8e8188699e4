"""Settings and their versions over HTTP.

Rule: reads only; secrets are not part of settings, and what may be one is not shown.
Must not know: what a setting is for.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from ml_connector.console.api.shapes import NUMBER_MAX, Connected
from ml_connector.console.auth import Guarded
from ml_connector.console.refusals import absent
from ml_connector.console.site import Here
from ml_connector.console.views import mapping as views
from ml_connector.console.views.mapping import MappingShown, VersionPage, VersionsShown
from ml_connector.errors import SettingsError

routes = APIRouter(tags=["settings"], route_class=Guarded)
VersionNumber = Annotated[int, Path(ge=1, le=NUMBER_MAX, description="A version's number.")]
Before = Annotated[int | None, Query(ge=1, le=NUMBER_MAX, description="Only versions with a lower number.")]


@routes.get("/connections/{name}/settings")
def get_settings(connection: Connected, here: Here) -> MappingShown:
    """The settings in force: mapping tables, posting rules in words, the profile as `config export` has it."""
    return views.mapping(here, connection)


@routes.get("/connections/{name}/versions")
def list_versions(connection: Connected, here: Here, before: Before = None) -> VersionsShown:
    """Every version of the settings, the latest first."""
    return views.listed(here, connection, before)


@routes.get("/connections/{name}/versions/{number}")
def get_version(connection: Connected, here: Here, number: VersionNumber) -> VersionPage:
    """A version and what it changes."""
    try:
        return views.version(here, connection, number)
    except SettingsError as error:
        raise absent(str(error)) from None
