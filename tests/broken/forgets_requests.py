"""A base station that forgets one request in a hundred: r000003, r000103, and so on."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from basestation import process
from basestation.requests import RequestBook, RequestRecord
from shared.spec import RoleSpec


@contextmanager
def defect() -> Iterator[None]:
    whole = RequestBook.add

    def add(self: RequestBook, record: RequestRecord) -> None:
        if not record.request_id.endswith("03"):
            whole(self, record)

    with patch.object(RequestBook, "add", add):
        yield


def main(spec: RoleSpec) -> int:
    with defect():
        return process.main(spec)
