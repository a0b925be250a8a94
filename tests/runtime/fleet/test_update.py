"""A device follows its channel: fetches what changed, keeps the version before, goes back."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import channel_server
import pytest
from channel_packs import NAME, Publisher, in_use

import edgeward
from edgeward import store
from edgeward.errors import ChannelError, OptionError
from edgeward.fleet import rollback, update
from edgeward.fleet.device import choose, device_id, share_of
from edgeward.quantize.publish import withdraw

pytestmark = pytest.mark.usefixtures("home")


def test_a_new_device_gets_the_model_and_runs_it(publisher: Publisher) -> None:
    publisher.publish("1")
    with channel_server.serving(publisher.channel) as server:
        (outcome,) = update(NAME, channel=server.url, key=publisher.public)
        assert (outcome.action, outcome.pack, outcome.ok) == ("updated", publisher.sha("1"), True)
        assert server.connections == 1  # one connection for all pieces
        assert all(times == 1 for times in server.asked.values())
    assert in_use() == publisher.sha("1")
    with edgeward.load(NAME, threads=1) as model:
        assert model.info.pack_sha256 == publisher.sha("1")
        assert model.generate("the", max_tokens=2).usage.completion_tokens > 0


def test_a_changed_pack_fetches_changed_pieces_only(publisher: Publisher) -> None:
    publisher.publish("1")
    with channel_server.serving(publisher.channel) as server:
        update(NAME, channel=server.url, key=publisher.public)
        publisher.publish("2")
        server.asked.clear()
        (outcome,) = update()  # channel and key are remembered
        assert (outcome.action, in_use()) == ("updated", publisher.sha("2"))
        assert server.pieces() == 2  # the manifest and the card
        assert outcome.tally.fetched < 20_000 < outcome.tally.reused
        server.asked.clear()
        assert update(NAME)[0].action == "current"
        assert list(server.asked) == ["index.json"]


def test_the_version_before_is_kept_and_older_ones_are_not(
    publisher: Publisher, home: Path
) -> None:
    for which in ("1", "2", "3"):
        publisher.publish(which)
        update(NAME, channel=str(publisher.channel), key=publisher.public)
    versions = {p.name for p in (home / "fleet/models" / NAME / "versions").iterdir()}
    assert versions == {publisher.sha("2"), publisher.sha("3")}


def test_rollback_needs_no_channel_and_is_not_undone_by_the_next_update(
    publisher: Publisher,
) -> None:
    for which in ("1", "2"):
        publisher.publish(which)
        update(NAME, channel=str(publisher.channel), key=publisher.public)
    hidden = publisher.channel.rename(publisher.channel.with_name("away"))
    assert rollback(NAME).pack == publisher.sha("1") == in_use()
    with pytest.raises(ChannelError, match="no version of 'tiny' before"):
        rollback(NAME)
    hidden.rename(publisher.channel)
    (outcome,) = update(NAME)
    assert (outcome.action, outcome.reason) == ("refused", "rolled back by hand")
    assert in_use() == publisher.sha("1")
    assert update(NAME, retry=True)[0].action == "updated"
    assert in_use() == publisher.sha("2")


def test_wrong_answers_to_stored_prompts_are_never_used(publisher: Publisher) -> None:
    publisher.publish("1")
    update(NAME, channel=str(publisher.channel), key=publisher.public)
    publisher.publish("bad")
    (outcome,) = update(NAME)
    assert (outcome.action, outcome.ok, outcome.pack) == ("refused", False, publisher.sha("1"))
    assert "answers stored prompt 0 otherwise" in outcome.reason
    assert in_use() == publisher.sha("1")
    assert update(NAME)[0].action == "refused"  # and not fetched again
    publisher.publish("3")
    assert update(NAME)[0].action == "updated"


def test_the_gate_decides_and_is_remembered(publisher: Publisher, tmp_path: Path) -> None:
    script = tmp_path / "gate.py"
    script.write_text(
        "import os, pathlib, sys\n"
        "card = pathlib.Path(os.environ['EDGEWARD_PACK'], 'card.md').read_text()\n"
        "print('too chatty')\n"
        "sys.exit(3 if 'another' in card else 0)\n"
    )
    gate = f"'{sys.executable}' '{script}'"
    publisher.publish("1")
    channel = str(publisher.channel)
    assert update(NAME, channel=channel, key=publisher.public, gate=gate)[0].action == "updated"
    publisher.publish("2")
    (outcome,) = update()
    assert outcome.action == "refused"
    assert "ended with 3: too chatty" in outcome.reason
    assert in_use() == publisher.sha("1")
    assert update(retry=True, gate="")[0].action == "updated"


def test_a_gate_that_is_not_there_refuses_nothing_for_good(publisher: Publisher) -> None:
    publisher.publish("1")
    (outcome,) = update(
        NAME, channel=str(publisher.channel), key=publisher.public, gate="/nowhere/gate"
    )
    assert (outcome.action, outcome.pack) == ("failed", None)
    assert update(NAME, gate="")[0].action == "updated"
    with pytest.raises(OptionError, match="is no command"):
        update(NAME, gate="'")


def test_a_pulled_pack_becomes_the_version_before(publisher: Publisher, home: Path) -> None:
    shutil.copytree(publisher.packs["1"], home / "packs" / NAME)
    publisher.publish("2")
    (outcome,) = update(NAME, channel=str(publisher.channel), key=publisher.public)
    assert outcome.action == "updated"
    assert outcome.tally.fetched < 20_000  # the rest was there
    assert in_use() == publisher.sha("2")
    assert rollback(NAME).pack == publisher.sha("1") == in_use()


def test_a_withdrawn_release_takes_devices_back(publisher: Publisher) -> None:
    for which in ("1", "2"):
        publisher.publish(which)
        update(NAME, channel=str(publisher.channel), key=publisher.public)
    withdraw(NAME, publisher.channel, publisher.private)
    assert update(NAME)[0].action == "updated"
    assert in_use() == publisher.sha("1")
    with pytest.raises(ChannelError, match="no other release"):
        withdraw(NAME, publisher.channel, publisher.private)


def test_a_staged_release_reaches_its_share_and_keeps_it(publisher: Publisher, home: Path) -> None:
    publisher.publish("1")
    update(NAME, channel=str(publisher.channel), key=publisher.public)
    publisher.publish("2", rollout=0)
    assert update(NAME)[0].action == "current"
    device = device_id(home / "fleet")
    releases = _releases(publisher, rollout=5_000)
    mine = share_of(device, NAME, releases[0])
    publisher.publish("2", rollout=mine)
    assert update(NAME)[0].action == "current"  # just outside
    publisher.publish("2", rollout=mine + 1)
    assert update(NAME)[0].action == "updated"
    assert in_use() == publisher.sha("2")


def _releases(publisher: Publisher, rollout: int) -> list[edgeward.fleet.words.Release]:
    from edgeward.fleet import keys, sealed

    publisher.publish("2", rollout=rollout)
    raw = (publisher.channel / "index.json").read_bytes()
    return sealed.unseal(raw, keys.private_key(publisher.private).public_key(), "").models[NAME]


def test_shares_are_spread_evenly_and_grow_without_leaving_anyone(publisher: Publisher) -> None:
    publisher.publish("1")
    releases = _releases(publisher, rollout=1_000)
    devices = [f"{number:032x}" for number in range(4_000)]
    shares = [share_of(device, NAME, releases[0]) for device in devices]
    assert min(shares) >= 0
    assert max(shares) < 10_000
    in_it = [d for d, share in zip(devices, shares, strict=True) if share < 1_000]
    assert 330 < len(in_it) < 470  # of 400, five standard deviations
    assert all(choose(device, NAME, releases) == releases[0] for device in in_it)
    assert choose(devices[shares.index(max(shares))], NAME, releases) == releases[1]
    assert share_of(devices[0], "other", releases[0]) != shares[0]


def test_a_device_outside_of_the_only_release_waits(publisher: Publisher) -> None:
    publisher.publish("1", rollout=0)
    (outcome,) = update(channel=str(publisher.channel), key=publisher.public)
    assert (outcome.action, outcome.pack, outcome.ok) == ("waiting", None, False)


def test_offline_the_version_in_use_stays(publisher: Publisher) -> None:
    publisher.publish("1")
    with channel_server.serving(publisher.channel) as server:
        update(NAME, channel=server.url, key=publisher.public)
    (outcome,) = update()
    assert (outcome.action, outcome.ok) == ("offline", True)
    assert "Connection refused" in outcome.reason
    assert in_use() == publisher.sha("1")


def test_what_was_loaded_before_an_update_goes_on(publisher: Publisher) -> None:
    publisher.publish("1")
    update(NAME, channel=str(publisher.channel), key=publisher.public)
    with edgeward.load(NAME, threads=1) as model:
        before = model.generate("the", max_tokens=4, temperature=0).text
        for which in ("2", "3"):
            publisher.publish(which)
            update(NAME)
        assert model.generate("the", max_tokens=4, temperature=0).text == before


def test_only_one_update_at_a_time(publisher: Publisher, home: Path) -> None:
    from edgeward.fleet.files import locked

    with (
        locked(home / "fleet" / "lock", "mine"),
        pytest.raises(ChannelError, match="another `edgeward update` runs"),
    ):
        update(NAME, channel=str(publisher.channel), key=publisher.public)


def test_what_was_asked_wrongly_is_said(publisher: Publisher) -> None:
    publisher.publish("1")
    channel = str(publisher.channel)
    with pytest.raises(OptionError, match="give its public key with --key"):
        update(NAME, channel=channel)
    with pytest.raises(OptionError, match="no channel is known here"):
        update()
    with pytest.raises(OptionError, match="'tiny' has no channel yet"):
        update(NAME)
    with pytest.raises(OptionError, match="cannot name a pack"):
        update("../x", channel=channel, key=publisher.public)
    with pytest.raises(OptionError, match="keep that off devices"):
        update(NAME, channel=channel, key=publisher.private)
    with pytest.raises(OptionError, match="http:// or https://"):
        update(NAME, channel="ftp://models.example.com", key=publisher.public)
    with pytest.raises(OptionError, match="scheme, host, port and path only"):
        update(NAME, channel="https://a:b@models.example.com/", key=publisher.public)
    (outcome,) = update("other", channel=channel, key=publisher.public)
    assert outcome.action == "failed"
    assert "has no 'other'; it has tiny" in outcome.reason
    with pytest.raises(edgeward.errors.PackError):
        store.find(NAME)
