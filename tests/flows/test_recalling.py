"""What was agreed last is opened only for flows that say that they look at it: those that do must say so."""

import inspect

import pytest

from ml_connector.flows import FLOWS
from ml_connector.sync.flow import AnyFlow


@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
def test_a_flow_that_looks_at_what_was_agreed_says_so(flow: AnyFlow) -> None:
    module = inspect.getmodule(flow.map)
    assert module
    assert flow.recalls == ("context.agreed" in inspect.getsource(module))
