"""The API against its own description: whatever is sent, nothing breaks and every answer is as described."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from rig import NAME
from schemathesis.specs.openapi import checks
from serving import Served, serving

from ml_connector.console.api import routes as api
from ml_connector.store.api_tokens import Right

EXAMPLES = 8
STEADY: Any = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}
WRONG = "mlc_" + "A" * 43
KNOWN = {"name": [NAME, "nobody"], "flow": ["suppliers", "purchase_orders", "payments", "all", "nonsense"]}


def described() -> dict[str, Any]:
    """The description, with values that lead somewhere where any text would do; whoever sends has a token."""
    app = FastAPI()
    app.include_router(api.routes)
    told = app.openapi()
    for operation in (one for path in told["paths"].values() for one in path.values()):
        del operation["security"]
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path" and parameter["name"] in KNOWN:
                parameter["schema"] = {"type": "string", "enum": KNOWN[parameter["name"]]}
    for model in ("OrderAsked", "BlackoutAsked", "ReplayAsked"):
        told["components"]["schemas"][model]["properties"]["flow"]["enum"] = ["", *KNOWN["flow"]]
    return told


# What is right by its shape may make no sense (an unknown flow, no schedule): 422. Of a 405 the web
# framework tells in `Allow` the methods of one route, not of all that share the address.
LEFT_OUT = [getattr(checks, name) for name in ("positive_data_acceptance", "allow_header_conformance")]
schema: Any = schemathesis.openapi.from_dict(described())
few: Any = schemathesis.openapi.from_dict(described())
few.config.phases.coverage.enabled = False


def test_no_token_changes_settings_people_or_records_or_agrees_to_anything() -> None:
    """Of those who do, nobody asks who made them (`wiring/agreeing.py`)."""
    own = ("settings", "versions", "edits", "record", "approvals", "users", "tokens", "approve", "connections/{name}")
    writing = [path for path, ways in described()["paths"].items() if ways.keys() - {"get"}]
    assert writing
    assert not [path for path in writing if path.endswith(own) or any(f"/{one}/" in path for one in own[:-1])]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as one:
        yield one


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as one:
        one.trust_env = False
        yield one


@schema.parametrize()
@settings(max_examples=EXAMPLES, **STEADY)
def test_every_answer_is_as_described(case: Any, served: Served, session: requests.Session) -> None:
    headers = {"Authorization": f"Bearer {served.tokens[Right.ADMIN]}"}
    case.call_and_validate(base_url=served.url, headers=headers, session=session, excluded_checks=LEFT_OUT)


@few.parametrize()
@settings(max_examples=3, **STEADY)
def test_without_a_token_in_force_nothing_is_answered(case: Any, served: Served, session: requests.Session) -> None:
    for headers in ({}, {"Authorization": f"Bearer {WRONG}"}):
        answer = case.call(base_url=served.url, headers=headers, session=session)
        assert answer.status_code in (401, 429)
        assert answer.json().keys() == {"error", "code"}
