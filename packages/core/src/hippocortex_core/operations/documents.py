"""The operations on keyed documents, alone and in batches."""

# ruff: noqa: ARG002, ARG003, D102 - these methods and their arguments are documented on Operation

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar, cast

from hippocortex_core.codec import decode, encode
from hippocortex_core.documents import (
    CheckedListing,
    CheckedPut,
    CheckedSearch,
    Namespace,
    check_flag,
    check_key,
    check_listing,
    check_namespace,
    check_operations,
    check_put,
    check_search,
)
from hippocortex_core.errors import ErrorDetail, InternalError, ValidationError, invalid
from hippocortex_core.operations.base import Operation, Request
from hippocortex_core.service import MemoryService
from hippocortex_core.types import (
    Document,
    DocumentSearchResult,
    NamespaceListResult,
    NamespaceMatch,
)

T = TypeVar("T")


class _DocumentOperation(Operation[T]):
    """One operation on documents; `op` is what it is called in a batch."""

    op: ClassVar[str]
    method = "POST"
    scope = "read"
    extension = True

    def checked(self) -> object:
        """The arguments, checked.

        Raises:
            ValidationError: `details` names the first one at fault.
        """
        raise NotImplementedError

    def request(self) -> Request:
        return Operation.request(self.plain())

    def plain(self) -> Operation[T]:
        """The same with nothing in it but JSON."""
        self.checked()
        return self


@dataclass(frozen=True)
class PutDocument(_DocumentOperation[None]):
    """Keep a document."""

    name = "put_document"
    path = "/documents/put"
    op = "put"
    scope = "write"

    namespace: Sequence[str]
    key: str
    value: Mapping[str, Any]
    index: bool | Sequence[str] | None = None
    ttl: float | None = None
    vectors: Sequence[Sequence[float]] | None = None
    user_id: str | None = None
    agent_id: str | None = None
    session_id: str | None = None
    capture: bool = True

    def checked(self) -> CheckedPut:
        return check_put(**vars(self))

    def apply(self, service: MemoryService) -> None:
        service.put_document(**vars(self))

    def parse(self, data: object) -> None:
        """Nothing is answered."""

    def plain(self) -> PutDocument:
        # Any mapping and any numbers will do; on the wire they are an object and plain numbers.
        checked = self.checked()
        return replace(self, value=checked.value, vectors=checked.vectors)

    def render(self, result: None) -> Any:
        return {}


@dataclass(frozen=True)
class GetDocument(_DocumentOperation[Document | None]):
    """One document, if it is there."""

    name = "get_document"
    path = "/documents/get"
    op = "get"

    namespace: Sequence[str]
    key: str
    refresh_ttl: bool = True

    def checked(self) -> tuple[Namespace, str]:
        check_flag("refresh_ttl", self.refresh_ttl)
        return check_namespace(self.namespace), check_key(self.key)

    def apply(self, service: MemoryService) -> Document | None:
        return service.get_document(self.namespace, self.key, refresh_ttl=self.refresh_ttl)

    def parse(self, data: object) -> Document | None:
        return decode(_Found, data, strict=False).document

    def render(self, result: Document | None) -> Any:
        return {"document": encode(result)}


@dataclass(frozen=True)
class DeleteDocument(_DocumentOperation[bool]):
    """Remove a document, and the events that its puts were."""

    name = "delete_document"
    path = "/documents/delete"
    op = "delete"
    scope = "write"

    namespace: Sequence[str]
    key: str

    def checked(self) -> tuple[Namespace, str]:
        return check_namespace(self.namespace), check_key(self.key)

    def apply(self, service: MemoryService) -> bool:
        return service.delete_document(self.namespace, self.key)

    def parse(self, data: object) -> bool:
        return decode(_Deleted, data, strict=False).deleted

    def render(self, result: bool) -> Any:
        return {"deleted": result}


@dataclass(frozen=True)
class SearchDocuments(_DocumentOperation[DocumentSearchResult]):
    """The documents below a namespace, by what they say and what they hold."""

    name = "search_documents"
    path = "/documents/search"
    op = "search"

    namespace_prefix: Sequence[str] = ()
    query: str | None = None
    vector: Sequence[float] | None = None
    filter: Mapping[str, Any] | None = None
    limit: int = 10
    offset: int = 0
    refresh_ttl: bool = True

    def checked(self) -> CheckedSearch:
        return check_search(**vars(self))

    def apply(self, service: MemoryService) -> DocumentSearchResult:
        return service.search_documents(**vars(self))

    def parse(self, data: object) -> DocumentSearchResult:
        return decode(DocumentSearchResult, data, strict=False)

    def plain(self) -> SearchDocuments:
        checked = self.checked()
        fields = None if self.filter is None else dict(self.filter)
        return replace(self, vector=checked.vector, filter=fields)


