"""Plays programs on asyncio and prints their events, one line of JSON each way. Standard library alone.

A program is played on plain asyncio or, with "departing", on asyncio with the decisions of whendone applied: each at
the place that calls `departs` with its number. Everything else is asyncio's own.
"""

import asyncio
import gc
import json
import sys
import warnings

# After this many events acts do nothing, because callbacks that add callbacks could go on for ever. The limit is the
# one in program/mod.rs.
LONGEST = 200


class Failed(Exception):
    """The counterpart of `complete(Err(..))`."""


class Panicked(Exception):
    """The counterpart of a panic."""


class Abandoned(Exception):
    """The counterpart of abandonment, an outcome that asyncio lacks."""


class Player:
    """One program on one loop."""

    def __init__(self, program, departing):
        self.departing, self.departures = departing, []
        self.trace, self.names, self.queued, self.fresh = [], {}, {}, 0
        self.futures, self.completers, self.registrations = [], [], []
        self.shared = [Shared(self, which, acts) for which, acts in enumerate(program["shared"])]
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(self.report)
        for move in program["moves"]:
            try:
                if isinstance(move, dict) and "run" in move:
                    self.loop.run_until_complete(self.main(move["run"]))
                else:
                    self.play(move)
            except Panicked as panicked:
                self.note("raised", panicked)
        if program["close"]:
            self.close()
        self.loop.close()

    def note(self, *words):
        self.trace.append(" ".join(map(str, words)))

    def departs(self, number):
        """Returns true if this play follows whendone. Called where the difference to asyncio is about to show."""
        if self.departing:
            self.departures.append([number, len(self.trace)])
        return self.departing

    def next(self):
        self.fresh += 1
        return self.fresh

    def name(self, future):
        return self.names[id(future)]

    def outcome(self, future):
        if not future.done():
            return "pending"
        if future.cancelled():
            return "cancelled"
        error = future.exception()
        if error is None:
            return f"finished {future.result()}"
        return f"{type(error).__name__.lower()} {error}".rstrip()

    def report(self, loop, context):
        message, error = context["message"], context.get("exception")
        if "handle" in context:
            self.note("raised", error)
        elif "was never retrieved" in message:
            # D8: a panic that was never retrieved is reported; an error passed to `complete` is a value.
            if not (isinstance(error, Failed) and self.departs("D8")):
                self.note("unretrieved", self.name(context["future"]), error)
        else:
            self.note(message)

    # Acts, by name.

    def play(self, act):
        if len(self.trace) >= LONGEST:
            return
        act, operands = (act, None) if isinstance(act, str) else next(iter(act.items()))
        getattr(self, act)(operands)

    def plays(self, acts):
        for act in acts:
            self.play(act)

    def at(self, place, of=None):
        """Returns the entry at a place, or notes that there is none."""
        of = self.futures if of is None else of
        found = of[place] if place < len(of) else None
        if found is None:
            self.note("nobody")
        return found

    def enter(self, future, completer):
        self.names[id(future)] = len(self.futures)
        self.futures.append(future)
        self.completers.append(completer)

    def future(self, _):
        future = self.loop.create_future()
        self.enter(future, future)

    def spawn(self, steps):
        self.enter(self.loop.create_task(self.body(len(self.futures), steps)), None)

    def add(self, operands):
        to, acts = operands
        future = self.at(to)
        if future is not None:
            self.register(to, future, Once(self, len(self.registrations), acts))

    def share(self, operands):
        to, which = operands
        shared = self.at(which, self.shared)
        future = shared and self.at(to)
        if future is not None:
            self.register(to, future, Registration(shared) if self.departing else shared)

    def register(self, to, future, callback):
        self.registrations.append((to, callback))
        future.add_done_callback(callback)

    def remove(self, registration):
        to, callback = self.at(registration, self.registrations) or (None, None)
        future = callback and self.at(to)
        if future is not None:
            # D3: by its id one registration is removed; asyncio removes all that are equal.
            if isinstance(callback, Registration) and not future.done():
                self.departs("D3")
            self.note("removed", future.remove_done_callback(callback))

    def unshare(self, operands):
        of, which = operands
        shared = self.at(which, self.shared)
        future = shared and self.at(of)
        if future is not None:
            self.note("removed", future.remove_done_callback(shared))

    def complete(self, at):
        self.settle(at, lambda future: future.set_result(self.fresh))

    def fail(self, at):
        self.settle(at, lambda future: future.set_exception(Failed(self.fresh)))

    def settle(self, at, how):
        completer = self.at(at, self.completers)
        if completer is not None:
            self.completers[at] = None
            self.next()
            try:
                how(completer)
                self.note("completed", self.fresh)
            except asyncio.InvalidStateError:
                self.note("refused", self.fresh)

    def drop(self, at):
        completer = self.at(at, self.completers)
        if completer is not None:
            self.completers[at] = None
            # D7: a task that nobody can complete any more is done; asyncio leaves it pending for ever.
            if not completer.done() and self.departs("D7"):
                completer.set_exception(Abandoned())
                completer.exception()

    def forget(self, at):
        if self.at(at) is not None:
            self.futures[at] = None

    def cancel(self, at):
        future = self.at(at)
        if future is not None:
            self.note("cancel", json.dumps(future.cancel()))
            if self.departing and at not in self.queued and asyncio.current_task(self.loop) is future:
                self.queued[at] = Queued(self)

    def read(self, at):
        future = self.at(at)
        if future is not None:
            self.note("read", self.outcome(future))

    def soon(self, acts):
        self.loop.call_soon(Soon(self, self.next(), acts))

    def panic(self, _):
        raise Panicked(self.next())

    # Coroutines.

    async def main(self, beats):
        for beat in beats:
            if beat == "turn":
                await asyncio.sleep(0)
                self.note("turn")
            elif beat == "idle":
                await self.idle()
            else:
                self.play(beat)

    async def idle(self):
        for _ in range(10):
            before = len(self.trace)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if len(self.trace) == before:
                break
        self.note("idle")

    async def body(self, own, steps):
        self.note("started", own)
        try:
            for step in steps:
                await self.step(own, step)
            return self.next()
        finally:
            self.note("left", own)

    async def step(self, own, step):
        if step == "yield":
            await self.suspend(own, asyncio.sleep(0))
            self.note("resumed", own)
        elif step == "nap":
            await self.suspend(own, Sleep(self) if self.departing else asyncio.sleep(1e-9))
            self.note("slept", own)
        elif isinstance(step, dict) and "await" in step:
            await self.awaiting(own, step["await"])
        else:
            self.play(step)

    async def awaiting(self, own, at):
        # Only older tasks, so that no task awaits itself.
        future = self.at(at) if at < own else None
        if future is None:
            return
        done = future.done()
        try:
            await (future if done else self.suspend(own, Wait(self, future) if self.departing else future))
        except (Failed, Panicked, Abandoned):
            pass
        except asyncio.CancelledError:
            # The outcome of the awaited task is a value; the cancellation of the awaiting task is not.
            if not done and asyncio.current_task().cancelling():
                # Otherwise the traceback would keep the future alive.
                del future
                raise
        self.note("awaited", own, self.outcome(future))

    def suspend(self, own, awaited):
        return self.queued.pop(own, awaited)

    # The end.

    def close(self):
        unrun = 0
        if self.departing:
            for task in sorted(asyncio.all_tasks(self.loop), key=self.name):
                self.abandon(task)
            task = None
            while self.loop._ready:
                unrun += self.lose(self.loop._ready.popleft())
        if unrun:
            self.note("unrun", unrun)
        self.note("closed", unrun)

    def lose(self, handle):
        # D4: a callback that can no longer run is reported; asyncio discards it in silence.
        lost = isinstance(handle._callback, Call) and self.departs("D4")
        if lost:
            self.note("lost", *map(self.name, handle._args))
        return lost

    def abandon(self, task):
        # D7: a task whose loop is gone is done; asyncio leaves it pending.
        self.departs("D7")
        # The awaited future may be done, with its wake-up queued, which would keep that future alive to the end.
        waits = task._fut_waiter
        for handle in self.loop._ready:
            if waits is not None and handle._callback is waits.wakeup:
                handle._args = (waits,)
        task.get_coro().close()
        if task.cancelling():
            asyncio.Future.cancel(task)
        else:
            asyncio.Future.set_exception(task, Abandoned())
            task.exception()
            self.note("abandoned", self.name(task))


