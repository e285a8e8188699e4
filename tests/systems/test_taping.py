"""What is kept of requests and answers: of each record its own part, and no secret."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.sync.ports import Done, Result, Unknown, Write
from ml_connector.systems.ifs.odata.batch import pack
from ml_connector.systems.ifs.odata.writes import Request
from ml_connector.systems.redacting import KEPT_MAX, LEFT_OUT, redacted
from ml_connector.systems.taping import Heard, Tape, Taped

IBAN = "DE89 3704 0044 0532 0130 00"
NAMES = ("iban", "Bank_Account", "bic", "swiftCode", "clientSecret", "access_token", "password", "account_number")


class Sends:
    """A target that says what it is told to."""

    batch_max = find_max = 10

    def __init__(self, tape: Tape, said: list[tuple[str, str, bytes, int, bytes]], results: list[Result]) -> None:
        self._tape, self._said, self._results = tape, said, results

    def trim(self, record: Any) -> Any:
        return record

    def walk(self) -> None:
        return None

    def find(self, keys: Any) -> tuple[()]:
        return ()

    def send(self, writes: Any) -> tuple[Result, ...]:
        for method, target, body, status, answered in self._said:
            answer = (status, {"x-request-id": "r1", "authorization": "Bearer x"}, answered) if status else None
            self._tape.hear("S", method, target, body, answer)
        return tuple(self._results)


def told(said: list[tuple[str, str, bytes, int, bytes]], *results: Result) -> dict[str, Any]:
    tape = Tape()
    done = Taped(Sends(tape, said, list(results)), tape).send([Write(one.key, "", None) for one in results])
    return {one.key: one.told for one in done}


def test_each_record_of_a_bulk_gets_its_own_part() -> None:
    sent = json.dumps({"entities": [{"ref": "A", "n": 1}, {"ref": "B", "n": 2}]}).encode()
    answered = json.dumps({"created": [{"id": "b-id", "ref": "B"}], "updated": [{"id": "a-id", "ref": "A"}]}).encode()
    about = told([("POST", "/bulk/", sent, 200, answered)], Done("A", "a-id"), Done("B", "b-id"))
    (of_a,) = about["A"]
    assert json.loads(of_a.sent) == {"ref": "A", "n": 1}
    assert json.loads(of_a.answered) == {"id": "a-id", "ref": "A"}
    assert (of_a.records, of_a.status, of_a.request_id, of_a.path) == (2, 200, "r1", "/bulk/")
    assert "b-id" not in about["A"][0].answered


def test_each_changeset_of_a_batch_is_of_its_document() -> None:
    sets = [[Request("POST", "/V", {}, f'{{"Ref":"{ref}"}}'.encode())] for ref in ("A", "B/R1")]
    packed, answered = pack(sets), pack(sets).body  # the answer has the same form
    about = told([("POST", "/$batch", packed.body, 202, answered)], Done("A", "1"), Unknown("B", "lost"))
    assert '"Ref": "A"' in about["A"][0].sent
    assert "B/R1" not in about["A"][0].sent
    assert '"Ref": "B/R1"' in about["B"][0].sent
    assert "POST /V HTTP/1.1" in about["A"][0].sent


def test_a_record_sent_alone_gets_all_and_no_answer_is_said() -> None:
    about = told([("PATCH", "/v/7/", b'{"a":1}', 0, b""), ("GET", "/v/", b"", 200, b"{}")], Unknown("A", "lost"))
    (one,) = about["A"]
    assert (one.method, one.status, one.answered, json.loads(one.sent)) == ("PATCH", 0, "", {"a": 1})


def test_a_path_names_its_record() -> None:
    said = [("PATCH", f"/v/{key}-id/", b'{"x":1}', 200, b'{"y":2}') for key in "AB"]
    about = told(said, Done("A", "A-id"), Done("B", "B-id"))
    assert [one.path for one in about["A"]] == ["/v/A-id/"]


def test_a_refusal_of_all_is_shown_to_each_that_was_in_it() -> None:
    sent = json.dumps({"entities": [{"ref": "A"}, {"ref": "B"}]}).encode()
    about = told([("POST", "/bulk/", sent, 400, b'{"errors":["no"]}')], Unknown("A", ""), Unknown("B", ""))
    assert "no" in about["A"][0].answered


def test_nothing_is_heard_when_nobody_records() -> None:
    tape = Tape()
    tape.hear("S", "POST", "/", b"x", None)
    with tape.recording() as heard:
        tape.hear("S", "POST", "/", b"x", None)
    tape.hear("S", "POST", "/", b"x", None)
    assert [type(one) for one in heard] == [Heard]


@given(
    st.sampled_from(NAMES),
    st.text("xyz0", min_size=12, max_size=30) | st.dictionaries(st.just("k"), st.just("xyz0xyz0"), min_size=1),
    st.sampled_from(("itself", "list", "deep")),
)
def test_what_is_named_like_a_secret_is_left_out(name: str, value: Any, where: str) -> None:
    holder = {name: value, "plain": "kept"}
    text = redacted(json.dumps({"itself": holder, "list": [holder], "deep": {"er": holder}}[where]))
    assert LEFT_OUT in text
    assert "kept" in text
    assert not any(secret in text for secret in ([value] if isinstance(value, str) else ["xyz0xyz0"]))


def test_an_iban_is_left_out_wherever_it_stands() -> None:
    for text in (IBAN, json.dumps({"note": f"pay to {IBAN} please"}), IBAN.replace(" ", "")):
        assert "3704" not in redacted(text)
    assert "DE89 3704 0044 0532 0130 01" in redacted("DE89 3704 0044 0532 0130 01"), "wrong check digits: no IBAN"


@given(st.text(max_size=9000))
def test_what_is_kept_is_bounded(text: str) -> None:
    assert len(redacted(text)) <= KEPT_MAX + 60


@pytest.mark.parametrize(
    "answered", [b"[" * 60_000, b'{"a":1e99999999999999999999}', b'--b\n\n{"a":1e99999999999999999999}']
)
def test_what_nobody_can_read_is_no_trouble_for_who_asked(answered: bytes) -> None:
    (one,) = told([("POST", "/x/", b'{"a": 1}', 400, answered)], Unknown("A", "odd"))["A"]
    assert len(one.answered) < KEPT_MAX + 50


def test_numbers_stay_as_they_were_written() -> None:
    (one,) = told([("POST", "/x/", b'{"amount": 12345678901234567.10}', 200, b"")], Done("A", "1"))["A"]
    assert "12345678901234567.10" in one.sent


def test_bank_details_are_left_out_of_json_over_several_lines_and_of_text() -> None:
    packed = '--b\r\n\r\nPOST X HTTP/1.1\r\n\r\n{\r\n "Name": "A",\r\n "BankAccount": "1234"\r\n}'
    said = [("POST", "/x/", packed.encode(), 400, b'Error: account_number = "5678" is wrong')]
    (one,) = told(said, Done("A", "1"))["A"]
    assert "1234" not in one.sent
    assert '"Name": "A"' in one.sent
    assert "5678" not in one.answered


def test_a_long_text_full_of_names_takes_no_longer_than_it_is_long() -> None:
    assert redacted("bank " * 100_000).startswith("bank")
    for far in ("token = x55", "token:      x55", f"token of {'a ' * 2_000}: x55", "token bank. Secret: x55"):
        assert "x55" not in redacted(far)
    assert redacted("bank " * 100 + ". Total: 12").endswith(". Total: 12")
