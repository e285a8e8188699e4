"""The next page is fetched while this one is being worked on.

Rule: at most one page ahead; whoever stops early is not kept waiting.
Must not know: what pages are.
"""

import contextvars
from collections.abc import Generator, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(pages: Iterator[T]) -> Generator[T, None, None]:
    """The same pages, each fetched in a thread while the one before is in use; the first from now on."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="page")
    return _given(pool, pool.submit(contextvars.copy_context().run, _next, pages), pages)


def _given(pool: Executor, pending: Future[tuple[T] | None], pages: Iterator[T]) -> Generator[T, None, None]:
    try:
        while (fetched := pending.result()) is not None:
            pending = pool.submit(contextvars.copy_context().run, _next, pages)
            yield fetched[0]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # the request under way ends by itself, within its time limit


def _next(pages: Iterator[T]) -> tuple[T] | None:
    for page in pages:
        return (page,)
    return None
