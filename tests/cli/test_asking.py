"""What `connect` makes of its options, and of what is there already."""

from ml_connector.cli import asking
from ml_connector.cli.asking import Given
from ml_connector.settings import Connection

NOTHING = Given("", "", "", (), "", "", (), None, "", 0, 0)
FIRST = Given("https://a.ifs.cloud", "realm", "client", ("10",), "https://a.io", "", ("10=S",), None, "", 0, 0)


def first() -> Connection:
    return asking.connection(FIRST, None)


def test_limits_are_the_usual_ones_unless_said_otherwise() -> None:
    assert (first().ifs.requests_max, first().airbase.requests_max) == (1000, 450)


def test_a_limit_stays_until_it_is_said_anew() -> None:
    given = Given("", "", "", (), "", "", (), None, "", 2000, 0)
    raised = asking.connection(given, first())
    assert (raised.ifs.requests_max, raised.airbase.requests_max) == (2000, 450)
    assert asking.connection(NOTHING, raised) == raised
