"""The service clock against the wall clock, over ten thousand timelines that nobody chose."""

from datetime import timedelta

from hypothesis import given, settings

from tests.wall_clock import Story, check, stories

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


@settings(max_examples=6000)
@given(story=stories(MINUTE, ticks=2880))
def test_minute_by_minute_over_two_days(story: Story) -> None:
    """Six thousand timelines over closing times, holidays and changes of the clocks."""
    check(story, look=timedelta(days=1))


@settings(max_examples=4000)
@given(story=stories(SECOND, ticks=5400))
def test_second_by_second_over_ninety_minutes(story: Story) -> None:
    """Four thousand timelines whose steps fall on any second."""
    check(story, look=timedelta(minutes=30))
