"""What one recorded exchange shows by itself: it may be looked at anywhere, in any order, and always shows the same."""

from __future__ import annotations

from typing import NamedTuple

from rampcheck.contract import register
from rampcheck.contract.profile import Profile
from rampcheck.judging import suite as suites
from rampcheck.judging.examination import Examined, Examiner
from rampcheck.judging.rederived import HIDDEN, is_hidden
from rampcheck.recorded.hiding import Marker, is_marked, read_as
from rampcheck.recorded.packing import Packed, Packer, unpacked
from rampcheck.recorded.traffic import Names, Recording, Views
from rampcheck.wire.redaction import Redactor, as_letters, as_word

MOST_ALIKE = 1_000  # of what exchanges showed, that is kept in mind to be the same object where it is the same


class Setting(NamedTuple):
    """All that an exchange is looked at with: `key` is that of the marks, `dictionary` what bodies are packed with."""

    profile: Profile
    key: bytes
    names: Names
    dictionary: bytes | None


class Seen(NamedTuple):
    """What an exchange shows, and its bodies with marks in place of secrets, small.

    `bodies` is None where it depends on the exchanges before it what has to be hidden.
    """

    examined: Examined
    bodies: tuple[Packed, Packed | None] | None


class Sight:
    """Looks at exchanges, one by one; nothing that it is asked for depends on what it was asked before."""

    def __init__(self, setting: Setting) -> None:
        profile, key, names, dictionary = setting
        suite = suites.load(profile.contract)
        self._examiner = Examiner(register.of(profile), suite, profile)
        self._views = Views(names)
        self._packer = Packer(dictionary)
        self._marker = Marker(Redactor(key), suite.contract.secret_members, profile.secrets)
        self._alike: dict[Examined, Examined] = {}

    def seen(self, recording: Recording) -> Seen:
        """Gives what an exchange shows."""
        recording = recording._replace(exchange=unpacked(recording.exchange))  # once, and not for each look at it
        examined = self._examined(recording)
        if len(self._alike) < MOST_ALIKE and not examined.broken and not examined.observed:
            examined = self._alike.setdefault(examined, examined)
        bodies = self._marker.bodies(recording.exchange)
        if bodies is None:
            return Seen(examined, None)
        of_request, of_response = bodies
        packed = self._packer.body
        return Seen(examined, (packed(of_request), None if of_response is None else packed(of_response)))

    def _examined(self, recording: Recording) -> Examined:
        """Judges an exchange; where what a run has hidden in it decides, its word stands, or nothing is known."""
        if not is_marked(recording.exchange):
            return self._examiner.examined(self._views.of(recording))
        said, known = recording.held, recording.exchange
        one, other = (
            self._examiner.examined(self._views.of(recording._replace(exchange=read_as(known, stand_in))))
            for stand_in in (as_word, as_letters)
        )
        hidden = {breach.clause for breach in one.broken if is_hidden(known, breach.problem.about)}
        hidden |= (one.held ^ other.held) | ({b.clause for b in one.broken} ^ {b.clause for b in other.broken})
        lacking = {**dict.fromkeys(sorted(hidden - said), HIDDEN), **dict(one.lacking)}
        return Examined(
            (one.held - hidden) | (said & hidden),
            tuple(breach for breach in one.broken if breach.clause not in hidden),
            one.observed,
            tuple(lacking.items()),
        )
