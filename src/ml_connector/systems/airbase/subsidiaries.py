"""The subsidiaries that Airbase has.

Rule: by the reference that documents and vendors name them with.
Must not know: which company stands for which.
"""

from ml_connector.systems.airbase.client import AirbaseClient


def subsidiaries(client: AirbaseClient) -> dict[str, str]:
    """Reference to name; one without a reference is under "". Raises: RemoteError."""
    resource = client.profile.subsidiaries
    reference, name = resource.named("reference"), resource.named("name")
    rows = (row for page in client.pages(resource) for row in page)
    return {str(row.get(reference) or ""): str(row.get(name) or "") for row in rows}
