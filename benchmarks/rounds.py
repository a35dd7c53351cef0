"""Interleaved rounds: every contender does its share in each round, so that all meet the same noise.

What counts is the ratio of two contenders within one round, and of all rounds the median.
"""

import gc
from collections.abc import Callable, Sequence
from random import Random
from statistics import median, quantiles
from time import perf_counter
from typing import Final, TypeAlias

from attrs import field, frozen

Work: TypeAlias = Callable[[], None]
"""One round's share of the work; only this is timed."""


@frozen(kw_only=True)
class Contender:
    """Somebody who does the work; `prepare` sets up one round's share and is not timed.

    `count` is how many operations a share has; `note` says what has to be known about it.
    """

    name: str
    prepare: Callable[[], Work]
    count: int
    note: str = ""


@frozen
class Aim:
    """The ratio that a contender should reach beside another one."""

    name: str
    beside: str
    at_least: float


@frozen
class Result:
    """What the rounds came to: operations a second of every contender, round by round."""

    rates: dict[str, list[float]] = field(factory=dict[str, list[float]])

    def rate(self, name: str) -> float:
        """The median of a contender's rounds, in operations a second."""
        return median(self.rates[name])

    def ratios(self, name: str, beside: str) -> list[float]:
        """How many times as fast as the other it was, round by round."""
        return [mine / its for mine, its in zip(self.rates[name], self.rates[beside], strict=True)]

    def ratio(self, name: str, beside: str) -> float:
        """The median of the ratios."""
        return median(self.ratios(name, beside))


def run(contenders: Sequence[Contender], rounds: int, clock: Callable[[], float] = perf_counter) -> Result:
    """Let all do their share once unmeasured, then `rounds` times in a new order each.

    Where nothing waits, `clock` is better the processor's time: other programs do not count in it.
    """
    order, chance, result = list(contenders), Random(1), Result({each.name: [] for each in contenders})
    for each in order:
        each.prepare()()
    for _ in range(rounds):
        chance.shuffle(order)
        for each in order:
            work = each.prepare()
            # Nobody shall sweep up what the one before has left.
            gc.collect()
            before = clock()
            work()
            result.rates[each.name].append(each.count / (clock() - before))
    return result


_WIDEST: Final = 54


def table(title: str, contenders: Sequence[Contender], result: Result, limit: str, unit: str) -> None:
    """Print the median rates, and the ratios to `limit` with the middle half of the rounds."""
    print(f"\n{title}")
    print(f"  {'':{_WIDEST}} {unit:>10}   ratio  (middle half)")
    for each in contenders:
        ratios = result.ratios(each.name, limit)
        low, _, high = quantiles(ratios, n=4) if len(ratios) > 1 else (ratios[0],) * 3
        print(
            f"  {each.name:{_WIDEST}} {result.rate(each.name):10,.0f}"
            f"  {median(ratios):6.2f}  ({low:.2f} to {high:.2f})"
        )
    for each in contenders:
        if each.note:
            print(f"  * {each.name}: {each.note}")


def judge(result: Result, aims: Sequence[Aim]) -> None:
    """Say of each aim whether it was reached."""
    for aim in aims:
        if aim.name in result.rates and aim.beside in result.rates:
            reached = result.ratio(aim.name, aim.beside)
            verdict = "reached" if reached >= aim.at_least else "MISSED"
            print(f"  aim {verdict}: {aim.name}: {reached:.2f} of {aim.beside}, {aim.at_least} wanted")
