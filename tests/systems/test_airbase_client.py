"""The client against a server that says what each test wants it to say."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from reaching import Unhurried, airbase_client
from werkzeug import Request, Response

from ml_connector.errors import AuthError, MalformedError, RefusedError, ThrottledError, UnconfirmedError
from ml_connector.systems.airbase.client import AirbaseClient, Bulk, Rate, Rejection, pause_s, rate_of
from ml_connector.systems.airbase.profile import DEFAULT
from ml_connector.systems.airbase.refusals import NOWHERE
from ml_connector.systems.limits import Limiter

VENDORS = DEFAULT.vendors
Answering = Callable[[Request], Any]


@pytest.fixture
def deferred() -> Unhurried:
    return Unhurried()


@pytest.fixture
def client(httpserver: HTTPServer, deferred: Unhurried) -> Iterator[AirbaseClient]:
    origin = f"http://localhost:{httpserver.port}"
    made = airbase_client(origin, "k", "token", limiter=Limiter(deferred, "airbase"), total_s=5.0)
    yield made
    made.wire.close()


def serve(httpserver: HTTPServer, answering: Answering) -> list[Request]:
    """Answer everything with what the function gives: a body, or a whole answer; collects the requests."""
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        request.get_data()
        seen.append(request)
        given = answering(request)
        return given if isinstance(given, Response) else Response(json.dumps(given), content_type="application/json")

    httpserver.expect_request(re.compile(".*")).respond_with_handler(answer)
    return seen


def listed(*ids: str) -> dict[str, Any]:
    rows = [{"id": one, "airbase_id": one, "erp_reference_id": one} for one in ids]
    return {"data": rows, "pagination": {"next": None}}


def status(code: int, body: Any = None, **headers: str) -> Response:
    text = body if isinstance(body, str) else json.dumps(body)
    return Response(text, status=code, content_type="application/json", headers=headers)


def test_a_list_is_walked_until_a_page_is_empty_whatever_next_says(
    client: AirbaseClient, httpserver: HTTPServer
) -> None:
    pages = {"1": listed("a", "b"), "2": listed("c")}
    seen = serve(httpserver, lambda request: pages.get(request.args["page"], listed()))
    assert [[row["id"] for row in page] for page in client.pages(VENDORS)] == [["a", "b"], ["c"]]
    assert [request.args["page"] for request in seen] == ["1", "2", "3"]
    assert {request.args["page_size"] for request in seen} == {"250"}


def test_every_path_ends_with_a_slash_and_carries_the_token(client: AirbaseClient, httpserver: HTTPServer) -> None:
    seen = serve(httpserver, lambda _: {"id": "a"})
    client.get(VENDORS, "a/b")
    client.create(VENDORS, {"name": "n"})
    client.update(VENDORS, "a", {"name": "n"}, repeatable=True)
    assert [(r.method, r.environ["REQUEST_URI"]) for r in seen] == [
        ("GET", "/v1/accounting/vendors/a%2Fb/"),
        ("POST", "/v1/accounting/vendors/"),
        ("PATCH", "/v1/accounting/vendors/a/"),
    ]
    assert {request.headers["Authorization"] for request in seen} == {"Token k"}


def test_a_query_is_quoted(client: AirbaseClient, httpserver: HTTPServer) -> None:
    seen = serve(httpserver, lambda _: listed())
    client.page(VENDORS, {"erp_reference_id": "A&page=9+ä /"})
    assert seen[0].args["erp_reference_id"] == "A&page=9+ä /"
    assert seen[0].args["page"] == "1"


def test_a_page_that_comes_again_is_an_error_not_a_loop(client: AirbaseClient, httpserver: HTTPServer) -> None:
    serve(httpserver, lambda _: listed("a", "b"))
    with pytest.raises(MalformedError, match="again"):
        list(client.pages(VENDORS))


def test_a_list_without_end_is_an_error(
    client: AirbaseClient, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml_connector.systems.airbase.client.PAGES_MAX", 3)
    serve(httpserver, lambda request: listed(request.args["page"]))
    with pytest.raises(MalformedError, match="no end"):
        list(client.pages(VENDORS))


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"data": None},
        {"data": {"id": "a"}},
        {"data": ["a"]},
        {"data": [{"name": "n"}]},
        {"data": [{"id": 5}]},
        {"results": []},
        "html",
    ],
)
def test_what_is_no_list_of_records_is_not_taken_for_an_empty_one(
    client: AirbaseClient, httpserver: HTTPServer, body: Any
) -> None:
    serve(httpserver, lambda _: status(200, "<html>" if body == "html" else body))
    with pytest.raises(MalformedError):
        list(client.pages(VENDORS))


def test_a_page_not_found_is_not_the_end_of_the_list(client: AirbaseClient, httpserver: HTTPServer) -> None:
    serve(httpserver, lambda r: listed("a") if r.args["page"] == "1" else status(404, {"detail": "Invalid page."}))
    with pytest.raises(RefusedError, match=r"Invalid page\."):
        list(client.pages(VENDORS))


def test_a_redirect_is_not_followed(client: AirbaseClient, httpserver: HTTPServer) -> None:
    seen = serve(httpserver, lambda r: status(301, {}, Location=r.path.rstrip("/")))
    with pytest.raises(RefusedError, match="trailing slash"):
        client.page(VENDORS, {})
    with pytest.raises(RefusedError):
        client.create(VENDORS, {})
    assert len(seen) == 2


def test_a_redirect_to_elsewhere_gets_no_token(client: AirbaseClient, httpserver: HTTPServer) -> None:
    seen = serve(httpserver, lambda _: status(301, {}, Location="https://example.com/v1/"))
    with pytest.raises(MalformedError, match=r"example\.com"):
        client.page(VENDORS, {})
    assert len(seen) == 1


def test_throttling_without_a_hint_is_waited_out(
    client: AirbaseClient, httpserver: HTTPServer, deferred: Unhurried
) -> None:
    answers = iter([status(429, {"detail": "Request was throttled."}), listed("a")])
    serve(httpserver, lambda _: next(answers))
    assert [row["id"] for row in client.page(VENDORS, {})] == ["a"]
    assert deferred.pauses == [1.0]


def test_throttling_for_ever_is_told(client: AirbaseClient, httpserver: HTTPServer) -> None:
    serve(httpserver, lambda _: status(429, {}, **{"Retry-After": "0"}))
    with pytest.raises(ThrottledError):
        client.create(VENDORS, {})


def test_credentials_refused_are_told_without_the_token(client: AirbaseClient, httpserver: HTTPServer) -> None:
    serve(httpserver, lambda _: status(401, {"detail": "Invalid token."}))
    with pytest.raises(AuthError, match=r"Invalid token\.") as refused:
        client.page(VENDORS, {})
    assert "Token k" not in str(refused.value)


@pytest.mark.parametrize("code", [500, 502, 504])
def test_a_create_is_never_done_again(client: AirbaseClient, httpserver: HTTPServer, code: int) -> None:
    seen = serve(httpserver, lambda _: status(code, {}))
    with pytest.raises(UnconfirmedError):
        client.create(VENDORS, {"name": "n"})
    assert len(seen) == 1


def test_a_read_is_done_again(client: AirbaseClient, httpserver: HTTPServer) -> None:
    answers = iter([status(502, {}), listed("a")])
    serve(httpserver, lambda _: next(answers))
    assert client.page(VENDORS, {})


def test_a_bulk_answer_is_checked(client: AirbaseClient, httpserver: HTTPServer) -> None:
    serve(httpserver, lambda _: {"created": [{"id": "a"}]})
    assert client.bulk_upsert(VENDORS, [{}], repeatable=False) == Bulk(({"id": "a"},), ())


@pytest.mark.parametrize("body", [{}, {"created": None}, {"created": [5]}, {"updated": [{"name": "n"}]}])
def test_a_bulk_answer_that_says_nothing_is_malformed(client: AirbaseClient, httpserver: HTTPServer, body: Any) -> None:
    serve(httpserver, lambda _: body)
    with pytest.raises(MalformedError):
        client.bulk_upsert(VENDORS, [{}], repeatable=False)


def test_validation_errors_are_given_by_place(client: AirbaseClient, httpserver: HTTPServer) -> None:
    said = [
        {"index": 1, "errors": {"name": ["This field may not be blank."]}},
        {"index": 3, "lines": [{}, {"quantity": ["A valid number is required."]}]},
        {"index": True, "errors": "x"},
        "odd",
    ]
    serve(httpserver, lambda _: status(400, {"validation_errors": said}))
    assert client.bulk_upsert(VENDORS, [{"name": "n"}] * 4, repeatable=False) == Rejection(
        {
            1: "name: This field may not be blank.",
            3: "lines 2 quantity: A valid number is required.",
            NOWHERE: "x; odd",
        }
    )


@pytest.mark.parametrize("body", [{"entities": ["Too many."]}, [], {"validation_errors": []}, "<html>"])
def test_a_refusal_that_names_no_entity_is_raised(client: AirbaseClient, httpserver: HTTPServer, body: Any) -> None:
    answers = iter([status(400, {"validation_errors": [{"index": 0}]}), status(400, body)])
    serve(httpserver, lambda _: next(answers))
    assert client.bulk_upsert(VENDORS, [{}], repeatable=False) == Rejection({0: ""})
    with pytest.raises(RefusedError):  # and what the call before was told is not mistaken for it
        client.bulk_upsert(VENDORS, [{}, {}], repeatable=False)


def test_messages_are_cut_and_cleaned(client: AirbaseClient, httpserver: HTTPServer) -> None:
    said = [{"index": 0, "errors": {"name": ["bad\x00\n" + "x" * 5000]}}]
    serve(httpserver, lambda _: status(400, {"validation_errors": said}))
    answer = client.bulk_upsert(VENDORS, [{}], repeatable=False)
    assert isinstance(answer, Rejection)
    assert len(answer.reasons[0]) <= 300
    assert answer.reasons[0].startswith("name: bad xxx")


def test_it_slows_down_while_little_is_left(client: AirbaseClient, httpserver: HTTPServer, deferred: Unhurried) -> None:
    left = iter(["400", "50", "25", "0"])
    serve(
        httpserver,
        lambda _: status(200, listed(), **{"X-Ratelimit-Limit": "500", "X-Ratelimit-Remaining": next(left)}),
    )
    for _ in range(4):
        client.page(VENDORS, {})
    assert deferred.pauses == [1.0, 2.0]
    assert client.rate == Rate(500, 0)


def test_a_rate_that_is_no_number_is_ignored() -> None:
    assert rate_of({}) is None
    assert rate_of({"x-ratelimit-limit": "500", "x-ratelimit-remaining": "-1"}) is None
    assert rate_of({"x-ratelimit-limit": "0", "x-ratelimit-remaining": "0"}) is None
    assert pause_s(Rate(500, 600)) == 0.0
