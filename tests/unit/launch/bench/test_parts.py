"""Every bench that starts no process, in its shortest form: real parts, and references that do the same."""

from launch.bench import decode, emulator, encode, maps, wire
from launch.bench.line import Line
from launch.bench.order import Order
from launch.bench.testbed import Runs


def order(runs: Runs) -> Order:
    return Order(runs, seed=3, rounds=1)


def by_name(lines: list[Line]) -> dict[str, Line]:
    assert all(line.value.median > 0 for line in lines)
    return {line.name: line for line in lines}


def test_decoding_and_transformers_say_the_same(no_runs: Runs) -> None:
    sizes = decode.Sizes(pictures=1, tokens=6, together=2, least_s=0.0)
    lines = by_name(decode.bench(order(no_runs), sizes))
    assert lines["decode.one"].note == "same tokens"
    assert lines["decode.together"].note.endswith("same tokens")
    assert lines["decode.one"].target is not None
    assert decode.compared([[1, 2], [3]], [[1, 2], [4]]) == "other tokens in 1 of 2 answers"


def test_encoding_a_group_and_each_user_alone_gives_the_same(no_runs: Runs) -> None:
    lines = by_name(encode.bench(order(no_runs), encode.Sizes(users=4, images=(2,), least_s=0.0)))
    assert lines["encode.4over2"].note == "same tokens"


def test_the_emulator_sends_every_receiver_a_frame(no_runs: Runs) -> None:
    sizes = emulator.Sizes(receivers=(1, 3), uses=(64, 256), least_s=0.0)
    lines = by_name(emulator.bench(order(no_runs), sizes))
    aimed = [name for name, line in lines.items() if line.target is not None]
    assert aimed == [
        "emulator.awgn.1x256.noise",
        "emulator.awgn.1x256.sionna",
        "emulator.awgn.3x256.noise",
        "emulator.awgn.3x256.sionna",
    ]
    assert "emulator.rayleigh.3x64.noise" in lines


def test_index_maps_and_messages_have_lines(no_runs: Runs) -> None:
    lines = by_name(
        [*maps.bench(order(no_runs), maps.Sizes(0.0)), *wire.bench(order(no_runs), wire.Sizes(0.0))]
    )
    assert lines["maps.shared.bytes"].value.median == 8  # 58 bits, as `shared.index_map` says
    assert set(lines) >= {"maps.pieces", "wire.frame", "wire.public", "wire.answer"}
