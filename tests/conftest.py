"""Settings of the whole test suite."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Examples are bounded by their number: a slow machine is no failure.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


@pytest.fixture(scope="session", autouse=True)
def _cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what tests encode out of the user's cache, in subprocesses too."""
    os.environ["RECIPES_CACHE"] = str(tmp_path_factory.mktemp("cache"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests on public data sets where those are not on this machine."""
    folder = os.environ.get("RECIPES_DATA")
    if folder and Path(folder).is_dir():
        return
    left_out = [item for item in items if item.get_closest_marker("data")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("data")]
