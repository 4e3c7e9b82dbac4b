"""Doctor: findings say what is there, and what to do when it is not."""

import resource

import pytest

from launch import doctor


def test_this_machine_passes_the_cheap_checks() -> None:
    for check in (
        doctor.check_python,
        doctor.check_memory,
        doctor.check_shared_memory,
        doctor.check_descriptors,
        doctor.check_disk,
        doctor.check_loopback,
    ):
        finding = check()
        assert finding.ok, finding
        assert finding.found
        assert not finding.advice


def test_a_missing_package_is_named_with_advice() -> None:
    finding = doctor.check_package("no-such-package-m4sc")
    assert (finding.ok, finding.found) == (False, "missing")
    assert "pip install no-such-package-m4sc" in finding.advice
    assert doctor.check_package("ray").ok


def test_too_few_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (256, 4_096))
    finding = doctor.check_descriptors()
    assert not finding.ok
    assert "ulimit -n" in finding.advice


def test_weights_that_do_not_load_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = doctor._ask_python("bundle", "raise ValueError('weights do not fit')", str)
    assert (finding.ok, finding.found) == (False, "ValueError: weights do not fit")
