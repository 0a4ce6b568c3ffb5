from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hippocortex_engine.documents import namespaces

LABEL = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\t\n"),
    min_size=1,
    max_size=60,
)
NAMESPACE = st.lists(LABEL, min_size=1, max_size=4)


@given(NAMESPACE)
def test_a_path_holds_the_whole_namespace(namespace):
    assert namespaces.labels(namespaces.path(namespace)) == namespace


@given(NAMESPACE, NAMESPACE)
def test_a_path_begins_with_another_exactly_if_its_labels_do(prefix, namespace):
    for other in (namespace, prefix + namespace, prefix):
        below = namespaces.path(other).startswith(namespaces.path(prefix))
        assert below == (other[: len(prefix)] == prefix)


@given(NAMESPACE, NAMESPACE)
def test_what_lies_below_a_path_lies_in_its_range(prefix, namespace):
    path = namespaces.path(prefix)
    first, end = namespaces.heads_below(path)
    for other in (namespace, prefix + namespace, prefix):
        whole = namespaces.path(other)
        inside = first <= namespaces.head(whole) < end
        if namespaces.is_whole(path):
            assert inside == whole.startswith(path)
        else:
            assert inside or not whole.startswith(path)


@given(NAMESPACE, st.text(max_size=5), NAMESPACE, st.text(max_size=5))
def test_an_id_names_one_document(namespace, key, other_namespace, other_key):
    same = (namespace, key) == (other_namespace, other_key)
    one = namespaces.document_id(namespace, key)
    assert (one == namespaces.document_id(other_namespace, other_key)) == same
    assert len(one) <= 32
