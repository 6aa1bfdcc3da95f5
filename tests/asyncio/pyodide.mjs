#!/usr/bin/env node
// CPython of the npm package `pyodide` as an interpreter for WHENDONE_PYTHON: pyodide.mjs [-I] SCRIPT.
// Node finds the package beside this file, above it, or by NODE_PATH.
import { openSync, readFileSync, readSync, writeSync } from "node:fs";
import { createRequire } from "node:module";

const { loadPyodide } = createRequire(import.meta.url)("pyodide");

// There are no sockets and no threads, and the loop of the package is the one of JavaScript.
const loop = `
import asyncio

class Loop(asyncio.BaseEventLoop):
    """asyncio's own loop on a clock of its own. It selects among no files."""

    def __init__(self):
        super().__init__()
        self._now, self._selector = 0.0, self

    def time(self):
        # No two readings are equal, as on a real clock.
        self._now += 1e-6
        return self._now

    def select(self, timeout):
        if timeout is None:
            raise RuntimeError("nothing is left that could wake the loop")
        self._now += timeout
        return []

    def _process_events(self, events):
        pass

asyncio._set_running_loop(None)
asyncio.new_event_loop = Loop
`;

const script = process.argv.at(-1);
const python = await loadPyodide();
// Opened anew, since the package lets descriptor 0 no longer block, and then looks ten times a second.
const input = openSync("/dev/stdin", "r");
python.setStdin({ read: (bytes) => readSync(input, bytes) });
python.setStdout({ write: (bytes) => writeSync(1, bytes) });
try {
  python.runPython(loop);
  python.runPython(readFileSync(script, "utf8"), { filename: script });
} catch (error) {
  // Node would print the line of the package that threw, which is all of its code.
  console.error(error.message);
  process.exitCode = 1;
}
