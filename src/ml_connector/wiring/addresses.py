"""Addresses in the systems themselves, as the profile writes them.

Rule: what is put in is quoted, so that a key never changes where an address leads.
Must not know: whether an address may be shown.
"""

from urllib.parse import quote

from ml_connector.records import keys


def filled(template: str, key: str, target_id: str = "") -> str:
    """An address with a record's key, the parts of it, and the id that it has in the target."""
    values = {"{key}": key.replace(keys.SEPARATOR, "/")}
    values |= {f"{{key{number}}}": part for number, part in enumerate(keys.split(key), 1)}
    values |= {"{target_id}": target_id}
    for name, value in values.items():
        template = template.replace(name, quote(value, safe=""))
    return template
