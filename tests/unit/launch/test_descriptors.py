"""Descriptors are waited for, whatever their number."""

import fcntl
import os
import resource

import pytest

from launch.descriptors import readable

BEYOND_SELECT = 1_500


def test_what_can_be_read_is_found_and_nothing_else() -> None:
    (quiet, to_quiet), (told, to_told) = os.pipe(), os.pipe()
    try:
        assert readable([quiet, told], 0.0) == []
        os.write(to_told, b"x")
        assert readable([quiet, told]) == [told]
        os.close(to_quiet)
        assert set(readable([quiet, told])) == {quiet, told}, "an end is news too"
    finally:
        for descriptor in (quiet, told, to_told):
            os.close(descriptor)


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_NOFILE)[0] <= BEYOND_SELECT, reason="few descriptors are allowed here"
)
def test_a_number_beyond_what_select_takes() -> None:
    told, to_told = os.pipe()
    far = fcntl.fcntl(told, fcntl.F_DUPFD_CLOEXEC, BEYOND_SELECT)
    try:
        assert readable([far], 0.001) == []
        os.write(to_told, b"x")
        assert readable([far]) == [far]
    finally:
        for descriptor in (told, to_told, far):
            os.close(descriptor)
