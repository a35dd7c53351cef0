"""Run the benchmarks: all topics, or the ones that are named."""

import argparse
from time import perf_counter

from benchmarks import (
    audits,
    commands,
    exports,
    imports,
    proof,
    queue_top,
    replay,
    seal,
    sections,
    service_clock,
    service_levels,
    similar_incidents,
    view_growth,
    views,
    what_if,
)
from benchmarks.stores import facts, running_stores

TOPICS = {
    "commands": commands.measure,
    "sections": sections.measure,
    "replay": replay.measure,
    "seal": seal.measure,
    "views": views.measure,
    "growth": view_growth.measure,
    "similar": similar_incidents.measure,
    "clock": service_clock.measure,
    "timers": service_levels.measure,
    "queue_top": queue_top.measure,
    "import": imports.measure,
    "export": exports.measure,
    "audit": audits.measure,
    "what_if": what_if.measure,
    "proof": proof.measure,
}


def main() -> None:
    """Print the facts of the machine, then a table per topic."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("topics", nargs="*", metavar="topic", help=", ".join(TOPICS))
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller sets: a look, no verdict")
    arguments = parser.parse_args()
    unknown = set(arguments.topics) - set(TOPICS)
    if unknown:
        parser.error(f"topic: {', '.join(sorted(unknown))} is none; choose from {', '.join(TOPICS)}")
    began = perf_counter()
    with running_stores() as stores:
        print(facts(stores))
        for topic in arguments.topics or TOPICS:
            TOPICS[topic](stores, quick=arguments.quick)
    print(f"\n{perf_counter() - began:.0f} seconds in all")


if __name__ == "__main__":
    main()
