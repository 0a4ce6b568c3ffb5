"""The exchange without a network: each test plays the driver."""

import json
import math
from email.utils import formatdate

import pytest

from hippocortex_core import __version__
from hippocortex_core.config import Settings
from hippocortex_core.envelope import Response, failure, success
from hippocortex_core.errors import (
    ERRORS,
    ErrorDetail,
    HippocortexError,
    InternalError,
    NetworkError,
    NotFoundError,
    UnavailableError,
    ValidationError,
    invalid,
)
from hippocortex_core.exchange import RetryPolicy, Unreachable, exchange
from hippocortex_core.operations import (
    Capture,
    CaptureBatch,
    DeprecateArtifact,
    GetArtifact,
    Health,
    Learn,
    ListEvents,
    Synthesize,
)
from hippocortex_core.types import (
    CaptureEvent,
    CaptureResult,
    HealthResult,
    LearnOptions,
    SynthesizeOptions,
)

SETTINGS = Settings("http://memory.test/v1", "hx_test_1")
NOW = 1_800_000_000.0
POLICY = RetryPolicy(retries=2, base_delay=1.0, max_delay=30.0, random=lambda: 0.0, now=lambda: NOW)
HEALTHY = {"status": "ok", "version": "2", "store": "sqlite"}
EVENT = CaptureEvent("message", "s1", {"role": "user", "content": "hi"})


def ok(data, status=200):
    return Response(status, {}, json.dumps(success(data, {"requestId": "r1"})).encode())


def play(operation, *replies, policy=POLICY, settings=SETTINGS):
    """Everything that was sent, and the result."""
    flow = exchange(operation, settings, policy)
    sent = [next(flow)]
    try:
        for reply in replies:
            sent.append(flow.send(reply))  # noqa: PERF401 - extend would swallow the StopIteration
    except StopIteration as done:
        return sent, done.value
    raise AssertionError("the exchange wants to send once more")


def error_of(operation, *replies, **kwargs):
    with pytest.raises(HippocortexError) as caught:
        play(operation, *replies, **kwargs)
    return caught.value


def body(send):
    return json.loads(send.content)


def test_an_answer_becomes_a_result():
    sent, result = play(Health(), ok(HEALTHY))
    assert result == HealthResult("ok", "2", "sqlite")
    assert [(send.method, send.target, send.after) for send in sent] == [("GET", "/health", 0.0)]


def test_every_request_says_who_asks():
    ((send,), _) = play(Capture(EVENT, lambda: "fresh"), ok({"eventId": "e", "status": "ingested"}))
    assert send.headers == {
        "Accept": "application/json",
        "Authorization": "Bearer hx_test_1",
        "Content-Type": "application/json",
        "Idempotency-Key": "fresh",
        "User-Agent": f"hippocortex-python/{__version__}",
        "X-Hippocortex-SDK-Version": f"python/{__version__}",
    }


def test_a_home_without_key_is_asked_without_authorization():
    ((send,), _) = play(Health(), ok(HEALTHY), settings=Settings("http://localhost/v1"))
    assert "Authorization" not in send.headers
    assert "Content-Type" not in send.headers
    assert send.content is None


@pytest.mark.parametrize(
    "key",
    [
        "schlüssel",
        "a\nb",
        " padded ",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    ],
)
def test_a_key_that_no_header_can_carry_goes_in_the_body_alone(key):
    event = CaptureEvent("message", "s1", {}, idempotency_key=key)
    ((send,), _) = play(Capture(event), ok({"eventId": "e", "status": "ingested"}))
    assert "Idempotency-Key" not in send.headers
    assert body(send)["idempotencyKey"] == key


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_failure_is_tried_again_with_the_same_request(status):
    sent, result = play(Health(), Response(status), ok(HEALTHY))
    assert result.status == "ok"
    assert (sent[1].target, sent[1].headers) == (sent[0].target, sent[0].headers)


def test_an_unreachable_service_is_tried_again():
    sent, _ = play(Health(), Unreachable("refused"), Unreachable("refused"), ok(HEALTHY))
    assert len(sent) == 3


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 413, 501])
def test_a_lasting_failure_is_not_tried_again(status):
    assert error_of(GetArtifact("a"), Response(status)).status_code == status


