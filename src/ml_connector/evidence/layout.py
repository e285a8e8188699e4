"""Which files evidence consists of, and how much is read of one that is to be checked.

Rule: every file is under SHA256SUMS but SHA256SUMS itself and its signature; a name can do no harm on any system.
Must not know: what is in the files.
"""

import re

README, MANIFEST, BLOCKS = "README.txt", "MANIFEST.json", "BLOCKS.txt"
SUMS, SIGNATURE, PUBLIC_KEY = "SHA256SUMS", "SHA256SUMS.sig", "public-key.pem"
EACH = "SIGNATURES.txt"  # one for each line of SHA256SUMS
TIE_OUT, POPULATION, DOCUMENTS = "tie-out.json", "population.jsonl", "population.csv"
TOTALS, DIFFERENCES = "totals.csv", "differences.csv"
JOURNAL, INSTALLATION = "journal.jsonl", "installation-journal.jsonl"
EXCEPTIONS, RUNS, ACCESS = "exceptions.csv", "runs.csv", "access.csv"
CONFIGURATION = "configuration"
CHANGES = f"{CONFIGURATION}/changes.csv"

UNSUMMED = (SUMS, SIGNATURE)
UNBLOCKED = (BLOCKS, EACH, *UNSUMMED)
NEEDED = (README, BLOCKS, EACH, PUBLIC_KEY, EXCEPTIONS, RUNS, CHANGES)  # the others are missed by who reads them

BLOCK_BYTES = 4096
NAMES_MAX = 5000  # files in a folder
DEPTH_MAX = 3
LINE_MAX = 4_000_000
KEY_BYTES_MAX, SUMS_BYTES_MAX, TEXT_BYTES_MAX = 10_000, 1_000_000, 64_000_000

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){0,2}")