class Call:
    """A call that a loop is asked to make."""

    def __init__(self, player, name, acts):
        self.player, self.name, self.acts = player, name, acts


class Soon(Call):
    def __call__(self):
        self.player.note("soon", self.name)
        self.player.plays(self.acts)


class Once(Call):
    def __call__(self, future):
        self.player.note("called", self.name, self.player.name(future), self.player.outcome(future))
        self.player.plays(self.acts)


class Shared(Call):
    def __call__(self, future):
        self.player.note("shared", self.name, self.player.name(future), self.player.outcome(future))
        self.player.plays(self.acts)


class Registration(Call):
    """D3: one registration of a shared callback, told apart from the others."""

    def __init__(self, shared):
        self.shared = shared

    def __call__(self, future):
        self.shared(future)

    def __eq__(self, other):
        return other is self or other is self.shared


class Await:
    """An awaitable that takes the place of a future of asyncio."""

    def __init__(self, player):
        self.player, self.cancelled = player, False
        self._asyncio_future_blocking = False

    def __await__(self):
        self._asyncio_future_blocking = True
        try:
            yield self
        finally:
            # A traceback refers to this object, which must therefore not refer to the traceback.
            self.wakeup = self.future = self.timer = None

    def get_loop(self):
        return self.player.loop

    def add_done_callback(self, wakeup, *, context):
        self.wakeup, self.context = wakeup, context
        self.start()

    def cancel(self, msg=None):
        if self.cancelled or not self.stop():
            return False
        self.cancelled = True
        self.player.loop.call_soon(self.wakeup, self, context=self.context)
        return True

    def result(self):
        if self.cancelled:
            raise asyncio.CancelledError


