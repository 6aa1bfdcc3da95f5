"""Runs modules of CPython's test_asyncio with one class in the place of asyncio's C Future, and prints the counts.

    suite.py CLASS SCOPE

CLASS is one of those in `classes.py`. SCOPE is `test_futures` or `test_tasks`: the module is given the class as
`futures._CFuture`. With `everywhere` all modules run, and asyncio itself uses the class.
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

# A run that hangs prints its stacks and ends.
SECONDS = 300


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


def main(which, scope):
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    cls = CLASSES[which]
    put_in_everywhere(cls) if scope == "everywhere" else setattr(futures, "_CFuture", cls)
    warnings.simplefilter("ignore")
    names = [f"test.test_asyncio.{module}" for module in modules(scope)]
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    with open(os.devnull, "w") as silence:
        result = unittest.TextTestRunner(stream=silence, verbosity=0).run(suite)
    failed = {test.id(): text.strip().splitlines()[-1] for test, text in result.failures + result.errors}
    failed.update({test.id(): "unexpected success" for test in result.unexpectedSuccesses})
    print(json.dumps({"ran": result.testsRun, "skipped": len(result.skipped), "failed": failed}))


if __name__ == "__main__":
    main(*sys.argv[1:])
