"""A small MQTT client for tests: 3.1.1 and 5, QoS 0 to 2, many publishes in flight.

It keeps what it sent until the broker has taken it over, so a test knows exactly which messages
the broker has. After a lost connection reconnect() goes on with the same session: what was not
acknowledged is sent again, in order, with DUP.
"""

import collections
import socket
import struct
import threading
import time

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, DISCONNECT = 8, 9, 14

Message = collections.namedtuple("Message", "topic payload qos retain duplicate user arrived")


class MqttError(Exception):
    pass


def _text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("!H", len(data)) + data


def _length(n):
    out = bytearray()
    while True:
        n, digit = n >> 7, n & 127
        out.append(digit | (128 if n else 0))
        if not n:
            return bytes(out)


def _packet(kind, flags, body):
    return bytes([kind << 4 | flags]) + _length(len(body)) + body


class MqttClient:
    """Thread-safe. `messages` holds what arrived, in order."""

    def __init__(self, port, client_id, version=4, clean=True, user=None, password=None,
                 max_inflight=1000):
        self.port, self.client_id, self.version, self.clean = port, client_id, version, clean
        self.user, self.password, self.max_inflight = user, password, max_inflight
        self.messages = []
        self.acknowledged = 0
        self._changed = threading.Condition()
        self._write = threading.Lock()
        # By packet id: (topic, payload, qos, retain).
        self._unacknowledged = collections.OrderedDict()
        self._released = collections.OrderedDict()        # QoS 2: PUBREC came, PUBCOMP not yet
        self._incoming = set()                            # QoS 2 received, PUBREL not yet
        self._next_id = 0
        self._granted = {}
        self._connack = None
        self.session_present = False
        self._alive = False
        self._socket = None
        self.connect()

    # --- connection ---

    def connect(self, timeout=20):
        self._socket = socket.create_connection(("127.0.0.1", self.port), timeout)
        self._socket.settimeout(None)
        self._connack, self._alive = None, True
        threading.Thread(target=self._read_all, args=(self._socket,), daemon=True).start()
        flags = (2 if self.clean else 0) | (128 if self.user else 0) | (64 if self.password else 0)
        body = _text("MQTT") + bytes([self.version, flags]) + struct.pack("!H", 0)
        if self.version == 5:  # session expiry: never, unless clean
            body += _length(0) if self.clean else _length(5) + b"\x11\xff\xff\xff\xff"
        body += _text(self.client_id)
        body += _text(self.user) if self.user else b""
        body += _text(self.password) if self.password else b""
        self._send(_packet(CONNECT, 0, body))
        self._wait(lambda: self._connack is not None or not self._alive, timeout, "CONNACK")
        if self._connack != 0:
            raise MqttError(f"connection refused: {self._connack}")

    def reconnect(self, timeout=30):
        """Connects again, trying until the broker is there, and resends what it does not have."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.connect()
                break
            except (OSError, MqttError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        with self._changed:
            waiting = list(self._unacknowledged.items())
            released = list(self._released)
        for packet_id, entry in waiting:
            self._send_publish(packet_id, entry, duplicate=True)
        for packet_id in released:
            self._send(_packet(PUBREL, 2, struct.pack("!H", packet_id)))

    @property
    def connected(self):
        return self._alive

    def close(self):
        try:
            self._send(_packet(DISCONNECT, 0, b""))
        except OSError:
            pass
        self._shut()

    def _shut(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- publishing ---

    def publish(self, topic, payload, qos=1, retain=False, timeout=60):
        """Returns once sent; blocks while max_inflight are unacknowledged. A lost connection raises
        OSError; with QoS 1 and 2 the message is then in flight and reconnect() sends it."""
        payload = payload.encode() if isinstance(payload, str) else payload
        entry = (topic, payload, qos, retain)
        if qos == 0:
            self._send_publish(0, entry)
            return
        with self._changed:
            full = lambda: len(self._unacknowledged) + len(self._released) >= self.max_inflight
            if not self._changed.wait_for(lambda: not full() or not self._alive, timeout):
                raise MqttError("the broker does not acknowledge")
            self._next_id = self._next_id % 65535 + 1
            packet_id = self._next_id
            self._unacknowledged[packet_id] = entry
            if not self._alive:
                raise ConnectionError("connection lost")
        self._send_publish(packet_id, entry)

    def flush(self, timeout=60):
        """Waits until the broker has everything."""
        self._wait(lambda: not self._unacknowledged and not self._released or not self._alive,
                   timeout, "acknowledgements")
        if self._unacknowledged or self._released:
            raise ConnectionError("connection lost")

    def _send_publish(self, packet_id, entry, duplicate=False):
        topic, payload, qos, retain = entry
        body = _text(topic) + (struct.pack("!H", packet_id) if qos else b"")
        body += _length(0) if self.version == 5 else b""
        flags = (8 if duplicate else 0) | qos << 1 | int(retain)
        self._send(_packet(PUBLISH, flags, body + payload))

    # --- subscribing ---

    def subscribe(self, topic_filter, qos=1, timeout=20):
        with self._changed:
            self._next_id = self._next_id % 65535 + 1
            packet_id = self._next_id
        body = struct.pack("!H", packet_id) + (_length(0) if self.version == 5 else b"")
        self._send(_packet(SUBSCRIBE, 2, body + _text(topic_filter) + bytes([qos])))
        self._wait(lambda: packet_id in self._granted or not self._alive, timeout, "SUBACK")
        if self._granted.get(packet_id, 128) > 2:
            raise MqttError(f"subscription to {topic_filter} refused")

    def wait_messages(self, count, timeout=30, match=lambda m: True):
        """Waits for `count` messages that match; returns them."""
        found = lambda: sum(1 for m in self.messages if match(m)) >= count
        self._wait(found, timeout, f"{count} messages")
        return [m for m in self.messages if match(m)]

    # --- reading ---

    def _wait(self, condition, timeout, what):
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise TimeoutError(f"{self.client_id}: no {what} within {timeout} s")

    def _send(self, data):
        with self._write:
            self._socket.sendall(data)

    def _read_all(self, connection):
        stream = connection.makefile("rb")
        try:
            while True:
                head = stream.read(1)
                if not head:
                    break
                size, shift = 0, 0
                while True:
                    digit = stream.read(1)[0]
                    size |= (digit & 127) << shift
                    shift += 7
                    if digit < 128:
                        break
                self._handle(head[0] >> 4, head[0] & 15, stream.read(size))
        except (OSError, IndexError, ValueError, struct.error):
            pass  # cut off: what is unacknowledged stays so
        with self._changed:
            if connection is self._socket:
                self._alive = False
            self._changed.notify_all()

    def _handle(self, kind, flags, body):
        if kind == PUBLISH:
            self._handle_publish(flags, body)
            return
        if kind == CONNACK:
            with self._changed:
                self.session_present = bool(body[0] & 1)
                self._connack = body[1]
                self._changed.notify_all()
            return
        packet_id = struct.unpack_from("!H", body)[0] if len(body) >= 2 else 0
        if kind == PUBREL:
            self._incoming.discard(packet_id)
            self._send(_packet(PUBCOMP, 0, struct.pack("!H", packet_id)))
            return
        with self._changed:
            if kind == SUBACK:
                self._granted[packet_id] = body[-1]
            elif kind == PUBREC:
                if self._unacknowledged.pop(packet_id, None):
                    self._released[packet_id] = True
            elif kind == PUBACK:
                self.acknowledged += self._unacknowledged.pop(packet_id, None) is not None
            elif kind == PUBCOMP:
                self.acknowledged += self._released.pop(packet_id, None) is not None
            self._changed.notify_all()
        if kind == PUBREC:
            self._send(_packet(PUBREL, 2, struct.pack("!H", packet_id)))

    def _handle_publish(self, flags, body):
        arrived = time.monotonic()
        qos = flags >> 1 & 3
        size = struct.unpack_from("!H", body)[0]
        topic, at, packet_id, user = body[2:2 + size].decode(), 2 + size, 0, {}
        if qos:
            packet_id = struct.unpack_from("!H", body, at)[0]
            at += 2
        if self.version == 5:
            user, at = _user_properties(body, at)
        repeated = qos == 2 and packet_id in self._incoming
        if not repeated:
            message = Message(topic, body[at:], qos, bool(flags & 1), bool(flags & 8), user,
                              arrived)
            with self._changed:
                self.messages.append(message)
                self._changed.notify_all()
        if qos == 2:
            self._incoming.add(packet_id)
        if qos:
            self._send(_packet(PUBACK if qos == 1 else PUBREC, 0, struct.pack("!H", packet_id)))


# Sizes of the MQTT 5 properties a broker can put on a PUBLISH; 0: a string or binary.
_PROPERTY_SIZES = {0x01: 1, 0x02: 4, 0x03: 0, 0x08: 0, 0x09: 0, 0x23: 2}


def _user_properties(body, at):
    """The user properties of an MQTT 5 PUBLISH, and where its payload begins."""
    size = shift = 0
    while True:
        digit = body[at]
        at += 1
        size |= (digit & 127) << shift
        shift += 7
        if digit < 128:
            break
    end, user = at + size, {}
    while at < end:
        kind = body[at]
        at += 1
        texts = []
        if kind == 0x0B:  # subscription identifier: a variable length integer
            while body[at] >= 128:
                at += 1
            at += 1
            continue
        if _PROPERTY_SIZES.get(kind, 0):
            at += _PROPERTY_SIZES[kind]
            continue
        for _ in range(2 if kind == 0x26 else 1):
            length = struct.unpack_from("!H", body, at)[0]
            texts.append(body[at + 2:at + 2 + length].decode())
            at += 2 + length
        if kind == 0x26:
            user[texts[0]] = texts[1]
    return user, end
