from datetime import date

from oncotrail.demo import identities


def test_an_identity_is_the_same_whenever_it_is_asked_for() -> None:
    one = identities.identity(7, 3, 0, 54.0)
    assert one == identities.identity(7, 3, 0, 54.0)
    assert one != identities.identity(8, 3, 0, 54.0)


def test_the_birth_date_gives_the_age_at_examination() -> None:
    for place in range(40):
        who = identities.identity(7, place, 1, 54.0)
        birthday = date(who.examined.year, who.birth.month, min(who.birth.day, 28))
        assert who.examined.year - who.birth.year - (who.examined < birthday) == 54


def test_record_numbers_sort_otherwise_as_text() -> None:
    numbers = [identities.patient_id(place, 0) for place in range(30)]
    assert sorted(numbers) != numbers
    assert len(set(numbers)) == 30


def test_uids_are_valid_and_differ() -> None:
    who = identities.identity(7, 3, 0, 54.0)
    found = [
        who.study_uid,
        who.series_uid,
        who.frame_uid,
        who.image_uid("t4"),
        who.image_uid("t11"),
    ]
    assert len(set(found)) == 5
    for uid in found:
        assert len(uid) <= 64
        assert uid.startswith("2.25.")
        assert uid[5] != "0"
