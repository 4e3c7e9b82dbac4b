"""What to ask about a scene, before it is put into words: groups with an answer, worth asking.

All choices come from `rnd`; `pick` chooses the answer among those that a scene offers.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from launch.datasets.clevr_style.groups import (
    BARE,
    Alike,
    Both,
    Description,
    Either,
    Group,
    Origin,
    SceneMasks,
    Side,
    bits,
)
from launch.datasets.clevr_style.programs import Kind
from launch.datasets.clevr_style.vocabulary import ATTRIBUTES, DIRECTIONS, VALUES, Direction

#: Chance that a description names 1, 2, 3, 4 attributes.
DETAIL: Final = (0.2, 0.35, 0.3, 0.15)
BARE_COUNT_CHANCE: Final = 0.2  # 'How many things are there?' is only rarely the way to reach a large count
#: Groups drawn for a comparison of numbers, out of which a pair is chosen.
CANDIDATES: Final = 6

Pick = Callable[[Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class Draft:
    """One group, or the two that are compared, and the answer."""

    answer: str
    groups: tuple[Group, ...]


class Drafter:
    """Drafts for one scene."""

    def __init__(self, masks: SceneMasks) -> None:
        self._masks = masks

    def hops(self, hops: int, kind: Kind, rnd: random.Random, pick: Pick) -> Draft | None:
        """A group at the end of a chain of `hops` relations."""
        origin: Origin = None
        if hops:
            found = self._one(hops - 1, rnd)
            if found is None:
                return None
            group, index = found
            direction = rnd.choice(DIRECTIONS)
            origin = Side(direction, group)
            inside = self._masks.side(direction, index)
            return self._final(kind, origin, inside, [inside], self._masks.all & ~(1 << index), rnd, pick)
        return self._final(kind, None, self._masks.all, [], 0, rnd, pick)

    def alike(self, kind: Kind, rnd: random.Random, pick: Pick) -> Draft | None:
        """What shares an attribute with an object; that attribute is neither named nor asked for."""
        attribute = rnd.choice(ATTRIBUTES)
        found = self._one(0, rnd)
        if found is None or kind == f"query_{attribute}":
            return None
        group, index = found
        inside = self._masks.alike(attribute, index)
        unnamed = ATTRIBUTES.index(attribute)
        rest = self._masks.all & ~(1 << index)
        return self._final(kind, Alike(attribute, group), inside, [inside], rest, rnd, pick, unnamed)

    def both(self, kind: Kind, rnd: random.Random, pick: Pick) -> Draft | None:
        """What lies on one side of an object and on one side of another."""
        one, other = self._one(0, rnd), self._one(0, rnd)
        first, second = rnd.sample(DIRECTIONS, 2)
        if one is None or other is None or one[1] == other[1]:
            return None
        sides = [self._masks.side(first, one[1]), self._masks.side(second, other[1])]
        origin = Both(Side(first, one[0]), Side(second, other[0]))
        return self._final(kind, origin, sides[0] & sides[1], sides, sides[0] | sides[1], rnd, pick)

    def either(self, rnd: random.Random, pick: Pick) -> Draft | None:
        """How many are in one of two groups, of those that fit a description of other attributes."""
        outer = self._some(rnd, 1) if rnd.random() < 0.5 else BARE
        column = next((c for c in range(4) if outer[c] is not None), None)
        drawn = [self._candidate(rnd, column) for _ in range(CANDIDATES)]
        by_count: dict[int, list[tuple[Group, Group]]] = defaultdict(list)
        within = self._masks.fitting(outer)
        for place, (one, mine) in enumerate(drawn):
            for other, theirs in drawn[place + 1 :]:
                if one.description == other.description or mine & ~theirs == 0 == theirs & ~mine:
                    continue
                by_count[((mine | theirs) & within).bit_count()].append((one, other))
        if not by_count:
            return None
        answer = pick([str(count) for count in sorted(by_count)])
        return Draft(answer, (Group(outer, Either(*rnd.choice(by_count[int(answer)]))),))

    def comparison(self, kind: Kind, rnd: random.Random, pick: Pick) -> Draft | None:
        """Whether two objects agree in an attribute that is named of neither."""
        column = ATTRIBUTES.index(kind.removeprefix("equal_"))
        answer = pick(("yes", "no"))
        first = self._one(int(rnd.random() < 0.5), rnd, column)
        if first is None:
            return None
        alike = self._masks.alike(ATTRIBUTES[column], first[1])
        others = alike if answer == "yes" else self._masks.all & ~alike & ~(1 << first[1])
        second = self._one(int(rnd.random() < 0.5), rnd, column, others)
        return None if second is None else Draft(answer, (first[0], second[0]))

    def numbers(self, kind: Kind, rnd: random.Random, pick: Pick) -> Draft | None:
        """Whether one group has as many, fewer or more members than another."""
        answer = pick(("yes", "no"))
        holds: dict[str, Callable[[int, int], bool]] = {
            "equal_integer": lambda a, b: a == b,
            "less_than": lambda a, b: a < b,
            "greater_than": lambda a, b: a > b,
        }
        drawn = [self._candidate(rnd) for _ in range(CANDIDATES)]
        pairs = [
            (one, other)
            for one, mine in drawn
            for other, theirs in drawn
            if one != other
            and one.description != other.description
            and mine | theirs
            and holds[kind](mine.bit_count(), theirs.bit_count()) == (answer == "yes")
        ]
        return Draft(answer, rnd.choice(pairs)) if pairs else None

    def _one(
        self, hops: int, rnd: random.Random, unnamed: int | None = None, among: int | None = None
    ) -> tuple[Group, int] | None:
        """A group of one object at the end of `hops` relations, each of them needed; and that object."""
        allowed = self._masks.all if among is None else among
        origin: Origin = None
        inside = self._masks.all
        if hops:
            found = self._one(hops - 1, rnd)
            if found is None:
                return None
            direction: Direction = rnd.choice(DIRECTIONS)
            origin = Side(direction, found[0])
            inside = self._masks.side(direction, found[1])
        targets = list(bits(inside & allowed))
        if not targets:
            return None
        index = rnd.choice(targets)
        names = [
            description
            for description, fits in self._masks.names[index]
            if (fits & inside).bit_count() == 1
            and (hops == 0 or fits & ~inside)
            and (unnamed is None or description[unnamed] is None)
            and (hops or description != BARE)
        ]
        return (Group(rnd.choice(names), origin), index) if names else None

    def _candidate(self, rnd: random.Random, unnamed: int | None = None) -> tuple[Group, int]:
        """A group of any size, on one side of an object or anywhere; and its mask."""
        found = self._one(0, rnd) if rnd.random() < 0.4 else None
        description = self._some(rnd, rnd.choices((1, 2, 3), (0.35, 0.45, 0.2))[0], unnamed)
        if found is None:
            return Group(description), self._masks.fitting(description)
        direction = rnd.choice(DIRECTIONS)
        inside = self._masks.side(direction, found[1])
        return Group(description, Side(direction, found[0])), inside & self._masks.fitting(description)

    def _some(self, rnd: random.Random, named: int, unnamed: int | None = None) -> Description:
        """A description of an object, or now and then of none, that names so many attributes."""
        columns = rnd.sample([c for c in range(4) if c != unnamed], named)
        item = rnd.choice(self._masks.objects)
        if rnd.random() < 0.1:
            column = rnd.choice(columns)
            item = (*item[:column], rnd.choice(VALUES[ATTRIBUTES[column]]), *item[column + 1 :])  # type: ignore[assignment]
        return _keep(item, columns)

    def _final(
        self,
        kind: Kind,
        origin: Origin,
        inside: int,
        needed: Sequence[int],
        decoys: int,
        rnd: random.Random,
        pick: Pick,
        unnamed: int | None = None,
    ) -> Draft | None:
        """What is asked of the objects `inside` an origin.

        `needed` are the masks of its parts: without any of them the answer of a count or a query must
        change. `decoys` may fit a description that nothing inside fits.
        """
        outside = decoys & ~inside
        if origin is not None and not outside:
            return None  # the relation leaves nothing out
        if kind == "exist":
            return self._exist(origin, inside, outside, rnd, pick, unnamed)
        if kind == "count":
            return self._count(origin, inside, outside, needed, rnd, pick, unnamed)
        return self._query(kind, origin, inside, needed, rnd, pick, unnamed)

    def _exist(
        self,
        origin: Origin,
        inside: int,
        outside: int,
        rnd: random.Random,
        pick: Pick,
        unnamed: int | None,
    ) -> Draft | None:
        # The attributes named are fixed before the answer is: else 'are there any cubes' would nearly always
        # mean yes.
        columns = self._columns(rnd, unnamed, bare=origin is not None)
        absent = self._absent(inside, outside, columns, rnd)
        if absent is None or not inside:
            return None
        answer = pick(("yes", "no"))
        item = self._masks.objects[rnd.choice(list(bits(inside)))]
        return Draft(answer, (Group(_keep(item, columns) if answer == "yes" else absent, origin),))

    def _count(
        self,
        origin: Origin,
        inside: int,
        outside: int,
        needed: Sequence[int],
        rnd: random.Random,
        pick: Pick,
        unnamed: int | None,
    ) -> Draft | None:
        by_count: dict[int, list[Description]] = defaultdict(list)
        seen: set[Description] = set()
        for index in bits(inside):
            for description, fits in self._masks.names[index]:
                if description in seen or (unnamed is not None and description[unnamed] is not None):
                    continue
                seen.add(description)
                if self._all_needed(fits, inside, needed):
                    by_count[(fits & inside).bit_count()].append(description)
        most = len(self._masks.objects)
        if by_count[most] == [BARE] and rnd.random() > BARE_COUNT_CHANCE:
            del by_count[most]
        absent = self._absent(inside, outside, self._columns(rnd, unnamed), rnd)
        if absent is not None:
            by_count[0] = [absent]
        offered = [str(count) for count in sorted(by_count) if by_count[count]]
        if not offered:
            return None
        answer = pick(offered)
        return Draft(answer, (Group(rnd.choice(by_count[int(answer)]), origin),))

    def _query(
        self,
        kind: Kind,
        origin: Origin,
        inside: int,
        needed: Sequence[int],
        rnd: random.Random,
        pick: Pick,
        unnamed: int | None,
    ) -> Draft | None:
        column = ATTRIBUTES.index(kind.removeprefix("query_"))
        by_value: dict[str, list[Description]] = defaultdict(list)
        for index in bits(inside):
            by_value[self._masks.objects[index][column]] += [
                description
                for description, fits in self._masks.names[index]
                if description[column] is None
                and (unnamed is None or description[unnamed] is None)
                and (fits & inside).bit_count() == 1
                and (origin is not None or description != BARE)
                and self._all_needed(fits, inside, needed)
            ]
        values = [value for value in VALUES[ATTRIBUTES[column]] if by_value.get(value)]
        if not values:
            return None
        answer = pick(values)
        return Draft(answer, (Group(rnd.choice(by_value[answer]), origin),))

    def _all_needed(self, fits: int, inside: int, needed: Sequence[int]) -> bool:
        """Whether leaving out any part of an origin would let other objects in."""
        if len(needed) == 2:
            return bool(fits & needed[0] & ~inside) and bool(fits & needed[1] & ~inside)
        return not needed or bool(fits & ~inside)

    def _absent(
        self, inside: int, outside: int, columns: Sequence[int], rnd: random.Random
    ) -> Description | None:
        """A description over `columns` that nothing inside fits, as hard to refuse as can be, or None.

        With objects outside, one that fits one of them. Without, that of an object with one attribute changed
        to a value that another object has; failing that, to any value.
        """
        if outside:
            fitting = [_keep(self._masks.objects[i], columns) for i in bits(outside)]
            fitting = [d for d in fitting if not self._masks.fitting(d) & inside]
            return rnd.choice(fitting) if fitting else None
        if not columns:
            return None
        for seen in (True, False):
            base = rnd.choice(self._masks.objects)
            for column in rnd.sample(columns, len(columns)):
                held = sorted({item[column] for item in self._masks.objects})
                values = held if seen else VALUES[ATTRIBUTES[column]]
                for value in rnd.sample(values, len(values)):
                    candidate = _keep((*base[:column], value, *base[column + 1 :]), columns)
                    if not self._masks.fitting(candidate) & inside:
                        return candidate
        return None

    def _columns(self, rnd: random.Random, unnamed: int | None, bare: bool = False) -> list[int]:
        if bare and rnd.random() < 0.1:
            return []
        free = [c for c in range(4) if c != unnamed]
        (amount,) = rnd.choices((1, 2, 3, 4), DETAIL)
        return rnd.sample(free, min(amount, len(free)))


def _keep(item: Sequence[str], columns: Sequence[int]) -> Description:
    """An object's values in some columns, None in the others."""
    size, color, material, shape = (item[column] if column in columns else None for column in range(4))
    return (size, color, material, shape)
