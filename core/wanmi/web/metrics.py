"""The node's figures for Prometheus. Imported with the first question for them: its library is not small."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from wanmi.query import cosigns, count_forks, count_quarantined, link_states, tally_cases
from wanmi.query.alarms import list_alarms, list_devices
from wanmi.registry import NodeContext

__all__ = ["CONTENT_TYPE_LATEST", "write_metrics"]

_LEVEL = {"fine": 0, "unknown": 1, "warn": 2, "bad": 3}


def write_metrics(node: NodeContext, answers: Mapping[tuple[str, str], int]) -> bytes:
    """Prometheus text; ``answers`` given over HTTP, by (method, status)."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(NodeCollector(node, answers))
    return generate_latest(registry)


class NodeCollector(Collector):
    """The node's figures, read when they are asked for."""

    def __init__(self, node: NodeContext, answers: Mapping[tuple[str, str], int]) -> None:
        self._node = node
        self._answers = answers

    def describe(self) -> Iterator[Metric]:
        """Nothing is read when the collector is registered."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """All metrics of the node."""
        yield from self._chains()
        yield from self._tables()
        yield from self._devices()
        yield from self._health()
        yield self._http()

    def _chains(self) -> Iterator[Metric]:
        held = GaugeMetricFamily("wanmi_chain_seq", "Entries of a chain that are durably held here", labels=["origin"])
        for origin, cursor in sorted(self._node.journal.cursors().items()):
            held.add_metric([origin], cursor.seq)
        yield held

    def _tables(self) -> Iterator[Metric]:
        with self._node.store.reader() as tx:
            signed, cases, links = cosigns(tx), tally_cases(tx), link_states(tx)
            forks, quarantined = count_forks(tx), count_quarantined(tx)
        cosigned = GaugeMetricFamily("wanmi_cosigned_seq", "Countersigned up to this entry", labels=["origin", "by"])
        for one in signed:
            cosigned.add_metric([one.origin, one.by], one.seq)
        at_stage = GaugeMetricFamily("wanmi_cases", "Cases by district and stage", labels=["district", "stage"])
        for tally in cases:
            at_stage.add_metric([tally.district, tally.stage], tally.cases)
        up = GaugeMetricFamily("wanmi_link_up", "1 when a parent holds the link to be up", labels=["by", "peer"])
        for link in links:
            up.add_metric([link.by, link.peer], int(link.up))
        yield from (cosigned, at_stage, up)
        yield GaugeMetricFamily("wanmi_forks", "Entries with evidence of a fork", value=forks)
        yield GaugeMetricFamily("wanmi_quarantined", "Entries that a projection could not take", value=quarantined)

    def _devices(self) -> Iterator[Metric]:
        with self._node.store.reader() as tx:
            devices, alarms = list_devices(tx), list_alarms(tx, "open")
        health = GaugeMetricFamily(
            "wanmi_device_health",
            "1 for the state that a device is in",
            labels=["edge", "device", "kind", "name", "state"],
        )
        for device in devices:
            health.add_metric([device.edge, device.device, device.kind, device.name, device.health], 1)
        open_ = GaugeMetricFamily(
            "wanmi_alarm_open",
            "1 for an alarm that stands or waits to be seen",
            labels=["edge", "device", "rule", "severity"],
        )
        for alarm in alarms:
            open_.add_metric([alarm.edge, alarm.device, alarm.rule, alarm.severity], 1)
        yield from (health, open_)

    def _health(self) -> Iterator[Metric]:
        """Each line's state, and its facts that are numbers: the ledger's, the intake's, the devices' and the links'."""
        state = GaugeMetricFamily("wanmi_health", "0 fine, 1 unknown, 2 warn, 3 bad", labels=["name"])
        facts = GaugeMetricFamily("wanmi_health_fact", "What a line of health counts", labels=["name", "fact"])
        for line in self._node.health():
            state.add_metric([line.name], _LEVEL[line.state])
            for fact, value in line.facts.items():
                if isinstance(value, int):
                    facts.add_metric([line.name, fact], value)
        yield from (state, facts)

    def _http(self) -> Metric:
        answers = CounterMetricFamily("wanmi_http_answers", "HTTP answers", labels=["method", "status"])
        for (method, status), count in sorted(self._answers.items()):
            answers.add_metric([method, status], count)
        return answers
