import pickle
import subprocess
import sys
from importlib.metadata import version

import pytest

import hippocortex
import hippocortex.types
import hippocortex_core


def test_everything_the_reference_imports_is_there():
    from hippocortex import (  # noqa: F401
        CaptureEvent,
        Hippocortex,
        HippocortexError,
        HippocortexSync,
        LearnOptions,
        SyncHippocortex,
        SynthesizeOptions,
    )
    from hippocortex.types import (  # noqa: F401
        Artifact,
        ArtifactListResult,
        ArtifactStatus,
        ArtifactType,
        BatchCaptureResult,
        CaptureResult,
        LearnResult,
        MetricsResult,
        SynthesizeResult,
    )


@pytest.mark.parametrize(
    "module", [hippocortex, hippocortex.types, hippocortex_core], ids=lambda m: m.__name__
)
def test_what_is_announced_exists(module):
    names = module.__all__
    assert len(set(names)) == len(names)
    for name in names:
        assert getattr(module, name) is not None


def test_every_type_and_error_of_the_core_is_public():
    from hippocortex_core import errors, types

    def classes(module):
        return {
            name
            for name, value in vars(module).items()
            if isinstance(value, type) and value.__module__ in {module.__name__, "hippocortex"}
        }

    assert classes(types) <= set(hippocortex.types.__all__)
    assert set(hippocortex.types.__all__) <= set(hippocortex.__all__)
    assert classes(errors) <= set(hippocortex.__all__)


def test_other_names_are_the_same_things():
    assert hippocortex.HippocortexSync is hippocortex.SyncHippocortex
    assert hippocortex.SynthesizeBudget is hippocortex.BudgetInfo


def test_the_version_is_that_of_the_installed_distribution():
    assert hippocortex.__version__ == hippocortex_core.__version__ == version("hippocortex")


def test_what_does_not_exist_is_an_attribute_error():
    for module in (hippocortex, hippocortex_core):
        with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
            getattr(module, "nonsense")  # noqa: B009


def test_errors_carry_the_public_name_and_survive_pickling():
    error = hippocortex.RateLimitedError("slow down", retry_after=3.0, request_id="r1")
    again = pickle.loads(pickle.dumps(error))
    assert f"{type(again).__module__}.{type(again).__qualname__}" == "hippocortex.RateLimitedError"
    assert (again.message, again.code, again.status_code, again.retry_after) == (
        "slow down",
        "rate_limited",
        429,
        3.0,
    )


def test_importing_it_stays_cheap():
    heavy = (
        "hippocortex_engine",
        "numpy",
        "httpx",
        "typer",
        "rich",
        "sqlalchemy",
        "importlib.metadata",
    )
    code = f"import sys, hippocortex; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
