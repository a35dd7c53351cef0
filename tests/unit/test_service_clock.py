"""The service clock, compared with one that is carried from tick to tick along the wall clock."""

from datetime import timedelta

from hypothesis import given, settings

from tests.wall_clock import Story, check, stories


@settings(max_examples=150)
@given(story=stories())
def test_it_says_what_the_wall_clock_says_minute_by_minute(story: Story) -> None:
    """Whatever is done to it, on days on which clocks change, in any zone and under any calendar."""
    check(story)


@settings(max_examples=100)
@given(story=stories(timedelta(seconds=1), ticks=3600))
def test_it_says_what_the_wall_clock_says_second_by_second(story: Story) -> None:
    """Steps may fall on any second."""
    check(story, look=timedelta(minutes=30))
