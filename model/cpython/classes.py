"""The classes that are compared, by the names that the tables give them."""

import asyncio.futures

import whendone_future

CLASSES = {
    "whendone": whendone_future.Future,
    "whendone, thread-safe": whendone_future.ThreadSafeFuture,
    "C": asyncio.futures._CFuture,
    "Python": asyncio.futures._PyFuture,
}
