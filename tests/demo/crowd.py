"""Many invented patients at once, for what only many can show."""

from dataclasses import dataclass

from oncotrail.demo.blanks import Blanks
from oncotrail.demo.draws import Draws
from oncotrail.demo.people import People


@dataclass(frozen=True)
class Crowd:
    drawn: Draws
    people: People
    blanks: Blanks
