"""Times PluginManager.load_all of Python's plux: so many plugins, each of which takes so long.

Prints nanoseconds. Usage: load_all.py <plugins> <milliseconds>"""

import sys
import time

from plux import Plugin, PluginManager, PluginSpec
from plux.core.plugin import PluginFinder

NAMESPACE = "bench.plugins"


class InMemory(PluginFinder):
    def __init__(self, specs):
        self.specs = specs

    def find_plugins(self):
        return self.specs


def main(count, seconds):
    class NoOp(Plugin):
        namespace = NAMESPACE

        def load(self):
            if seconds:
                time.sleep(seconds)

    specs = [PluginSpec(NAMESPACE, f"plugin-{place:06}", NoOp) for place in range(count)]

    def load_all():
        manager = PluginManager(NAMESPACE, finder=InMemory(specs))
        assert len(manager.list_names()) == count
        start = time.perf_counter_ns()
        loaded = manager.load_all()
        took = time.perf_counter_ns() - start
        assert len(loaded) == count
        return took

    if not seconds:
        load_all()
    print(load_all())


main(int(sys.argv[1]), int(sys.argv[2]) / 1000)
