"""What is made of paho's own types; paho is imported when it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wanmi.errors import NeedsExtra
from wanmi.mqtt.address import Address, Session

if TYPE_CHECKING:
    from paho.mqtt.client import Client
    from paho.mqtt.properties import Properties


def make_client(address: Address, session: Session) -> Client:
    """A client that stands as the session says; NeedsExtra without paho."""
    try:
        from paho.mqtt.client import Client, MQTTv5
        from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
    except ImportError as error:
        raise NeedsExtra("edge", "paho.mqtt") from error

    class Sending(Client):
        """paho looks through every message under way at each acknowledgement; here only when one waits behind them."""

        def _update_inflight(self) -> MQTTErrorCode:
            if self._inflight_messages >= len(self._out_messages):
                return MQTTErrorCode.MQTT_ERR_SUCCESS
            return super()._update_inflight()

    client = Sending(CallbackAPIVersion.VERSION2, client_id=session.client_id, protocol=MQTTv5, manual_ack=True)
    client.max_inflight_messages_set(session.in_flight)
    client.max_queued_messages_set(session.backlog)
    client.reconnect_delay_set(session.retry_min, session.retry_max)
    if session.will is not None:
        client.will_set(*session.will, qos=1, retain=True)
    if address.user is not None:
        client.username_pw_set(address.user, address.password)
    if address.tls:
        client.tls_set(ca_certs=str(address.ca) if address.ca else None)
    return client


def connect_properties(session: Session) -> Properties:
    """What a session says of itself when it connects."""
    properties = _properties("CONNECT")
    properties.SessionExpiryInterval = session.expiry
    properties.ReceiveMaximum = session.window
    properties.MaximumPacketSize = session.max_packet
    return properties


def publish_properties(content_type: str, expiry: int | None) -> Properties | None:
    """A message's content type and expiry (seconds); None when it has neither."""
    if not content_type and expiry is None:
        return None
    properties = _properties("PUBLISH")
    if content_type:
        properties.ContentType = content_type
    if expiry is not None:
        properties.MessageExpiryInterval = expiry
    return properties


def _properties(packet: str) -> Properties:
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    make: Callable[[int], Properties] = Properties
    return make(getattr(PacketTypes, packet))


def subscribe_options(qos: int) -> Any:
    """Subscribe with a quality of service."""
    from paho.mqtt.subscribeoptions import SubscribeOptions

    return SubscribeOptions(qos=qos)
