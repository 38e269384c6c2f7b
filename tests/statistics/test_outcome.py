import copy
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.outcome import Outcome, TimeToEvent
from oncotrail.statistics.survival.competing_risks import cumulative_incidence
from oncotrail.statistics.survival.kaplan_meier import kaplan_meier

BLANKS = [None, float("nan"), np.nan, pd.NA, pd.NaT, "", "  "]


class TestOutcome:
    def test_words_become_flags(self) -> None:
        found = Outcome(["dead", "alive"], event="dead", no_event="alive")
        assert found.labels.tolist() == [True, False]
        assert (found.n, found.events, found.excluded) == (2, 1, 0)
        assert (found.event_name, found.no_event_name) == ("dead", "alive")

    def test_several_words_may_mean_the_same(self) -> None:
        found = Outcome(
            ["died of cancer", "died of other", "alive", "lost"],
            event={"died of cancer", "died of other"},
            no_event=["alive", "lost"],
        )
        assert found.labels.tolist() == [True, True, False, False]
        assert found.no_event_name == "alive or lost"

    @pytest.mark.parametrize(
        "values",
        [[1, 0], [1.0, 0.0], [True, False], np.array([1, 0], dtype=np.int8), pd.Series([1, 0])],
    )
    def test_numbers_and_flags_are_equal(self, values: Any) -> None:
        assert Outcome(values, event=1, no_event=0).labels.tolist() == [True, False]

    def test_ones_and_twos_of_r_must_be_said(self) -> None:
        with pytest.raises(ValueError, match=r"found 2 in row 1; expected 1 \(event\), 0"):
            Outcome([1, 2], event=1, no_event=0)
        assert Outcome([1, 2], event=2, no_event=1).labels.tolist() == [False, True]

    def test_flags_of_ones_own_are_no_outcome(self) -> None:
        with pytest.raises(TypeError, match="labels"):
            Outcome(labels=[True, False], kept=[True, True])  # type: ignore[call-arg]

    def test_somebody_is_not_blank(self) -> None:
        with pytest.raises(ValueError, match="found 2 rows that are all blank"):
            Outcome([None, ""], event=1, no_event=0, blanks="exclude")

    def test_text_is_not_a_number(self) -> None:
        with pytest.raises(ValueError, match="found '1' in row 0"):
            Outcome(["1", "0"], event=1, no_event=0)

    def test_a_third_value_is_named_with_its_row(self) -> None:
        with pytest.raises(
            ValueError, match=r"found 'Dead' in row 1 \(and in 1 more\); expected dead"
        ):
            Outcome(["dead", "Dead", "DEAD"], event="dead", no_event="alive")

    @pytest.mark.parametrize("blank", BLANKS)
    def test_a_blank_is_refused_or_excluded(self, blank: Any) -> None:
        values = ["dead", blank, "alive", blank]
        with pytest.raises(ValueError, match=r"found a blank \(.*\) in row 1 \(and in 1 more\)"):
            Outcome(values, event="dead", no_event="alive")
        found = Outcome(values, event="dead", no_event="alive", blanks="exclude")
        assert found.kept.tolist() == [True, False, True, False]
        assert (found.labels.tolist(), found.excluded) == ([True, False], 2)

    def test_values_may_mean_blank(self) -> None:
        found = Outcome(
            [1, 9, 0, "unknown"], event=1, no_event=0, blank=(9, "unknown"), blanks="exclude"
        )
        assert found.kept.tolist() == [True, False, True, False]
        with pytest.raises(ValueError, match=r"found a blank \(9\) in row 0; expected a value"):
            Outcome([9, 1], event=1, no_event=0, blank=9)

    def test_it_cannot_be_changed(self) -> None:
        found = Outcome([1, 0], event=1, no_event=0)
        for each in (found, copy.deepcopy(found)):
            with pytest.raises(ValueError, match="read-only"):
                each.labels[0] = False
        with pytest.raises(AttributeError):
            found.labels = ~found.labels  # type: ignore[misc]

    @given(st.lists(st.sampled_from(["dead", "alive", None]), min_size=1))
    def test_exchanging_the_names_complements_the_labels(self, values: list[str | None]) -> None:
        if all(value is None for value in values):
            return
        one = Outcome(values, event="dead", no_event="alive", blanks="exclude")
        other = Outcome(values, event="alive", no_event="dead", blanks="exclude")
        assert (one.labels == ~other.labels).all()
        assert one.events + other.events + one.excluded == len(values)


