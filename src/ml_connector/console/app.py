"""The web application of `serve`.

Rule: whatever is answered passes one outermost layer, which bounds what comes in and sets the headers that keep
browsers safe.
Must not know: what an endpoint does.
"""

from collections.abc import Callable
from importlib.metadata import version

from fastapi import FastAPI

from ml_connector.console import health, hooks, metrics, pages, refusals, static
from ml_connector.console.api import routes as api
from ml_connector.console.attempts import Attempts
from ml_connector.console.bounds import Bounds
from ml_connector.console.pages.render import problem
from ml_connector.console.site import Site
from ml_connector.flows import FLOWS
from ml_connector.settings import Installation
from ml_connector.store.access_log import AccessLog
from ml_connector.store.api_tokens import ApiTokens
from ml_connector.wiring import Opened
from ml_connector.wiring.looking import Looks
from ml_connector.wiring.sso import single_sign_on

ABOUT = "What `ml-connector` joins, ordered and watched by programs. Each request carries a token; times have a zone."


def make_app(
    opened: Opened, alive: Callable[[], bool], nudge: Callable[[], None], installation: Installation | None = None
) -> FastAPI:
    """The application; `alive`: the worker beside it has a lease; `nudge`: have that worker look for orders now."""
    given = installation or Installation()
    metrics_token = given.metrics_token.get_secret_value() if given.metrics_token else ""
    app = FastAPI(
        title="ml-connector",
        version=version("ml-connector"),
        description=ABOUT,
        openapi_url=f"{api.PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    looks = Looks(opened, given)
    app.state.site = Site(
        opened, alive, nudge, _tokens(opened), Attempts(), given, sso=single_sign_on(given), looks=looks
    )
    refusals.install(app, problem)
    app.include_router(health.router(opened.database, alive))
    app.include_router(metrics.router(opened.database, opened.vault, FLOWS, metrics_token))
    app.include_router(hooks.router(opened))
    app.include_router(api.routes)
    app.include_router(static.routes)
    app.include_router(pages.routes)
    app.add_middleware(Bounds)
    return app


def _tokens(opened: Opened) -> ApiTokens:
    return ApiTokens(opened.database, log=AccessLog(opened.database, opened.vault))
