"""How soon a large sandbox is up, and how fast it serves; `python bench/sandbox.py` prints one JSON object.

Shape: seconds until a world of 100,000 suppliers and 50,000 orders answers, and the median over 20 pages of 5,000 rows
as a ratio to encoding the same rows once.
"""

import json
import statistics
import sys
import time

import httpx2
import msgspec

from ml_connector.sandbox import SandboxOptions, start

SETS = "/main/ifsapplications/projection/v1/SupplierHandling.svc/SupplierInfoGeneralSet"
PAGES = 20


def main() -> None:
    """Measure and print."""
    options = SandboxOptions(suppliers=100_000, orders=50_000, seed=7)
    options.ifs.rate_limit = 1_000_000
    began = time.perf_counter()
    with start(options) as box, httpx2.Client() as client:
        up_s = time.perf_counter() - began
        form = {"grant_type": "client_credentials", "client_id": "mlc", "client_secret": "sandbox-secret"}
        realm = f"{box.ifs_url}/auth/realms/acme-prod/protocol/openid-connect/token"
        token = client.post(realm, data=form).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        took: list[float] = []
        body, last = b"", "S"
        for _ in range(PAGES):
            asked = f"?$filter=SupplierId%20gt%20'{last.replace('&', '%26')}'&$orderby=SupplierId&$top=5000"
            began = time.perf_counter()
            body = client.get(box.ifs_url + SETS + asked.replace("$", "%24"), headers=headers).content
            took.append(time.perf_counter() - began)
            rows = msgspec.json.decode(body)["value"]
            last = rows[-1]["SupplierId"].replace("'", "''") if rows else "S"
        decoded = msgspec.json.decode(body)
        began = time.perf_counter()
        msgspec.json.encode(decoded)
        encode_s = time.perf_counter() - began
    page_s = statistics.median(took)
    figures = {"up_s": up_s, "page_ms": page_s * 1000, "page_to_encoding": page_s / encode_s}
    sys.stdout.write(json.dumps({name: round(value, 1) for name, value in figures.items()}) + "\n")


main()
