"""Prints what each class does at six places where asyncio's two classes differ, or where its tests fix nothing.

It is played on a recorder in place of a loop. docs/RULES.md says what whendone does there, and why.
"""

import signal
import subprocess
import sys

from classes import CLASSES


class Loop:
    """Notes the names of the callbacks that it is given, and calls `meddle` in the middle of the first one."""

    def __init__(self, meddle=None):
        self.scheduled, self.meddle, self.closed_after = [], meddle, None

    def get_debug(self):
        return False

    def call_soon(self, callback, future, *, context):
        if self.closed_after is not None and len(self.scheduled) == self.closed_after:
            self.closed_after = None
            raise RuntimeError("Event loop is closed")
        self.scheduled.append(callback.__name__)
        meddle, self.meddle = self.meddle, None
        if meddle:
            meddle()

    call_soon_threadsafe = call_soon


def first(_): pass
def second(_): pass
def third(_): pass
def late(_): pass


def waiting(cls, loop, *callbacks):
    future = cls(loop=loop)
    for callback in callbacks or (first, second, third):
        future.add_done_callback(callback)
    return future


def removal_by_call_soon(cls):
    removed, loop = [], Loop()
    future = waiting(cls, loop)
    loop.meddle = lambda: removed.append(future.remove_done_callback(second))
    future.set_result(1)
    return f"removed {removed[0]}, handed over {' '.join(loop.scheduled)}"


def add_by_call_soon(cls):
    loop = Loop()
    future = waiting(cls, loop)
    loop.meddle = lambda: future.add_done_callback(late)
    future.set_result(1)
    return f"handed over {' '.join(loop.scheduled)}"


def completion_in_a_comparison(cls):
    loop = Loop()
    future = waiting(cls, loop)

    class Equal:
        def __eq__(self, other):
            if not future.done():
                future.set_result(1)
            return other is second

    removed = future.remove_done_callback(Equal())
    return f"removed {removed}, handed over {' '.join(loop.scheduled)}"


def removal_by_an_attribute(cls):
    removed = []

    class Odd(Loop):
        def __getattribute__(self, name):
            if name.startswith("call_soon") and not removed:
                removed.append(None)
                removed[0] = future.remove_done_callback(first)
            return super().__getattribute__(name)

    loop = Odd()
    future = waiting(cls, loop)
    future.set_result(1)
    return f"removed {removed[0]}, handed over {' '.join(loop.scheduled)}"


def loop_that_closes(cls):
    loop = Loop()
    future = waiting(cls, loop)
    loop.closed_after = 1
    try:
        future.set_result(1)
        raised = "nothing"
    except RuntimeError as error:
        raised = f"`{error}`"
    return f"raises {raised}, done {future.done()}, handed over {' '.join(loop.scheduled)}"


def initialised_twice(cls):
    loop = Loop()
    future = waiting(cls, loop, first)
    again = []

    def initialise():
        try:
            future.__init__(loop=loop)
            again.append(future._state.lower())
        except RuntimeError as error:
            again.append(f"`{error}`")

    initialise()
    if not future.done():
        future.set_result(1)
    initialise()
    return f"pending: {again[0]}, then handed over {' '.join(loop.scheduled) or 'nothing'}; done: {again[1]}"


PLACES = [
    removal_by_call_soon,
    add_by_call_soon,
    completion_in_a_comparison,
    removal_by_an_attribute,
    loop_that_closes,
    initialised_twice,
]


def played(place, name):
    """What the class does, in a process of its own, because a class may kill it."""
    done = subprocess.run([sys.executable, __file__, place, name], capture_output=True, text=True)
    return f"dies of {signal.Signals(-done.returncode).name}" if done.returncode < 0 else done.stdout.strip()


if __name__ == "__main__":
    if sys.argv[1:]:
        print({place.__name__: place for place in PLACES}[sys.argv[1]](CLASSES[sys.argv[2]]))
    else:
        for place in PLACES:
            for name in ["C", "Python", "whendone"]:
                print(f"{place.__name__:28} {name:10} {played(place.__name__, name)}")
