"""A bill of materials: all that an installation consists of, as CycloneDX 1.6. Usage: sbom.py FOLDER [WHEEL_OR_SDIST…]

Rule: packages, hashes and who needs whom are as uv tells from the lock; licences, the files of others in the package,
and the digests of what was built are added. The same commit gives the same bytes.
Must not know: whether a package may be used; that is tested.
"""

import hashlib
import json
import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from licences import licence
from locked import ME, PROJECT, ROOT, closure, needs
from vendored import vendored

UV = ROOT / ".tools" / "bin" / "uv"
EXPORT = ["export", "--frozen", "--offline", "--quiet", "--no-default-groups", "--all-extras"]
FORMAT = ["--format", "cyclonedx1.5", "--preview-features", "sbom-export"]
VERSION: str = PROJECT["project"]["version"]


def bill(built: list[Path]) -> dict[str, Any]:
    """The bill, with the digests of what was built."""
    told = _told()
    main = told["metadata"]["component"]["bom-ref"]
    always = closure(needs("runtime"))
    components = [_licensed(one) | _scope(one["name"] in always) for one in told["components"]]
    parts = _parts()
    needed = [{**one, "dependsOn": sorted(one.get("dependsOn", []))} for one in told["dependencies"]]
    body = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": _moment(),
            "lifecycles": [{"phase": "build"}],
            "tools": {"components": [{"type": "application", "name": "uv", "version": _uv_version(told)}]},
            "component": _main(main, parts, built),
        },
        "components": components,
        "dependencies": needed,
    }
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
    return body | {"serialNumber": f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}"}


def _told() -> dict[str, Any]:
    return json.loads(subprocess.run([UV, *EXPORT, *FORMAT], cwd=ROOT, check=True, capture_output=True).stdout)  # noqa: S603


def _uv_version(told: dict[str, Any]) -> str:
    return told["metadata"]["tools"][0]["version"]


def _moment() -> str:
    return datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _licensed(component: dict[str, Any]) -> dict[str, Any]:
    return component | _licence(licence(component["name"]))


def _licence(expression: str) -> dict[str, Any]:
    if not expression:
        return {}
    return {"licenses": [{"expression": expression} if " " in expression else {"license": {"id": expression}}]}


def _scope(always: bool) -> dict[str, str]:
    return {"scope": "required" if always else "optional"}


def _main(ref: str, parts: list[dict[str, Any]], built: list[Path]) -> dict[str, Any]:
    return {
        "type": "application",
        "bom-ref": ref,
        "name": ME,
        "version": VERSION,
        "purl": f"pkg:pypi/{ME}@{VERSION}",
        **_licence(PROJECT["project"]["license"]),
        "externalReferences": [_built(file) for file in sorted(built)],
        "components": parts,
    }


def _built(file: Path) -> dict[str, Any]:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return {"type": "distribution", "url": file.name, "hashes": [{"alg": "SHA-256", "content": digest}]}


def _parts() -> list[dict[str, Any]]:
    return [
        {
            "type": "file",
            "bom-ref": f"file:{one.file}",
            "name": one.file,
            "description": one.what,
            "version": one.version,
            "purl": one.purl,
            "hashes": [{"alg": "SHA-256", "content": one.digest}],
            **_licence(one.licence),
        }
        for one in vendored()
    ]


def main(folder: str, *built: str) -> None:
    """Write it beside what was built."""
    file = Path(folder) / f"{ME.replace('-', '_')}-{VERSION}.cdx.json"
    file.write_text(json.dumps(bill([Path(one) for one in built]), indent=1, sort_keys=True) + "\n")
    print(file)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
