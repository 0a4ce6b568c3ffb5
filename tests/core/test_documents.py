import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hippocortex_core import ValidationError
from hippocortex_core.errors import InternalError
from hippocortex_core.filters import compile_filter
from hippocortex_core.operations import (
    BatchDocuments,
    DeleteDocument,
    GetDocument,
    ListNamespaces,
    PutDocument,
    SearchDocuments,
)
from hippocortex_core.testing import InMemoryService
from hippocortex_core.types import (
    Document,
    DocumentSearchResult,
    NamespaceListResult,
    NamespaceMatch,
)
from hippocortex_core.validation import encode_json

DOCUMENT = Document(["a"], "k", {"someKey": 1, "other_key": None}, "2026", "2026", score=0.5)


def sent(operation):
    return json.loads(json.dumps(operation.request().body))


@pytest.mark.parametrize(
    ("operation", "path", "body"),
    [
        (
            PutDocument(("a", "b"), "k", {"aKey": {"some_key": 1}}),
            "/documents/put",
            {
                "namespace": ["a", "b"],
                "key": "k",
                "value": {"aKey": {"some_key": 1}},
                "capture": True,
            },
        ),
        (
            PutDocument(
                ["a"],
                "k",
                {},
                False,
                60,
                [(1, 2.5)],
                "u",
                agent_id="a",
                session_id="s",
                capture=False,
            ),
            "/documents/put",
            {
                "namespace": ["a"],
                "key": "k",
                "value": {},
                "index": False,
                "ttl": 60,
                "vectors": [[1.0, 2.5]],
                "userId": "u",
                "agentId": "a",
                "sessionId": "s",
                "capture": False,
            },
        ),
        (
            GetDocument(("a",), "k"),
            "/documents/get",
            {"namespace": ["a"], "key": "k", "refreshTtl": True},
        ),
        (DeleteDocument((), "k"), "/documents/delete", {"namespace": [], "key": "k"}),
        (
            SearchDocuments(("a",), query="q", filter={"some_key": {"$gt": 1}}),
            "/documents/search",
            {
                "namespacePrefix": ["a"],
                "query": "q",
                "filter": {"some_key": {"$gt": 1}},
                "limit": 10,
                "offset": 0,
                "refreshTtl": True,
            },
        ),
        (
            ListNamespaces([NamespaceMatch("suffix", ["*", "b"])], 2),
            "/documents/namespaces",
            {
                "match": [{"kind": "suffix", "path": ["*", "b"]}],
                "maxDepth": 2,
                "limit": 100,
                "offset": 0,
            },
        ),
        (
            BatchDocuments([GetDocument(("a",), "k"), ListNamespaces()]),
            "/documents/batch",
            {
                "operations": [
                    {"op": "get", "namespace": ["a"], "key": "k", "refreshTtl": True},
                    {"op": "list_namespaces", "limit": 100, "offset": 0},
                ]
            },
        ),
    ],
)
def test_a_document_operation_on_the_wire(operation, path, body):
    assert (operation.request().path, sent(operation)) == (path, body)
    assert sent(type(operation).from_request({}, {}, sent(operation))) == body


@pytest.mark.parametrize(
    ("operation", "result", "data"),
    [
        (PutDocument(("a",), "k", {}), None, {}),
        (GetDocument(("a",), "k"), None, {"document": None}),
        (DeleteDocument(("a",), "k"), True, {"deleted": True}),
        (SearchDocuments(), DocumentSearchResult([]), {"documents": []}),
        (ListNamespaces(), NamespaceListResult([["a"]]), {"namespaces": [["a"]]}),
        (
            GetDocument(("a",), "k"),
            DOCUMENT,
            {
                "document": {
                    "namespace": ["a"],
                    "key": "k",
                    "value": {"someKey": 1, "other_key": None},
                    "createdAt": "2026",
                    "updatedAt": "2026",
                    "score": 0.5,
                }
            },
        ),
    ],
)
def test_a_document_result_on_the_wire_alone_and_in_a_batch(operation, result, data):
    assert operation.render(result) == data
    assert operation.parse(data) == result
    batch = BatchDocuments([operation])
    assert batch.render([result]) == {"results": [data]}
    assert batch.parse({"results": [data]}) == [result]