class TestTimeToEvent:
    def coded(self, **changes: Any) -> TimeToEvent:
        arguments = {
            "times": [5, 7, 9, 4],
            "values": ["relapse", "died", "well", "relapse"],
            "event": "relapse",
            "censored": "well",
            "competing": {"death": "died"},
        }
        return TimeToEvent(**{**arguments, **changes})

    def test_causes_are_numbered_from_the_event_on(self) -> None:
        found = self.coded()
        assert found.causes.tolist() == [1, 2, 0, 1]
        assert found.names == ("well", "relapse", "death")
        assert (found.n, found.excluded) == (4, 0)

    def test_they_are_what_the_other_functions_take(self) -> None:
        found = self.coded()
        assert cumulative_incidence(found.times, found.causes).number_of_competing_events == 1
        assert kaplan_meier(found.times, found.any_event).number_of_events == 3

    def test_events_need_a_word_where_there_are_two_kinds(self) -> None:
        found = self.coded()
        with pytest.raises(ValueError, match=r"found 2 kinds of events \(relapse, death\)"):
            _ = found.events
        assert found.any_event.tolist() == [True, True, False, True]
        assert found.cause_specific(1).tolist() == [True, False, False, True]
        assert found.cause_specific(2).tolist() == [False, True, False, False]
        with pytest.raises(ValueError, match="found cause 3; expected 1 to 2"):
            found.cause_specific(3)

    def test_one_kind_of_event_is_plain(self) -> None:
        found = TimeToEvent([1, 2], [2, 1], event=2, censored=1)
        assert found.events.tolist() == [True, False]

    def test_a_third_value_is_not_an_event(self) -> None:
        with pytest.raises(ValueError, match="found 'died' in row 1; expected well"):
            self.coded(competing=None)

    def test_a_blank_time_is_a_blank(self) -> None:
        times = [5, None, 9, float("nan")]
        with pytest.raises(ValueError, match=r"times: found a blank \(None\) in row 1"):
            self.coded(times=times)
        found = self.coded(times=times, blanks="exclude")
        assert (found.times.tolist(), found.excluded) == ([5.0, 9.0], 2)
        assert found.kept.tolist() == [True, False, True, False]

    def test_a_patient_seen_once_has_the_time_0(self) -> None:
        assert TimeToEvent([0, 3], [0, 1], event=1, censored=0).times.tolist() == [0.0, 3.0]

    def test_a_row_lacks_its_value_and_another_its_time(self) -> None:
        with pytest.raises(ValueError, match="found 2 rows that are all blank"):
            TimeToEvent([1, None], [None, 1], event=1, censored=0, blanks="exclude")

    def test_a_message_names_the_row_that_came_in(self) -> None:
        with pytest.raises(ValueError, match=r"times: found -1.0 in row 2"):
            self.coded(times=[None, 7, -1, 4], blanks="exclude")

    def test_text_is_not_a_time(self) -> None:
        with pytest.raises(ValueError, match="times: found '7' in row 1; expected a finite number"):
            self.coded(times=[5, "7", 9, 4])

    def test_a_table_of_pandas_is_read(self) -> None:
        frame = pd.DataFrame({"days": [3.0, 4.0], "status": pd.Categorical(["dead", "alive"])})
        found = TimeToEvent(frame["days"], frame["status"], event="dead", censored="alive")
        assert found.events.tolist() == [True, False]


class TestCodingsThatAreRefused:
    def test_one_value_with_two_meanings(self) -> None:
        with pytest.raises(ValueError, match=r"found 1.0 with two meanings"):
            Outcome([1], event=1, no_event=1.0)

    def test_a_value_that_is_also_blank(self) -> None:
        with pytest.raises(ValueError, match="found 9 with two meanings"):
            Outcome([9], event=1, no_event=9, blank=9)

    def test_a_blank_as_the_absence_of_an_event(self) -> None:
        """A blank is unknown, and must not become alive."""
        with pytest.raises(ValueError, match="no_event: found a blank"):
            Outcome([1, None], event=1, no_event=None)

    def test_no_value_at_all(self) -> None:
        with pytest.raises(ValueError, match="found no value for event"):
            Outcome([1], event=(), no_event=0)

    def test_an_unknown_way_with_blanks(self) -> None:
        with pytest.raises(
            ValueError, match="blanks: found 'drop', expected one of refuse, exclude"
        ):
            Outcome([1], event=1, no_event=0, blanks="drop")  # type: ignore[arg-type]

    def test_a_competing_event_named_event(self) -> None:
        with pytest.raises(ValueError, match="named event or censored"):
            TimeToEvent([1], [1], event=1, censored=0, competing={"event": 2})

    @pytest.mark.parametrize("values", [[], [[1, 0]]])
    def test_values_that_are_no_column(self, values: list[Any]) -> None:
        with pytest.raises(ValueError, match="expected one for each patient"):
            Outcome(values, event=1, no_event=0)

    def test_times_of_other_patients(self) -> None:
        with pytest.raises(ValueError, match=r"found times of shape \(1,\); expected one for each"):
            TimeToEvent([1], [1, 0], event=1, censored=0)
