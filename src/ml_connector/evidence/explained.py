"""What evidence tells whoever opens it first: what it is, and how to check it with nobody's help.

Rule: the commands work as they stand, in the folder itself.
Must not know: how anything is checked.
"""

from ml_connector.evidence.layout import (
    ACCESS,
    CHANGES,
    DIFFERENCES,
    DOCUMENTS,
    EXCEPTIONS,
    INSTALLATION,
    JOURNAL,
    POPULATION,
    PUBLIC_KEY,
    RUNS,
    SIGNATURE,
    SUMS,
    TIE_OUT,
    TOTALS,
)
from ml_connector.evidence.manifest import Manifest

FILES = (
    (DOCUMENTS, "every document of the period: its state, its voucher, the amounts on both sides"),
    (TOTALS, "control totals by company and currency"),
    (DIFFERENCES, "documents that differ between the sides, each with its reason"),
    (TIE_OUT, "the tie-out as it is frozen, its digest, who signed it off and when"),
    (POPULATION, f"the documents of {DOCUMENTS} exactly, as the tie-out's digest covers them"),
    (EXCEPTIONS, "what was held or refused at any time of the stretch: why, who saw to it, what became of it"),
    ("configuration/", "settings and mapping in force or changed in the stretch, version by version"),
    (CHANGES, "what each version changed, by whom, who approved it, from when on"),
    (ACCESS, "changes of people, roles, tokens and the key, and connections that were removed, with who did it"),
    (RUNS, "runs of the stretch, the latest first"),
    (JOURNAL, "the connection's audit trail from the first to the last entry of the stretch, without gaps"),
    (INSTALLATION, "the installation's audit trail, likewise"),
)


def readme(said: Manifest, told: str, fingerprint: str) -> str:
    """The text of README.txt; `told`: what the tie-out comes to, and who signed it off."""
    listed = "\n".join(f"  {name:<28} {what}" for name, what in FILES)
    return f"""\
Evidence of {said.connection}, accounting period {said.period} ({said.from_on} to {said.until_on})
Companies {", ".join(said.companies)}; {said.ifs} and {said.airbase}
Tells of the time from {said.since} to {said.until}.
Made {said.made_at} by {said.made_by} with ml-connector {said.program}.
{told}

WHAT IS HERE
{listed}

Amounts are exact decimal text. In .csv files a cell that a spreadsheet would take for a formula has ' before it.

HOW TO CHECK IT
1. That no file was changed (in this folder):
     sha256sum -c {SUMS}
2. That the list of digests was signed with the key in {PUBLIC_KEY}:
     openssl pkeyutl -verify -rawin -pubin -inkey {PUBLIC_KEY} -in {SUMS} -sigfile {SIGNATURE}
3. That this key is the installation's. Whoever made this evidence could have put another key here, so ask the
   installation's administrator, by another way, for the fingerprint that `ml-connector evidence key` shows:
     {fingerprint}
   With openssl: openssl pkey -pubin -in {PUBLIC_KEY} -outform DER | tail -c 32 | sha256sum
4. All of it, and that totals, tables and audit trails hold together; if something was changed, where:
     ml-connector evidence verify FOLDER --key KEY.pem
   This needs no store, no network and no secret, only the program (pip install ml-connector).

WHAT RESTS ON THE SIGNATURE ALONE
Step 4 makes again whatever follows from something else here: totals, tables of documents and {ACCESS}; who signed off;
that {EXCEPTIONS} tells of all that the audit trail says was held and of nothing else, what people did and what became
of it; that runs in {RUNS} which ended are in the audit trail. Nothing else here bears out the sentences, amounts and
owners of exceptions, the figures of runs, and what configuration/ says: of a version the audit trail has who made or
approved it, when, and a digest. They are what the store said when this was made; the signature says that nobody changed
them since.

HOW THE AUDIT TRAIL IS CHAINED
Each line is an entry. Its hash is SHA-256 over: the 32 bytes of `prev`; then for each of journal number
({said.journal.number} here, {said.installation.number} for the installation's), seq, at, run_id, flow, key, kind, facts
(as they stand in the line) and the bytes of body_digest: the length in bytes, ":", the value; for no body_digest "-".
The `prev` of an entry is the `hash` of the one before. Bodies are left out; body_digest covers them.
"""
