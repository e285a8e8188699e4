"""A profile as the TOML that a person edits, and back.

Rule: what is read back is equal to what was written; what is as it would be anyway is left out.
Must not know: where profiles are kept.
"""

import tomllib
from typing import Any

import msgspec
import tomli_w

from ml_connector import settings
from ml_connector.errors import SettingsError
from ml_connector.settings import PROFILE_BYTES_MAX, Profile


def exported(profile: Profile, head: str = "") -> str:
    """The TOML of a profile; `head`: what a comment at the top says."""
    comment = f"# {head}\n\n" if head else ""
    return comment + tomli_w.dumps(spare(profile))


def imported(text: str) -> Profile:
    """The profile that a TOML text says. Raises: SettingsError."""
    if len(text.encode("utf-8", "replace")) > PROFILE_BYTES_MAX:
        raise SettingsError(f"a profile has at most {PROFILE_BYTES_MAX:,} bytes")
    try:
        return settings.profile(tomllib.loads(text.replace("\r\n", "\n")))
    except SettingsError:
        raise
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"this is not TOML: {error}") from None


def spare(record: msgspec.Struct) -> dict[str, Any]:
    """The fields that are not as they would be anyway."""
    kind = type(record)
    fields = ((one.name, getattr(record, one.name), getattr(kind(), one.name)) for one in msgspec.structs.fields(kind))
    return {name: _plain(value) for name, value, usual in fields if value != usual}


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return spare(value)
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return value
