"""asyncio's Future on the kernel of whendone. The state is that of `_whendone.Core`; here is what does not touch it."""

from _whendone import Core
from asyncio import base_futures
from types import GenericAlias


class Future(Core):
    """A future of asyncio."""

    # The method of the loop that gets the callbacks.
    _call_soon = "call_soon"

    __class_getitem__ = classmethod(GenericAlias)

    def __repr__(self):
        return base_futures._future_repr(self)

    def __del__(self):
        if not self._log_traceback:
            return
        context = {
            "message": f"{type(self).__name__} exception was never retrieved",
            "exception": self._exception,
            "future": self,
        }
        if self._source_traceback:
            context["source_traceback"] = self._source_traceback
        self.get_loop().call_exception_handler(context)

    def __await__(self):
        if not self.done():
            self._asyncio_future_blocking = True
            yield self
        if not self.done():
            raise RuntimeError("await wasn't used with future")
        return self.result()

    __iter__ = __await__


class ThreadSafeFuture(Future):
    """A future that any thread may use: its callbacks reach the loop by `call_soon_threadsafe`."""

    _call_soon = "call_soon_threadsafe"
