"""A broker of a few lines that does what mosquitto does not: refuses publications, announces limits, ends
connections for a topic, lets nobody stay. It keeps no sessions and delivers nothing."""

import socket
import struct
import threading

from mqtt_client import (CONNACK, CONNECT, DISCONNECT, PUBACK, PUBLISH, SUBACK, SUBSCRIBE, _length, _packet)

_UNSUBSCRIBE, _UNSUBACK, _PINGREQ, _PINGRESP = 10, 11, 12, 13


class ScriptedBroker:
    """`refuse(topic, payload)`: an MQTT 5 reason code for PUBACK, or 0. `drop(topic)`: True to end the
    connection instead of an answer. `limits`: MQTT 5 properties of CONNACK, as bytes."""

    def __init__(self, refuse=lambda topic, payload: 0, drop=lambda topic: False, limits=b""):
        self.refuse, self.drop, self.limits = refuse, drop, limits
        self.published = []       # (topic, payload, qos, retain) as they were taken
        self.attempts = []        # all topics, in order
        self.largest = 0          # packet
        self.most_unanswered = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        stream = connection.makefile("rb")
        version = 4
        try:
            while True:
                head = stream.read(1)
                if not head:
                    return
                size = shift = count = 0
                while True:
                    digit = stream.read(1)[0]
                    size |= (digit & 127) << shift
                    shift, count = shift + 7, count + 1
                    if digit < 128:
                        break
                body = stream.read(size)
                kind, flags = head[0] >> 4, head[0] & 15
                if kind == CONNECT:
                    version = body[6]
                    more = _length(len(self.limits)) + self.limits if version == 5 else b""
                    connection.sendall(_packet(CONNACK, 0, b"\0\0" + more))
                elif kind in (SUBSCRIBE, _UNSUBSCRIBE):
                    answer = SUBACK if kind == SUBSCRIBE else _UNSUBACK
                    connection.sendall(_packet(answer, 0, body[:2] + (b"\0" if version == 5 else b"")
                                               + b"\1"))
                elif kind == _PINGREQ:
                    connection.sendall(_packet(_PINGRESP, 0, b""))
                elif kind == DISCONNECT:
                    return
                elif kind == PUBLISH:
                    self.largest = max(self.largest, 1 + count + size)
                    if not self._take(connection, flags, body, version):
                        return
        except (OSError, IndexError, ValueError):
            pass
        finally:
            connection.close()

    def _take(self, connection, flags, body, version):
        length = struct.unpack_from("!H", body)[0]
        topic, at, qos = body[2:2 + length].decode(), 2 + length, flags >> 1 & 3
        packet_id = body[at:at + 2] if qos else b""
        at += 2 if qos else 0
        if version == 5:  # ours are short
            at += 1 + body[at]
        self.attempts.append(topic)
        if self.drop(topic):
            return False
        reason = self.refuse(topic, body[at:]) if version == 5 else 0
        if reason == 0:
            self.published.append((topic, body[at:], qos, bool(flags & 1)))
        if qos:
            connection.sendall(_packet(PUBACK, 0, packet_id + (bytes([reason, 0]) if reason else b"")))
        return True