def test_a_service_that_answers_for_another_batch_is_not_believed():
    with pytest.raises(InternalError, match="answered 0 results for 1 operations"):
        BatchDocuments([ListNamespaces()]).parse({"results": []})


def test_an_empty_batch_answers_itself():
    assert BatchDocuments([]).answered() == []
    assert BatchDocuments([ListNamespaces()]).answered() is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "operations"),
        ({"operations": {}}, "operations"),
        ({"operations": [5]}, "operations[0].op"),
        ({"operations": [{"op": "sweep"}]}, "operations[0].op"),
        ({"operations": [{"op": "get", "namespace": ["a"]}]}, "operations[0].key"),
        (
            {"operations": [{"op": "search"}, {"op": "put", "namespace": "a"}]},
            "operations[1].namespace",
        ),
        ({"operations": [{"op": "search"}] * 1001}, "operations"),
    ],
)
def test_a_server_refuses_a_batch_that_it_cannot_read(body, field):
    with pytest.raises(ValidationError) as caught:
        BatchDocuments.from_request({}, {}, body)
    assert [detail.field for detail in caught.value.details] == [field]


def test_a_bad_operation_of_a_batch_is_refused_before_it_is_sent():
    with pytest.raises(ValidationError) as caught:
        BatchDocuments([GetDocument((), "k"), PutDocument((), "k", {})]).request()
    assert caught.value.details[0].field == "operations[1].namespace"
    assert caught.value.message.startswith("operations[1].namespace: ")
    with pytest.raises(ValidationError, match="not an operation on documents"):
        BatchDocuments(["get"]).request()


def test_any_mapping_and_any_numbers_can_be_put():
    from types import MappingProxyType

    numbers = (number for number in (1, 2))
    put = PutDocument(("a",), "k", MappingProxyType({"a": (1, 2)}), vectors=[range(2)])
    assert sent(put)["value"] == {"a": [1, 2]}
    assert sent(put)["vectors"] == [[0.0, 1.0]]
    assert list(numbers) == [1, 2]
    search = SearchDocuments(filter=MappingProxyType({"a": 1}), vector=range(2))
    assert sent(search)["filter"] == {"a": 1}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(exclude_characters="$."), max_size=3), inner, max_size=3
        )
    ),
    max_leaves=8,
)
VALUES = st.dictionaries(
    st.text(st.characters(exclude_characters="$.\0", exclude_categories=["Cs"]), max_size=3),
    JSON,
    max_size=4,
)


def storable(value):
    try:
        return json.loads(encode_json("value", value, 1_000_000))
    except ValidationError:
        return {}


@given(VALUES.map(storable))
def test_every_value_fits_itself_and_holds_the_signs(value):
    found = compile_filter(value)
    if found is None:
        assert value == {}
        return
    assert found.fits(value)
    assert all(sign in encode_json("value", value, 1_000_000) for sign in found.signs)
    exact = compile_filter({"x": {"$eq": value}})
    assert exact.fits({"x": value})
    assert all(sign in encode_json("value", {"x": value}, 1_000_000) for sign in exact.signs)


@given(VALUES.map(storable), VALUES.map(storable))
def test_what_is_unequal_is_what_is_not_equal(one, other):
    equal = compile_filter({"x": {"$eq": one}}).fits({"x": other})
    assert compile_filter({"x": {"$ne": one}}).fits({"x": other}) != equal
    assert (
        equal == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))
        or one == other
    )


def test_a_deep_or_large_filter_is_refused():
    deep = {"a": 1}
    for _ in range(70):
        deep = {"a": deep}
    for wanted in (deep, {"a": "x" * 70_000}):
        with pytest.raises(ValidationError):
            compile_filter(wanted)


def test_documents_of_the_memory_for_tests_expire_when_its_clock_moves():
    memory = InMemoryService()
    memory.put_document(("a",), "k", {"text": "tea time"}, ttl=1)
    memory.documents.now += 999_999
    assert memory.search_documents(query="time for tea").documents[0].score == pytest.approx(2 / 3)
    memory.documents.now += 1_000_000
    assert memory.get_document(("a",), "k") is None
    assert memory.events == []
