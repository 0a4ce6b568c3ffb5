"""Requests made up from the OpenAPI description, fitting and not: the answers must fit it too."""

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig

from hippocortex_server import ServerSettings, authentication
from hippocortex_server.openapi import document
from hippocortex_server.testing import LiveServer

load_all_checks()
# NUL is refused and a parameter that nobody knows is ignored; schemas can say neither.
GENERATION = GenerationConfig(
    deterministic=True, allow_x00=False, allow_extra_parameters=False, unique_inputs=True
)
CONFIG = SchemathesisConfig(projects=ProjectsConfig(default=ProjectConfig(generation=GENERATION)))
SCHEMA = schemathesis.openapi.from_dict(document(), config=CONFIG)


BATCHES = ("capture_batch", "import_events")
"""A bad event of a batch is answered in its place: the request as a whole is accepted."""

WITH_CURSOR = ("list_artifacts", "list_events")
"""A cursor is opaque: no schema says which ones there are."""

INEXPRESSIBLE = ("put_document", "search_documents", "batch_documents")
"""Filters, and vectors that must be as long as each other, are more than a schema can say."""


def impossible(operation_id):
    """The checks that the description of an operation is not precise enough for."""
    if operation_id in BATCHES:
        yield "negative_data_rejection"
    if operation_id in WITH_CURSOR + INEXPRESSIBLE:
        yield "positive_data_acceptance"


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    store = f"sqlite:///{tmp_path_factory.mktemp('schemathesis')}/memory.db"
    with pytest.MonkeyPatch.context() as patch:
        # Wrong keys are part of what is tried; whoever sends many is not listened to any more.
        patch.setattr(authentication, "FAILURES", 1_000_000)
        with LiveServer(ServerSettings(store=store, rate_limit=0)) as server:
            yield server


@pytest.fixture(scope="module")
def authorization(live):
    return {"Authorization": f"Bearer {live.new_key()}"}


@SCHEMA.parametrize()
@settings(max_examples=15, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_asked_the_answer_fits_the_description(case, live, authorization):
    names = impossible(case.operation.definition.raw["operationId"])
    case.call_and_validate(
        base_url=live.origin,
        headers=authorization,
        excluded_checks=[check for name in names for check in CHECKS.get_by_names([name])],
    )
