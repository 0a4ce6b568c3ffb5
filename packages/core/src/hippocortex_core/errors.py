"""Every error a user of Hippocortex can meet.

HippocortexError
 ├─ ValidationError        validation_error     400
 ├─ UnauthorizedError      unauthorized         401
 ├─ QuotaExceededError     quota_exceeded       402
 ├─ ForbiddenError         forbidden            403
 ├─ NotFoundError          not_found            404
 ├─ ConflictError          conflict             409
 ├─ PayloadTooLargeError   payload_too_large    413
 ├─ RateLimitedError       rate_limited         429
 ├─ InternalError          internal_error       500
 ├─ UnavailableError       unavailable          503
 ├─ NetworkError           network_error        -    the service could not be reached
 ├─ ConfigurationError     configuration_error  -    no home configured, or a broken config file
 └─ MissingExtraError      missing_extra        -    an optional package is not installed

The table of codes is shared by client and server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class ErrorDetail:
    """Which field is wrong (a path such as `events[3].payload`), and why."""

    field: str
    message: str


class HippocortexError(Exception):
    """Base of all errors.

    Attributes:
        code: which error it is, such as `validation_error`.
        message: one line for a person.
        status_code: HTTP status, 0 where there is none.
        details: the fields at fault, for `validation_error`.
        request_id: the service's id of the failed request, if it gave one.
        retry_after: seconds to wait before trying again, if the service said so.
    """

    code: str = "internal_error"
    status: ClassVar[int] = 500

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status_code: int | None = None,
        details: list[ErrorDetail] | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.status_code = type(self).status if status_code is None else status_code
        self.details = details or []
        self.request_id = request_id
        self.retry_after = retry_after


class ValidationError(HippocortexError):
    """The request is malformed; `details` names the fields."""

    code = "validation_error"
    status = 400


class UnauthorizedError(HippocortexError):
    """The API key is missing, unknown or revoked."""

    code = "unauthorized"
    status = 401


class QuotaExceededError(HippocortexError):
    """The plan's quota is used up."""

    code = "quota_exceeded"
    status = 402


class ForbiddenError(HippocortexError):
    """The key's scope does not allow this."""

    code = "forbidden"
    status = 403


class NotFoundError(HippocortexError):
    """No such thing, or not this tenant's."""

    code = "not_found"
    status = 404


class ConflictError(HippocortexError):
    """The request contradicts what is stored."""

    code = "conflict"
    status = 409


class PayloadTooLargeError(HippocortexError):
    """The request body is larger than the service takes."""

    code = "payload_too_large"
    status = 413


class RateLimitedError(HippocortexError):
    """Too many requests; `retry_after` says how long to wait."""

    code = "rate_limited"
    status = 429


class InternalError(HippocortexError):
    """The service failed."""

    code = "internal_error"
    status = 500


class UnavailableError(HippocortexError):
    """The service or its database cannot answer now."""

    code = "unavailable"
    status = 503


class NetworkError(HippocortexError):
    """The service could not be reached, or did not answer in time."""

    code = "network_error"
    status = 0


class ConfigurationError(HippocortexError):
    """Nothing says where the memory lives, or the configuration is broken."""

    code = "configuration_error"
    status = 0


class MissingExtraError(HippocortexError, ImportError):
    """An optional package is needed; the message names the extra to install."""

    code = "missing_extra"
    status = 0


ERRORS: dict[str, type[HippocortexError]] = {
    cls.code: cls
    for cls in (
        ValidationError,
        UnauthorizedError,
        QuotaExceededError,
        ForbiddenError,
        NotFoundError,
        ConflictError,
        PayloadTooLargeError,
        RateLimitedError,
        InternalError,
        UnavailableError,
        NetworkError,
        ConfigurationError,
        MissingExtraError,
    )
}
"""Code to class, for whoever decodes an error."""


def invalid(field: str, message: str) -> ValidationError:
    """A `ValidationError` about one field."""
    return ValidationError(f"{field}: {message}", details=[ErrorDetail(field, message)])
