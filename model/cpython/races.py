"""Plays a race on one class, trial after trial, and prints a line for each: a list with the first fault, or none.

    races.py CLASS RACE TRIALS [SECONDS]

A fault is a callback that is lost, runs twice or runs although it was removed, a count that is not true, a callback out of
order, an exception out of a method, a future that is not collected. A trial that takes longer than SECONDS (100) prints the
stacks of all threads and ends the process.
"""

import asyncio
import faulthandler
import gc
import json
import signal
import sys
import threading
from collections import Counter

from classes import CLASSES

ADDERS, EACH = 2, 24


class Recorder:
    """A loop of which a future needs two methods, written in Python so that threads can change inside."""

    def __init__(self):
        self.scheduled = []

    def get_debug(self):
        return False

    def call_soon(self, callback, future, *, context):
        held = len(self.scheduled)
        for _ in range(9):
            held += str(held).count("1")
        self.scheduled.append(callback)

    call_soon_threadsafe = call_soon


class Callback:
    """A callback that is equal to those with its name, in code of Python."""

    def __init__(self, adder, number):
        self.name = (adder, number)

    def __eq__(self, other):
        equal = True
        for mine, theirs in zip(self.name, other.name):
            equal = equal and mine == theirs
        return equal

    def __call__(self, future):
        pass


def together(*actions):
    """Runs the actions at the same time and returns the exceptions."""
    barrier, raised = threading.Barrier(len(actions)), []

    def run(action):
        barrier.wait()
        try:
            action()
        except Exception as error:
            raised.append(repr(error))

    threads = [threading.Thread(target=run, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def queue(cls):
    """Two threads add to callbacks that wait, two remove, one completes."""
    loop = Recorder()
    future, removed = cls(loop=loop), Counter()

    def add(adder, numbers):
        for number in numbers:
            future.add_done_callback(Callback(adder, number))

    def remove(adder):
        for number in range(2 * EACH):
            removed[adder, number] += future.remove_done_callback(Callback(adder, number))

    def complete():
        for _ in range(200):
            future.done()
        future.set_result(1)

    for adder in range(ADDERS):
        add(adder, range(EACH))
    adders = [lambda adder=adder: add(adder, range(EACH, 2 * EACH)) for adder in range(ADDERS)]
    removers = [lambda adder=adder: remove(adder) for adder in range(ADDERS)]
    faults = together(*adders, *removers, complete)
    scheduled = Counter(callback.name for callback in loop.scheduled)
    for name in [(adder, number) for adder in range(ADDERS) for number in range(2 * EACH)]:
        if scheduled[name] + removed[name] != 1:
            faults.append(f"{name} scheduled {scheduled[name]} times and removed {removed[name]} times")
    return faults + out_of_order([callback.name for callback in loop.scheduled])


def out_of_order(names):
    """Each thread adds callbacks with growing numbers."""
    faults = []
    for adder in range(ADDERS):
        numbers = [number for of, number in names if of == adder]
        if numbers != sorted(numbers):
            faults.append(f"callbacks of one thread in another order: {numbers}")
    return faults


def completion(cls):
    """Three threads complete, and two add to callbacks that wait. One completion succeeds."""
    loop, refused = Recorder(), []
    future = cls(loop=loop)

    def add(adder, numbers):
        for number in numbers:
            future.add_done_callback(Callback(adder, number))

    def complete(value):
        try:
            future.set_result(value)
        except asyncio.InvalidStateError:
            refused.append(value)

    for adder in range(ADDERS):
        add(adder, range(EACH))
    adders = [lambda adder=adder: add(adder, range(EACH, 2 * EACH)) for adder in range(ADDERS)]
    faults = together(*adders, *(lambda at=at: complete(at) for at in range(3)))
    if len(refused) != 2 or future.result() in refused:
        faults.append(f"result {future.result()}, refused {refused}")
    names = [callback.name for callback in loop.scheduled]
    if sorted(names) != [(at, number) for at in range(ADDERS) for number in range(2 * EACH)]:
        faults.append(f"scheduled {names}")
    return faults + out_of_order(names)


def real_loop(cls):
    """Callbacks run on a loop that is running, each once, while other threads add and complete."""
    async def main():
        loop, ran, own = asyncio.get_running_loop(), [], threading.get_ident()
        future, over, raised = cls(loop=loop), asyncio.Event(), []

        def add(adder, numbers):
            for number in numbers:
                future.add_done_callback(lambda _, name=(adder, number): ran.append((*name, threading.get_ident())))

        def foreign():
            adders = [lambda adder=adder: add(adder, range(EACH, 2 * EACH)) for adder in range(ADDERS)]
            raised.extend(together(*adders, lambda: future.set_result(1)))
            loop.call_soon_threadsafe(over.set)

        for adder in range(ADDERS):
            add(adder, range(EACH))
        thread = threading.Thread(target=foreign)
        thread.start()
        result = await future
        await over.wait()
        thread.join()
        if result != 1 or sorted(ran) != [(at, number, own) for at in range(ADDERS) for number in range(2 * EACH)]:
            raised.append(f"ran {ran}")
        return raised + out_of_order([name for *name, _ in ran])

    return asyncio.run(main())


def garbage(cls):
    """Cycles through callback, result and exception, made by three threads while a fourth one collects."""
    loop, reports = Recorder(), []
    loop.call_exception_handler = lambda context: reports.append(1)

    def make():
        for number in range(EACH):
            waits, finished, failed = cls(loop=loop), cls(loop=loop), cls(loop=loop)
            waits.add_done_callback(lambda _, waits=waits: waits)
            waits.attribute = waits
            finished.set_result(finished)
            error = ValueError()
            error.future = failed
            failed.set_exception(error)

    faults = together(make, make, make, lambda: [gc.collect() for _ in range(5)])
    gc.collect()
    # The collector clears weak references even to what it then cannot free.
    alive = sum(type(each) is cls for each in gc.get_objects())
    if alive or len(reports) != 3 * EACH:
        faults.append(f"{alive} of {9 * EACH} not collected, {len(reports)} of {3 * EACH} reports")
    return faults


RACES = {race.__name__: race for race in [queue, completion, real_loop, garbage]}


def main(which, race, trials, seconds=100):
    faulthandler.enable()
    sys.setswitchinterval(1e-6)
    for _ in range(int(trials)):
        faulthandler.dump_traceback_later(int(seconds), exit=True)
        # The system ends a process whose memory is too broken for that.
        signal.alarm(int(seconds) + 10)
        print(json.dumps(RACES[race](CLASSES[which])[:1]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
