"""The web server's connections: each has to bring a whole request's head in time, or is closed.

Rule: who is being answered is never cut off; who says nothing, or a letter now and then, takes nobody's place.
Must not know: what is asked for.
"""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 20.0


class Punctual(H11Protocol):
    """A connection; the web server itself only limits the time between two requests."""

    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Somebody has come."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """They have gone."""
        self._wait_no_more()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """They are answered; the next head may come."""
        super().on_response_complete()
        self._wait()

    def _wait(self) -> None:
        self._wait_no_more()
        self._due = self.loop.call_later(HEAD_S, self._late)

    def _wait_no_more(self) -> None:
        if self._due:
            self._due.cancel()

    def _late(self) -> None:
        # There is no cycle before the first whole head.
        answering: bool = self.cycle is not None and not self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]
        if self.transport.get_write_buffer_size():
            self._wait()  # the answer is complete here, but they are still reading it
        elif not answering:
            self.transport.abort()