def test_delays_double_and_the_jitter_takes_away_up_to_half():
    sent, _ = play(Health(), Response(503), Response(503), ok(HEALTHY))
    assert [send.after for send in sent] == [0.0, 1.0, 2.0]
    hurried = RetryPolicy(base_delay=1.0, random=lambda: 1.0)
    sent, _ = play(Health(), Response(503), Response(503), ok(HEALTHY), policy=hurried)
    assert [send.after for send in sent] == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("header", "delay"),
    [
        ("7", 7.0),
        ("0", 0.0),
        (formatdate(NOW + 12, usegmt=True), 12.0),
        (formatdate(NOW - 12, usegmt=True), 0.0),
        ("86400", 30.0),
        (formatdate(NOW + 86400, usegmt=True), 30.0),
        ("9" * 400, 30.0),
        ("soon", 1.0),
        ("-5", 1.0),
        ("", 1.0),
    ],
)
def test_a_service_says_how_long_to_wait(header, delay):
    sent, _ = play(Health(), Response(429, {"retry-after": header}), ok(HEALTHY))
    assert sent[1].after == delay


def test_after_the_last_attempt_the_error_says_how_long_to_wait():
    limited = Response(429, {"retry-after": "90"})
    error = error_of(Health(), limited, limited, limited)
    assert (error.code, error.retry_after) == ("rate_limited", 90.0)


def test_what_is_not_safe_is_sent_once():
    class Unsafe(Health):
        safe_to_retry = False

    assert isinstance(error_of(Unsafe(), Response(503)), UnavailableError)


def test_a_service_that_stays_away_is_a_network_error():
    cause = OSError("refused")
    error = error_of(Health(), *[Unreachable("connection refused", cause)] * 3)
    assert isinstance(error, NetworkError)
    assert error.message == "cannot reach http://memory.test/v1: connection refused"
    assert error.__cause__ is cause


@pytest.mark.parametrize("code", [code for code, cls in ERRORS.items() if cls.status])
def test_a_reported_error_becomes_its_class(code):
    cls = ERRORS[code]
    said = cls("no", details=[ErrorDetail("max_tokens", "too few")])
    reply = Response(cls.status, {}, json.dumps(failure(said, {"requestId": "r9"})).encode())
    error = (
        error_of(Synthesize("q"), reply, reply, reply)
        if cls.status in {429, 500, 503}
        else error_of(Synthesize("q"), reply)
    )
    assert type(error) is cls
    assert (error.code, error.message, error.status_code) == (code, "no", cls.status)
    assert (error.details, error.request_id) == ([ErrorDetail("max_tokens", "too few")], "r9")


def test_fields_are_called_otherwise_on_the_wire_and_alike_on_both_sides():
    said = invalid("options.max_tokens", "too few")
    envelope = failure(said, {})
    assert envelope["error"]["message"] == "options.maxTokens: too few"
    assert envelope["error"]["details"] == [{"field": "options.maxTokens", "message": "too few"}]
    error = error_of(Synthesize("q"), Response(400, {}, json.dumps(envelope).encode()))
    assert (error.message, error.details) == (said.message, said.details)


def test_a_code_of_a_newer_service_is_kept():
    reply = Response(
        403, {}, b'{"ok": false, "error": {"code": "tenant_suspended", "message": "pay"}}'
    )
    error = error_of(GetArtifact("a"), reply)
    assert (type(error), error.code) == (ERRORS["forbidden"], "tenant_suspended")


@pytest.mark.parametrize(
    ("raw", "details"),
    [
        (
            [{"field": "options.maxTokens", "message": "m"}],
            [ErrorDetail("options.max_tokens", "m")],
        ),
        ([{"path": "payload.userId", "message": "m"}], [ErrorDetail("payload.userId", "m")]),
        ({"sessionId": "is missing"}, [ErrorDetail("session_id", "is missing")]),
        (["odd"], [ErrorDetail("", "odd")]),
        ("odd", []),
        (None, []),
    ],
)
def test_details_are_read_whatever_their_shape(raw, details):
    answer = {"ok": False, "error": {"code": "validation_error", "message": "m", "details": raw}}
    assert (
        error_of(GetArtifact("a"), Response(400, {}, json.dumps(answer).encode())).details
        == details
    )