class Wait(Await):
    """D10: cancelling a task does not cancel the task that it awaits."""

    def __init__(self, player, future):
        super().__init__(player)
        self.future = future

    def start(self):
        self.future.add_done_callback(self.wakeup, context=self.context)

    def stop(self):
        if self.future.remove_done_callback(self.wakeup):
            return self.player.departs("D10")
        # D19: in asyncio the wake-up of a cancelled task counts as retrieving the exception.
        if isinstance(self.future, asyncio.Task) and self.future._log_traceback and self.player.departs("D19"):
            woken = next(handle for handle in self.player.loop._ready if handle._callback is self.wakeup)
            woken._args = (self,)
        return False


class Sleep(Await):
    """D17: the timer wakes the task; the timer of asyncio sets a future, which wakes the task a turn later."""

    def start(self):
        self.timer = self.player.loop.call_later(1e-9, self.wakeup, self)

    def stop(self):
        waits = self.timer._scheduled
        if waits:
            self.timer.cancel()
        return waits

    def result(self):
        super().result()
        self.player.departs("D17")


class Queued(Await):
    """D18: a task that cancels itself is queued at once; asyncio queues it when it suspends."""

    def __init__(self, player):
        super().__init__(player)
        self.wakeup = None
        player.loop.call_soon(self.fire)

    def start(self):
        self.player.departs("D18")

    def fire(self):
        if self.wakeup is not None:
            self.wakeup(self)

    def stop(self):
        return False


def main():
    warnings.simplefilter("ignore")
    gc.disable()
    gc.freeze()
    print(json.dumps({"name": sys.implementation.name, "version": sys.version_info[:3]}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        player = Player(asked["program"], asked["departing"])
        print(json.dumps({"trace": player.trace, "departures": player.departures}), flush=True)
        del player
        gc.collect()


main()
