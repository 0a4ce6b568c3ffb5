"""The application as a process of the server runs it: with what it does in the background."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hippocortex_core.operations import (
    BatchDocuments,
    Capture,
    CaptureBatch,
    ImportEvents,
    PutDocument,
)
from hippocortex_engine.storage.database import Database
from hippocortex_server.app import create_app
from hippocortex_server.calls import Call
from hippocortex_server.keys import Keyring
from hippocortex_server.learner import AutoLearner, Learn
from hippocortex_server.learning_process import LearningProcess
from hippocortex_server.learning_thread import LearningThread
from hippocortex_server.settings import ServerSettings
from hippocortex_server.supervision import leave_with_parent

_CAPTURING = frozenset(
    one.name for one in (Capture, CaptureBatch, ImportEvents, PutDocument, BatchDocuments)
)


def app() -> ASGIApp:
    """The application of a worker; its settings are in the environment."""
    leave_with_parent()
    settings = ServerSettings.from_environ()
    return build(settings, Database(settings.store))


def build(settings: ServerSettings, database: Database) -> ASGIApp:
    """The application on an open database, which it closes when it ends."""
    served = create_app(settings, database=database)
    learner = _learner(settings, database) if settings.auto_learn else None
    return Background(served, database, learner)


class Background:
    """Around the application: tells the learner what was captured, and ends what is open.

    Args:
        app: the application.
        database: closed when the application has ended.
        learner: started and stopped with the application; None: there is none.
    """

    def __init__(self, app: ASGIApp, database: Database, learner: AutoLearner | None) -> None:
        self._app = app
        self._database = database
        self._learner = learner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on; of what was captured, tell the learner."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        await self._app(scope, receive, send)
        if self._learner is not None and scope["type"] == "http":
            call = Call.of(scope)
            if call.operation in _CAPTURING and call.tenant_id is not None:
                self._learner.captured(call.tenant_id)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_after_learning() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown" and self._learner is not None:
                await asyncio.to_thread(self._learner.stop)
            return message

        async def send_when_closed(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown"):
                await asyncio.to_thread(self._database.close)
            await send(message)

        if self._learner is not None:
            self._learner.start()
        await self._app(scope, receive_after_learning, send_when_closed)


def _learner(settings: ServerSettings, database: Database) -> AutoLearner:
    learner = AutoLearner(
        database,
        _way_to_learn(settings, database),
        after_events=settings.learn_after_events,
        after_idle=settings.learn_after_idle,
    )
    # What was captured before, and perhaps never learned.
    learner.watch(sorted({key.tenant_id for key in Keyring(database).list()}))
    return learner


def _way_to_learn(settings: ServerSettings, database: Database) -> Learn:
    if settings.is_in_memory:
        return LearningThread(database)
    return LearningProcess(settings.store)
