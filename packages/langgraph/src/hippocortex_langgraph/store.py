"""LangGraph's store, in whatever home the memory has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from langgraph.store.base import BaseStore, IndexConfig, Op, Result, SearchItem, TTLConfig

from hippocortex_core.recorder import Opener
from hippocortex_langgraph._store.documents import Documents
from hippocortex_langgraph._store.home import Client, Home, blocking
from hippocortex_langgraph._store.inner import Inner
from hippocortex_langgraph._store.learned import Learned
from hippocortex_langgraph._store.whose import Whose

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from 3.11 on


class HippocortexStore(BaseStore):
    """Long-term memory for graphs and agents that the Memory Compiler learns from.

    ```python
    store = HippocortexStore()
    agent = create_agent(model, tools, store=store)
    ```

    It has the whole semantics of LangGraph's own stores (docs/adapters/langgraph.md says where
    these differ among each other, and what is chosen here).  A search with a `query` ranks by
    meaning and words even if there is no `index`.  The home being closed or out of reach is an
    error, as of any primary storage; only capturing and recalling fail open.

    It may be shared by threads and event loops, and used in `with` and `async with`; both close it.

    Args:
        client: Whose memory holds the documents: a client of either kind, or a service in this
            process; left open by `close`.  An asynchronous client also serves blocking calls, each
            of them in an event loop of its own.
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `.hippocortex.json`.
        base_url: Default: `HIPPOCORTEX_BASE_URL`, then `.hippocortex.json`, then as of the client.
        inner: Another store that keeps the data instead; what is put there is captured, and what
            was learned can be searched.  It stays yours to set up and to close.
        index: Embeddings of your own, as of LangGraph's stores; default: the home's.
        ttl: When items expire by default, in minutes; default: never.
        capture_on_put: Whether the memory learns from what is put.
        include_learned: Whether `search` also returns what was learned, unless told otherwise.
        user_id_key: Where in `config["configurable"]` the user is named.
        namespace_template: Labels such as `("users", "{user_id}")`, for stores whose namespaces
            name the user (`{agent_id}`, `{session_id}`); `*` is any label.

    Attributes:
        index_config: As given.
        embeddings: What makes the vectors; None for the home's.

    Raises:
        ConfigurationError: Nothing names a home and no engine is installed, or the configuration
            is broken.
        ValueError: The index, the template, or their combination with `inner` is invalid.
    """

    supports_ttl = True

    def __init__(
        self,
        client: Client | None = None,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        inner: BaseStore | None = None,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
        capture_on_put: bool = True,
        include_learned: bool = False,
        user_id_key: str = "user_id",
        namespace_template: Sequence[str] | None = None,
    ) -> None:
        whose = Whose(user_id_key, namespace_template)
        self._include_learned = include_learned
        self._kept: Documents | Inner
        if inner is None:
            home = Home(client, api_key=api_key, base_url=base_url)
            self._kept = Documents(home, index, ttl, whose, capture=capture_on_put)
        elif index is None and ttl is None:
            memory = None if client is None else blocking(client)
            recorder = Opener(memory, api_key=api_key, base_url=base_url)
            self._kept = Inner(inner, recorder, whose, capture=capture_on_put)
        else:
            raise ValueError("`index` and `ttl` belong to the `inner` store: give them to it")
        self._learned = Learned(self._kept.recorder, whose)
        self.supports_ttl = self._kept.supports_ttl
        self.ttl_config = self._kept.ttl_config
        self.index_config = self._kept.index_config
        self.embeddings = self._kept.embeddings

    @classmethod
    def from_conn_string(
        cls,
        conn_string: str,
        *,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
        **options: Any,
    ) -> Self:
        """A store in a home, to be used in `with` or `async with`.

        Args:
            conn_string: As `base_url`; or, as LangGraph's `SqliteStore` takes it, the path of a
                file or `:memory:`.
            index: As of the store.
            ttl: As of the store.
            options: As of the store.
        """
        if conn_string == ":memory:":
            conn_string = "sqlite://"
        elif "://" not in conn_string:
            conn_string = f"sqlite:///{conn_string}"
        return cls(base_url=conn_string, index=index, ttl=ttl, **options)

    # --- operations ------------------------------------------------------------------------------

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out several operations; reads see what was there before the batch's puts.

        Raises:
            InvalidNamespaceError: A namespace is invalid; then nothing is carried out.
            ValueError: A key, a value or a filter is invalid, or an operation unknown.
            TypeError: A value or filter holds something that is not JSON; the message says where.
            HippocortexError: The home is closed, out of reach, or refuses.
        """
        return self._kept.batch(ops)

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """As `batch`; the event loop goes on meanwhile."""
        return await self._kept.abatch(ops)

    def search(
        self,
        namespace_prefix: tuple[str, ...],
        /,
        *,
        query: str | None = None,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name
        limit: int = 10,
        offset: int = 0,
        refresh_ttl: bool | None = None,
        include_learned: bool | None = None,
    ) -> list[SearchItem]:
        """Items below a namespace: the best for the query, else those updated last.

        Args:
            namespace_prefix: Whole labels; `()` is everything.
            query: Ranked by meaning; items that are not indexed come last, without a score.
            filter: Fields that must match, with `$eq $ne $gt $gte $lt $lte`.
            limit: At most 10,000.
            offset: How many items to leave out.
            refresh_ttl: Whether what is found lives longer; default: as the store's `ttl` says.
            include_learned: Whether to append, on the first page of a search with a query, up to
                `limit` items of what the memory has learned about it: their namespace is
                `("hippocortex", section)` and their score how certain they are.  Never an error:
                a memory that does not answer within two seconds has learned nothing.

        Raises:
            InvalidNamespaceError: The namespace is invalid.
            ValueError: The filter is invalid.
            HippocortexError: The home is closed, out of reach, or refuses.
        """
        found = super().search(
            namespace_prefix,
            query=query,
            filter=filter,
            limit=limit,
            offset=offset,
            refresh_ttl=refresh_ttl,
        )
        if query and self._wants_learned(offset, include_learned):
            found = [*found, *self._learned.search(query, namespace_prefix, found, limit)]
        return found

    async def asearch(
        self,
        namespace_prefix: tuple[str, ...],
        /,
        *,
        query: str | None = None,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name
        limit: int = 10,
        offset: int = 0,
        refresh_ttl: bool | None = None,
        include_learned: bool | None = None,
    ) -> list[SearchItem]:
        """As `search`; the event loop goes on meanwhile."""
        found = await super().asearch(
            namespace_prefix,
            query=query,
            filter=filter,
            limit=limit,
            offset=offset,
            refresh_ttl=refresh_ttl,
        )
        if query and self._wants_learned(offset, include_learned):
            learned = await self._learned.asearch(query, namespace_prefix, found, limit)
            found = [*found, *learned]
        return found

    # --- maintenance -----------------------------------------------------------------------------

    def setup(self) -> Any:
        """Open the home, making the database if there is none.  May be awaited; optional.

        Raises:
            HippocortexError: The home cannot be opened, or does not answer.
        """
        return self._kept.setup()

    def sweep_ttl(self) -> Any:
        """Delete what has expired; returns how many items.  May be awaited.

        Expired items are invisible in any case, and deleted now and then without this.
        """
        return self._kept.sweep_ttl()

    def start_ttl_sweeper(self, sweep_interval_minutes: float | None = None) -> Any:
        """Call `sweep_ttl` every so many minutes in the background, until the store is closed.

        Returns whether it runs: not without a `ttl` configuration.  May be awaited.

        Args:
            sweep_interval_minutes: Default: as the store's `ttl` says, else 5.
        """
        return self._kept.start_ttl_sweeper(sweep_interval_minutes)

    def stop_ttl_sweeper(self, timeout: float | None = None) -> Any:
        """End it; returns whether it ended within `timeout` seconds.  May be awaited."""
        return self._kept.stop_ttl_sweeper(timeout)

    def close(self) -> None:
        """End the background work, and close the home unless it was given as a client."""
        self._kept.close()

    async def aclose(self) -> None:
        """As `close`; the event loop goes on meanwhile."""
        await self._kept.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    # --- parts -----------------------------------------------------------------------------------

    def _wants_learned(self, offset: int, asked: bool | None) -> bool:
        return offset == 0 and (self._include_learned if asked is None else asked)
