"""Money follows joules and time; what was not measured is called estimated."""

from __future__ import annotations

from pathlib import Path

import pytest

import edgeward
from edgeward.errors import BudgetExceeded, OptionError
from edgeward.service.cost import Ledger, Prices
from edgeward.service.energy import WATTS_PER_THREAD, Declared, Meter, Rapl, find_meter


def write(folder: Path, **files: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(f"{content}\n")
    return folder


def rapl(root: Path, energy: int, most: int = 1000) -> Path:
    zone = root / "powercap" / "intel-rapl:0"
    write(root / "powercap" / "intel-rapl:0:0", name="core", energy_uj=5, max_energy_range_uj=9)
    return write(zone, name="package-0", energy_uj=energy, max_energy_range_uj=most)


def test_a_price_is_energy_plus_time() -> None:
    prices = Prices(energy_kwh=0.36, device_hour=3.6)
    assert prices.of(joules=1e6, busy_ms=0) == pytest.approx(0.1)
    assert prices.of(joules=0, busy_ms=1000) == pytest.approx(0.001)


def test_counters_are_read_across_their_end(tmp_path: Path) -> None:
    zone = rapl(tmp_path, 900)
    meter = find_meter(1, None, tmp_path)
    assert isinstance(meter, Rapl)
    assert meter.counter() == 0
    write(zone, energy_uj=950)
    assert meter.counter() == pytest.approx(50e-6)
    write(zone, energy_uj=49)  # 1000 is its last value, 0 the next
    assert meter.counter() == pytest.approx(150e-6)


def test_a_battery_tells_only_while_it_is_used(tmp_path: Path) -> None:
    folder = tmp_path / "power_supply" / "BAT0"
    write(folder, type="Battery", status="Charging", power_now=7_000_000)
    assert find_meter(1, None, tmp_path).source == "estimated"
    write(folder, status="Discharging")
    meter = find_meter(1, None, tmp_path)
    assert (meter.source, meter.watts()) == ("battery", 7.0)


def test_a_battery_may_tell_current_and_voltage(tmp_path: Path) -> None:
    folder = tmp_path / "power_supply" / "BAT0"
    write(
        folder, type="Battery", status="Discharging", current_now=-500_000, voltage_now=12_000_000
    )
    assert find_meter(1, None, tmp_path).watts() == pytest.approx(6.0)


def test_a_jetson_board_tells_its_first_rail(tmp_path: Path) -> None:
    write(tmp_path / "hwmon" / "hwmon3", name="ina3221", in1_input=5000, curr1_input=1200)
    meter = find_meter(1, None, tmp_path)
    assert (meter.source, meter.watts()) == ("hwmon", pytest.approx(6.0))


def test_what_cannot_be_read_is_estimated_and_called_so(tmp_path: Path) -> None:
    zone = rapl(tmp_path, 900)
    write(zone, energy_uj="not a number")
    meter = find_meter(3, None, tmp_path)
    assert (meter.source, meter.watts()) == ("estimated", 3 * WATTS_PER_THREAD)


def test_a_declared_power_comes_first(tmp_path: Path) -> None:
    rapl(tmp_path, 900)
    assert find_meter(1, 5.5, tmp_path).watts() == 5.5


def ledger(meter: Meter) -> Ledger:
    return Ledger(meter, Prices(energy_kwh=3.6, device_hour=0))


def test_declared_watts_make_joules_of_busy_time() -> None:
    report = ledger(Declared(10)).charge(2000, 0.0, 4, None, 1e-6)
    assert report.joules == pytest.approx(20)
    assert report.total == pytest.approx(20e-6)
    assert report.per_token == pytest.approx(5e-6)
    assert report.energy_source == "estimated"
    assert not report.met


def test_counted_joules_are_taken_as_counted(tmp_path: Path) -> None:
    rapl(tmp_path, 900)
    report = ledger(find_meter(1, None, tmp_path)).charge(2000, 7.0, 1, None, None)
    assert (report.joules, report.energy_source) == (7.0, "rapl")


def test_sums_by_day_and_session_are_those_of_the_requests() -> None:
    books = ledger(Declared(10))
    for session in ("ada", "ada", None):
        books.charge(1000, 0.0, 5, session, None)
    assert books.session("ada").tokens == 10
    stats = books.stats()
    assert stats["all"]["requests"] == 3
    (day,) = stats["days"].values()
    assert day == stats["all"]
    books.forget("ada")
    assert books.session("ada").requests == 0


def test_the_power_seen_so_far_foretells_the_price() -> None:
    books = ledger(Declared(10))
    assert books.estimate(1000) == pytest.approx(10e-6)


def test_a_price_that_no_token_can_have_is_refused(service: edgeward.Service) -> None:
    with pytest.raises(BudgetExceeded, match="cost_per_token 1e-12, foretold"):
        service.generate("hello", cost_per_token=1e-12)
    assert service.generate("hello", cost_per_token=1, max_tokens=2).cost is not None


@pytest.mark.parametrize("value", [-1, float("nan"), "cheap"])
def test_wrong_prices_are_refused(value: float) -> None:
    with pytest.raises(OptionError, match="energy_kwh"):
        Prices(energy_kwh=value)
