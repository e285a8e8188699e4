"""The page of a payment that was posted, and of one that a closed period holds, from the first read to the ledger."""

import json
from pathlib import Path

from ledger_rig import ledger_rig, plain_world
from rig import NAME, sqlite_url

from ml_connector.console.views import record
from ml_connector.console.views.record import RecordShown

PLACES = ["read", "mapped", "checked", "approved", "sent", "confirmed"]


def test_the_story_of_payments(tmp_path: Path) -> None:
    options = plain_world(requests=15, payments=30, closed_period=0.2)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path) as joined:
        joined.done()
        connection = joined.store.connections.get(NAME)

        def shown(key: str) -> RecordShown:
            view = record.shown(joined.store, connection, "payments", key)
            assert view
            return view

        posted = [shown(key) for key in joined.links("payments")]
        assert any({row.flow for row in one.related} == {"purchase_requests", "suppliers"} for one in posted)
        for one in posted:
            assert [(step.name, step.mark) for step in one.way] == [(place, "ok") for place in PLACES]
            assert one.head.amount
            assert one.head.called.startswith("PAY-")
            told = one.attempts[0].told
            assert all(part.system == "IFS" for part in told)
            transactions = [part for part in told if "ExtTransactionSet" in part.sent]
            assert one.head.key in transactions[0].sent
            others = {other.head.key for other in posted} - {one.head.key}
            assert not any(other in part.sent + part.answered for other in others for part in told)
        for key, waiting in joined.held("payments").items():
            held = shown(key)
            assert [step.mark for step in held.way] == ["ok", "ok", "warn", "", "", ""]
            assert held.waits
            assert held.waits.sentence == waiting.held.sentence
        secrets = ("sandbox-secret", "sandbox-token", "Bearer ")
        everything = json.dumps([one.model_dump(mode="json") for one in posted])
        assert not any(secret in everything for secret in secrets)