@pytest.mark.parametrize(
    "answer",
    [
        {"ok": False},
        {"ok": False, "error": "no"},
        {"ok": False, "error": {"code": 5}},
        {"ok": True},
    ],
)
def test_a_malformed_envelope_is_an_error_of_its_status(answer):
    error = error_of(GetArtifact("a"), Response(403, {}, json.dumps(answer).encode()))
    assert (error.code, error.message) == ("forbidden", "HTTP 403")


HTML = b"<html>\n <body>Sign in to the hotel wifi</body></html>"


@pytest.mark.parametrize(
    "garbage",
    [HTML, b"", b"{", b"\xff\xfe\x00", b"[]", b"null", b'"ok"', b"[" * 100_000, b"9" * 5000],
)
def test_an_answer_that_is_not_ours_is_a_clear_error(garbage):
    error = error_of(GetArtifact("a"), Response(200, {"content-type": "text/html"}, garbage))
    assert isinstance(error, InternalError)
    assert error.message.startswith("the answer is not Hippocortex's: HTTP 200 with text/html")
    assert "\n" not in error.message


def test_a_gateway_page_is_an_error_of_its_status_and_shows_what_it_says():
    page = Response(502, {"content-type": "text/html"}, HTML)
    error = error_of(Learn(), page, page, page)
    assert isinstance(error, UnavailableError)
    assert "Sign in to the hotel wifi" in error.message


def test_a_redirect_is_not_followed_but_named():
    error = error_of(Learn(), Response(301, {"location": "https://memory.test/v1/learn"}))
    assert "https://memory.test/v1/learn" in error.message


def test_a_result_that_cannot_be_read_is_the_services_fault():
    error = error_of(GetArtifact("a"), ok({"id": "a"}))
    assert isinstance(error, InternalError)
    assert "'get_artifact'" in error.message
    assert "type: is required" in error.message


@pytest.mark.parametrize("status", [404, 405, 501])
@pytest.mark.parametrize("answer", [b"", b'{"detail": "Not Found"}', HTML])
def test_an_operation_that_the_service_lacks_is_named(status, answer):
    error = error_of(ListEvents(), Response(status, {}, answer))
    assert isinstance(error, NotFoundError)
    assert "does not offer 'list_events'" in error.message


def test_a_missing_artifact_is_not_a_missing_operation():
    reply = Response(404, {}, json.dumps(failure(NotFoundError("no artifact 'a'"), {})).encode())
    assert error_of(DeprecateArtifact("a"), reply).message == "no artifact 'a'"


@pytest.mark.parametrize(
    ("operation", "field"),
    [
        (Synthesize("q", SynthesizeOptions(min_confidence=math.nan)), "options.min_confidence"),
        (Synthesize("q\ud800"), "query"),
        (Learn(LearnOptions(artifact_types=[{1}])), "options.artifact_types[0]"),
        (Capture(CaptureEvent("message", "s", {"x": [1, math.inf]})), "payload.x[1]"),
        (Capture(CaptureEvent("dream", "s", {})), "type"),
        (Capture({"type": "message"}), "event"),
        (GetArtifact(""), "artifact_id"),
        (ListEvents(event_ids=["e" * 100] * 1000), "event_ids"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is(operation, field):
    flow = exchange(operation, SETTINGS, POLICY)
    with pytest.raises(ValidationError) as caught:
        next(flow)
    assert [detail.field for detail in caught.value.details] == [field]


def test_what_needs_no_answer_is_not_sent():
    flow = exchange(CaptureBatch([CaptureEvent("dream", "s", {})]), SETTINGS, POLICY)
    with pytest.raises(StopIteration) as done:
        next(flow)
    assert done.value.value.summary.errors == 1


def test_two_calls_are_two_events_but_a_retry_is_the_same():
    stored = ok({"eventId": "e", "status": "ingested"})
    (first, again), result = play(Capture(EVENT), Response(503), stored)
    ((other,), _) = play(Capture(EVENT), stored)
    assert body(first) == body(again)
    assert body(first)["idempotencyKey"] != body(other)["idempotencyKey"]
    assert result == CaptureResult("e", "ingested")