@dataclass(frozen=True)
class ListNamespaces(_DocumentOperation[NamespaceListResult]):
    """The namespaces that hold documents."""

    name = "list_namespaces"
    path = "/documents/namespaces"
    op = "list_namespaces"

    match: Sequence[NamespaceMatch] | None = None
    max_depth: int | None = None
    limit: int = 100
    offset: int = 0

    def checked(self) -> CheckedListing:
        return check_listing(**vars(self))

    def apply(self, service: MemoryService) -> NamespaceListResult:
        return service.list_namespaces(**vars(self))

    def parse(self, data: object) -> NamespaceListResult:
        return decode(NamespaceListResult, data, strict=False)


DocumentOperation = GetDocument | PutDocument | DeleteDocument | SearchDocuments | ListNamespaces
"""What a batch is made of."""
DocumentOutcome = Document | None | bool | DocumentSearchResult | NamespaceListResult
"""What one operation of a batch returns; a put returns None."""

_OPERATIONS: Mapping[str, type[DocumentOperation]] = {
    cls.op: cls
    for cls in (GetDocument, PutDocument, DeleteDocument, SearchDocuments, ListNamespaces)
}


@dataclass(frozen=True)
class BatchDocuments(Operation[list[DocumentOutcome]]):
    """Several operations at once: all reads first, then all writes in one transaction."""

    name = "batch_documents"
    method = "POST"
    path = "/documents/batch"
    scope = "write"
    extension = True

    operations: Sequence[DocumentOperation]

    def apply(self, service: MemoryService) -> list[DocumentOutcome]:
        return service.batch_documents(self.operations)

    def answered(self) -> list[DocumentOutcome] | None:
        return None if check_operations(self.operations) else []

    def parse(self, data: object) -> list[DocumentOutcome]:
        results = decode(_Results, data, strict=False).results
        if len(results) != len(self.operations):
            raise InternalError(
                f"the service answered {len(results)} results for {len(self.operations)} operations"
            )
        pairs = zip(self.operations, results, strict=True)
        return [operation.parse(result) for operation, result in pairs]

    def request(self) -> Request:
        body = each_operation(
            self.operations, lambda one: {"op": one.op, **(one.request().body or {})}
        )
        return Request(self.method, self.path, body={"operations": body})

    @classmethod
    def from_request(
        cls, params: Mapping[str, str], query: Mapping[str, Sequence[str]], body: object
    ) -> BatchDocuments:
        given = check_operations(decode(_Operations, body).operations)
        return cls([_read_operation(item, f"operations[{n}]") for n, item in enumerate(given)])

    def render(self, result: list[DocumentOutcome]) -> Any:
        pairs = zip(self.operations, result, strict=True)
        return {"results": [operation.render(cast("Any", one)) for operation, one in pairs]}


@dataclass(frozen=True)
class SweepDocuments(Operation[int]):
    """Delete what has expired."""

    name = "sweep_documents"
    method = "POST"
    path = "/documents/sweep"
    scope = "write"
    extension = True

    def apply(self, service: MemoryService) -> int:
        return service.sweep_documents()

    def parse(self, data: object) -> int:
        return decode(_Swept, data, strict=False).deleted

    def render(self, result: int) -> Any:
        return {"deleted": result}


def each_operation(
    operations: Sequence[DocumentOperation], make: Callable[[DocumentOperation], T]
) -> list[T]:
    """What is made of each operation of a batch.

    Raises:
        ValidationError: `details` names the first argument at fault, as in `operations[3].key`.
    """
    made: list[T] = []
    for operation in check_operations(operations):
        place = f"operations[{len(made)}]"
        if not isinstance(operation, DocumentOperation):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise invalid(place, "is not an operation on documents")
        try:
            made.append(make(operation))
        except ValidationError as error:
            raise _inside(place, error) from None
    return made


# --- on the wire ---------------------------------------------------------------------------------


@dataclass
class _Found:
    document: Document | None = None


@dataclass
class _Deleted:
    deleted: bool


@dataclass
class _Swept:
    deleted: int


@dataclass
class _Results:
    results: list[Any]


@dataclass
class _Operations:
    operations: list[Any]


def _read_operation(data: object, place: str) -> DocumentOperation:
    op = cast("dict[str, Any]", data).get("op") if isinstance(data, dict) else None
    if not isinstance(op, str) or op not in _OPERATIONS:
        raise invalid(f"{place}.op", f"must be one of {', '.join(_OPERATIONS)}, got {op!r:.80}")
    return decode(_OPERATIONS[op], cast("object", data), path=place)


def _inside(place: str, error: ValidationError) -> ValidationError:
    details = [ErrorDetail(f"{place}.{one.field}", one.message) for one in error.details]
    return ValidationError(f"{place}.{error.message}", details=details)
