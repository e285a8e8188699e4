"""What comes from around the process: the environment, and who runs it.

Rule: everything is checked when it is read. Secrets that others give are not settings: they go straight to the vault.
Must not know: connections, how a setting is used.
"""

import os
import pwd
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ml_connector.errors import SettingsError

HOME = Path.home() / ".ml-connector"


class Installation(BaseSettings):
    """What comes from the environment (`ML_CONNECTOR_…`): the store, its key, how long things are kept, who is told.

    `smtp_url`, `mail_from`: through which server and from whom alerts are mailed. `metrics_token`: who asks for figures
    has to bear it. `public_url`: where others reach this installation, such as `https://connector.example.com`.
    `access_two_persons`: roles wait for a second administrator. `oidc_…`: the single sign-on; `oidc_roles` says which
    value of the claim `oidc_roles_claim` gives which role: `ap-team=clerk,controllers=approver`.
    """

    model_config = SettingsConfigDict(env_prefix="ML_CONNECTOR_", env_ignore_empty=True)

    store: str = f"sqlite:///{HOME / 'store.db'}"
    key: SecretStr | None = None
    key_file: Path | None = None
    keep_journal_years: int = Field(default=7, ge=1, le=100)
    keep_runs_days: int = Field(default=400, ge=1, le=36500)
    keep_changes_days: int = Field(default=90, ge=1, le=36500)
    smtp_url: SecretStr | None = None
    mail_from: str = ""
    metrics_token: SecretStr | None = None
    allow_private_webhooks: bool = False
    allow_private_systems: bool = False
    public_url: str = ""
    access_two_persons: bool = False
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr | None = None
    oidc_roles_claim: str = "groups"
    oidc_roles: str = ""


def installation(store: str = "") -> Installation:
    """The installation, with the store that was named, if one was.

    Raises: SettingsError.
    """
    try:
        return Installation(store=store) if store else Installation()
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise SettingsError(f"ML_CONNECTOR_{str(first['loc'][0]).upper()}: {first['msg']}") from None


def store_file(url: str) -> Path | None:
    """The file of an SQLite store; None for a server.

    Raises: SettingsError when it is SQLite, but not a plain file.
    """
    scheme, _, path = url.partition(":///")
    if not scheme.startswith("sqlite"):
        return None
    if scheme != "sqlite" or not path or path == ":memory:" or any(mark in path for mark in "?%"):
        raise SettingsError(f"{url!r} is no usable store; it looks like sqlite:////var/lib/ml-connector/store.db")
    return Path(path)


def key_file(installation: Installation) -> Path:
    """Where the key file is: as set, else beside an SQLite store, else in the home folder.

    Raises: SettingsError.
    """
    file = store_file(installation.store)
    path = installation.key_file or (file.with_suffix(".key") if file else HOME / "store.key")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"{path.parent}: {error.strerror}") from error
    return path


def person() -> str:
    """Who runs this process: the account of the operating system, which no option can change."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
