"""Evidence of a period with real documents, real vouchers and a difference: it is whole, and says what there is."""

import csv
from pathlib import Path

import tie_out_planting as planting
import tie_out_truth as truths
from ledger_rig import NAME

from ml_connector.evidence import checking, layout
from ml_connector.sandbox.posting import tamper
from ml_connector.wiring import gathering, joined, tie_outs


def rows(pack: Path, name: str) -> list[dict[str, str]]:
    with (pack / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_evidence_of_a_period_is_whole_and_says_what_there_is(tmp_path: Path) -> None:
    with planting.posted_world(tmp_path / "world") as posted:
        doc = posted.docs["ledger"][0]
        tamper.lose(posted.joined.box.world, posted.key(doc))
        opened = posted.joined.store
        with joined(opened, NAME) as both:
            kept = tie_outs.make(both, doc.period)
        tie_outs.sign(opened, NAME, kept.number, kept.digest, "bob", "one is missing")
        gathering.gather(opened, NAME, doc.period, tmp_path / "pack", "ann")
        true = truths.truth(posted.joined, doc.period)
    verdict = checking.check(tmp_path / "pack")
    assert verdict.findings == ()
    assert [one["key"] for one in rows(tmp_path / "pack", layout.DIFFERENCES)] == [doc.key]
    told = {(one["company"], one["currency"]): one["read"] for one in rows(tmp_path / "pack", layout.TOTALS)}
    assert told == {group: str(one.read.count) for group, one in true.items() if one.read.count or group in told}
    states = [one["state"] for one in rows(tmp_path / "pack", layout.DOCUMENTS)]
    assert states.count("posted") == sum(one.there.count for one in true.values())
    assert any(int(one["posted"] or 0) for one in rows(tmp_path / "pack", layout.RUNS))
