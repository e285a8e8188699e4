"""Answers that say no, in the shape IFS gives them.

Rule: texts that were recorded are kept to the letter; the rest follow Olingo, IFS's OData engine, and Oracle.
It must not know why a request was refused.
"""

from ml_connector.sandbox.ifs.wire import JSON, encode
from ml_connector.sandbox.web import Response


class Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        detail: tuple[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, code, message, detail)
        self.status = status
        self.code = code
        self.message = message
        self.detail = detail
        self.headers = headers or {}

    def response(self) -> Response:
        """The answer."""
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if self.detail is not None:
            error["details"] = [{"code": self.detail[0], "message": self.detail[1]}]
        headers = {"Content-Type": f"{JSON};odata.metadata=minimal", **self.headers}
        return Response(self.status, headers, encode({"error": error}))


def malformed(code: str, text: str) -> Refusal:
    """A query or URL that cannot be understood."""
    return Refusal(400, "ODP_MALFORMED", "Malformed Request.", (code, text))


def unknown_property(name: str, type_name: str) -> Refusal:
    """A property that the type does not have."""
    text = f"The property '{name}', used in a query expression, is not defined in type '{type_name}'."
    return malformed("EXPRESSION_PROPERTY_NOT_IN_TYPE", text)


def unknown_service() -> Refusal:
    """A projection that is not there."""
    return Refusal(404, "MI_METADATA_NOTFOUND", "Metadata not found.")


def unsupported_url(text: str) -> Refusal:
    """A resource path that leads nowhere."""
    return Refusal(400, "ODP_UNSUPPORTED_URL", text)


def not_implemented(what: str) -> Refusal:
    """Something that IFS says it does not support."""
    return Refusal(501, "ODP_NOT_IMPLEMENTED", f"{what} is not implemented.")


def timed_out() -> Refusal:
    """A query that is too large."""
    text = "Operation did not complete in the expected time (10 seconds)."
    return Refusal(504, "ODP_OPERATION_TIMEOUT", text)


def wrong_method(method: str) -> Refusal:
    """A method that the resource does not have."""
    return Refusal(405, "HTTP_METHOD_NOT_ALLOWED", f"HTTP method {method} is not allowed for this resource.")


def bad_value(name: str, text: str = "Invalid value") -> Refusal:
    """A value in a body that does not fit its property."""
    detail = ("INVALID_VALUE_FOR_PROPERTY", f"{text} for property '{name}'.")
    return Refusal(400, "ODP_DESERIALIZATION_ERROR", f"{text} for property '{name}'.", detail)


def bad_body(text: str) -> Refusal:
    """A body that cannot be read."""
    return Refusal(400, "ODP_DESERIALIZATION_ERROR", text, ("ODP_DESERIALIZATION_ERROR", text))


def database(status: int, ora: int, text: str) -> Refusal:
    """What the database said no to."""
    return Refusal(
        status,
        "DATABASE_ERROR",
        "The request could not be processed by the database.",
        ("DATABASE_ERROR", f"ORA-{ora}: {text}"),
    )


def not_found(lu: str) -> Refusal:
    """A record that is not there, or not to be seen."""
    return database(404, 20111, f"{lu}.FND_RECORD_NOT_EXIST: The {lu} object does not exist.")


def precondition_missing() -> Refusal:
    """A change without If-Match where it is demanded."""
    return Refusal(428, "PRECONDITION_REQUIRED", "A precondition is missing in the request.")


def precondition_failed() -> Refusal:
    """A change of a record that was changed since it was read."""
    text = "The record has been modified by another user since it was read."
    return Refusal(412, "PRECONDITION_FAILED", text)
