"""A server of the committed bundle, for all tests."""

import pytest
from chemmodel_server import running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory):
    """Up for as long as there are tests."""
    with running(tmp_path_factory.mktemp("server"), "v2") as server:
        yield server
