"""What comes next is fetched while this is being worked on.

Rule: no more is ahead than was asked for, and all comes in its order; whoever stops early is not kept waiting.
Must not know: what is fetched.
"""

import contextvars
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(pages: Iterator[T], depth: int = 1) -> Generator[T, None, None]:
    """The same pages, fetched in a thread while those before are in use; the first from now on.

    `depth`: how many may wait to be used.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="page")
    return _given(pool, pages, deque(_submitted(pool, pages) for _ in range(depth)))


def _given(pool: Executor, pages: Iterator[T], pending: "deque[Future[tuple[T] | None]]") -> Generator[T, None, None]:
    try:
        while (fetched := pending.popleft().result()) is not None:
            pending.append(_submitted(pool, pages))
            yield fetched[0]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # the request under way ends by itself, within its time limit


def _submitted(pool: Executor, pages: Iterator[T]) -> "Future[tuple[T] | None]":
    return pool.submit(contextvars.copy_context().run, _next, pages)


def _next(pages: Iterator[T]) -> tuple[T] | None:
    for page in pages:
        return (page,)
    return None


def at_once(pool: Executor, tasks: Iterable[Callable[[], T]], most: int) -> Generator[T, None, None]:
    """What the tasks give, in their order, several of them under way."""
    pending: deque[Future[T]] = deque()
    try:
        for task in tasks:
            pending.append(pool.submit(contextvars.copy_context().run, task))
            if len(pending) >= most:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()
