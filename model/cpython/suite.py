"""Runs modules of CPython's test_asyncio with one class in the place of asyncio's C Future, and prints the counts.

    suite.py CLASS SCOPE [SECONDS]

CLASS is one of those in `classes.py`. SCOPE is `test_futures` or `test_tasks`: the module is given the class as
`futures._CFuture`, and those of its test cases run that use it. With `everywhere` all modules run, and asyncio itself
uses the class. Once a test takes longer than SECONDS (300) the stacks of all threads are printed and the process ends.
"""

import asyncio
import faulthandler
import inspect
import json
import os
import sys
import unittest
import warnings
from asyncio import futures, tasks

from classes import CLASSES


def put_in_everywhere(cls):
    """Puts the class where asyncio has its own."""
    own = futures.Future
    for name, module in list(sys.modules.items()):
        if name == "_asyncio" or name.split(".")[0] == "asyncio":
            for variable, value in list(vars(module).items()):
                if value is own:
                    setattr(module, variable, cls)
    # The one class of asyncio, besides Task, that is derived from Future.
    exec(inspect.getsource(tasks._GatheringFuture), vars(tasks))
    assert asyncio.Future is cls and tasks._GatheringFuture.__base__ is cls


def modules(scope):
    if scope != "everywhere":
        return [scope]
    import test.test_asyncio

    names = os.listdir(os.path.dirname(test.test_asyncio.__file__))
    return sorted(name.removesuffix(".py") for name in names if name.startswith("test_") and name.endswith(".py"))


def tests(scope):
    suite = unittest.TestSuite()
    for module in modules(scope):
        try:
            suite.addTests(unittest.defaultTestLoader.loadTestsFromName(f"test.test_asyncio.{module}"))
        except unittest.SkipTest:
            pass  # a module for another system
    if scope == "everywhere":
        return suite
    return unittest.TestSuite(test for test in flat(suite) if "CFuture" in type(test).__name__.replace("Sub", ""))


def flat(suite):
    for test in suite:
        yield from flat(test) if isinstance(test, unittest.TestSuite) else [test]


class Watched(unittest.TextTestResult):
    """A result whose tests may take so many seconds each."""

    seconds = 300

    def startTest(self, test):
        faulthandler.dump_traceback_later(self.seconds, exit=True)
        super().startTest(test)


def main(which, scope, seconds=Watched.seconds):
    Watched.seconds = int(seconds)
    cls = CLASSES[which]
    put_in_everywhere(cls) if scope == "everywhere" else setattr(futures, "_CFuture", cls)
    warnings.simplefilter("ignore")
    with open(os.devnull, "w") as silence:
        result = unittest.TextTestRunner(stream=silence, verbosity=0, resultclass=Watched).run(tests(scope))
    failed = {test.id(): text.strip().splitlines()[-1] for test, text in result.failures + result.errors}
    failed.update({test.id(): "unexpected success" for test in result.unexpectedSuccesses})
    print(json.dumps({"ran": result.testsRun, "skipped": len(result.skipped), "failed": failed}))


if __name__ == "__main__":
    main(*sys.argv[1:])
