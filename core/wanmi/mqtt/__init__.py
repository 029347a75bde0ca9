"""MQTT 5 for nodes and terminals: a client with manual acknowledgements, a bounded window and an honest probe."""

from wanmi.mqtt.address import NOT_AUTHORIZED, Address, Session, read_address
from wanmi.mqtt.client import Message, MqttClient, ack_all

__all__ = ["NOT_AUTHORIZED", "Address", "Message", "MqttClient", "Session", "ack_all", "read_address"]
