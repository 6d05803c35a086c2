"""The client side of the Kirim protocol, version 1, written from docs/PROTOCOL.md alone.

It is a second opinion, not a product: one thread, clear over fast, nothing on disk. Comments with a § name the section
of PROTOCOL.md that a rule comes from.
"""
import collections
import hashlib
import hmac
import os
import random
import socket
import struct
import time

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class Malformed(Exception):
    """Bytes that do not follow the document."""


# Integers and fields (§0)

def varint(number):
    """RFC 9000 §16, in the shortest form."""
    for size, prefix in ((1, 0x00), (2, 0x40), (4, 0x80), (8, 0xC0)):
        if number < 1 << (8 * size - 2):
            encoded = bytearray(number.to_bytes(size, "big"))
            encoded[0] |= prefix
            return bytes(encoded)
    raise ValueError("too large for a varint")


def counted(data):
    return varint(len(data)) + data


class Reader:
    """Takes fields from the front of some bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def take(self, count):
        if count > self.left():
            raise Malformed("cut short")
        self.at += count
        return self.data[self.at - count:self.at]

    def rest(self):
        return self.take(self.left())

    def byte(self):
        return self.take(1)[0]

    def varint(self):
        first = self.byte()
        more = self.take((1 << (first >> 6)) - 1)
        return int.from_bytes(bytes([first & 0x3F]) + more, "big")

    def counted(self):
        return self.take(self.varint())

    def text(self):
        try:
            return self.counted().decode("utf-8")
        except UnicodeDecodeError as error:
            raise Malformed("not UTF-8") from error


# A codec writes a value to bytes and reads it back; frames and messages below are tables of them.
Codec = collections.namedtuple("Codec", "write read")

VARINT = Codec(varint, Reader.varint)
BYTE = Codec(lambda value: bytes([value]), Reader.byte)
TEXT = Codec(lambda value: counted(value.encode("utf-8")), Reader.text)
BYTES = Codec(counted, Reader.counted)
REST = Codec(bytes, Reader.rest)
TIME = Codec(lambda value: struct.pack(">q", value), lambda reader: struct.unpack(">q", reader.take(8))[0])


def fixed(size):
    def write(value):
        assert len(value) == size
        return bytes(value)
    return Codec(write, lambda reader: reader.take(size))


def fields(**codecs):
    """A dictionary with these keys, in this order."""
    def write(values):
        return b"".join(codec.write(values[name]) for name, codec in codecs.items())
    return Codec(write, lambda reader: {name: codec.read(reader) for name, codec in codecs.items()})


def many(codec):
    """A varint n, then n times the codec."""
    def read(reader):
        count = reader.varint()
        if count > reader.left():  # every item takes at least a byte: no count makes us work for nothing
            raise Malformed("more items than bytes")
        return [codec.read(reader) for _ in range(count)]
    return Codec(lambda items: varint(len(items)) + b"".join(map(codec.write, items)), read)


def choice(**codecs):
    """A byte that counts from 0 tells which of the named codecs follows; the value is (name, value)."""
    names = list(codecs)

    def write(value):
        return bytes([names.index(value[0])]) + codecs[value[0]].write(value[1])

    def read(reader):
        number = reader.byte()
        if number >= len(names):
            raise Malformed("unknown choice")
        return names[number], codecs[names[number]].read(reader)
    return Codec(write, read)


def optional(codec):
    """flag, and the value if it is 1."""
    both = choice(no=fields(), yes=codec)

    def read(reader):
        name, value = both.read(reader)
        return value if name == "yes" else None
    return Codec(lambda value: both.write(("no", {}) if value is None else ("yes", value)), read)


def _read_seq(reader):
    number = reader.varint()
    return None if number == 0 else number - 1


SEQ = Codec(lambda value: varint(0 if value is None else value + 1), _read_seq)


# Packets (§1)

SIZE = 1200
HELLO, CHALLENGE, OPEN, ACCEPT, RESET, DATA = 0xF8, 0xF9, 0xFA, 0xFB, 0xFC, 0xFD
VERSION = bytes.fromhex("00000001")
OPEN_ACCESS, PASSWORD, INVITATION = 0, 1, 2
NOISE1 = 1173


def is_grease(version):
    return all(byte & 0x0F == 0x0A for byte in version)


def grease_version():
    return bytes(byte & 0xF0 | 0x0A for byte in os.urandom(4))


def hello_packet(e, versions):
    packet = bytes([HELLO]) + e + bytes([len(versions)]) + b"".join(versions)
    return packet.ljust(SIZE, b"\0")


def open_packet(version, index, proof, noise1):
    packet = bytes([OPEN]) + version + bytes([index]) + proof + noise1
    assert len(packet) == SIZE
    return packet


Challenge = collections.namedtuple("Challenge", "e8 access versions server_key cookie")


def read_challenge(packet):
    reader = Reader(packet[1:])
    e8, access, count = reader.take(8), reader.byte(), reader.byte()
    versions = [reader.take(4) for _ in range(count)]
    challenge = Challenge(e8, access, versions, reader.take(32), reader.take(21))
    if reader.left() or not 1 <= count <= 16 or access > INVITATION:
        raise Malformed("challenge")
    return challenge


def read_reset(packet):
    if len(packet) != 25:
        raise Malformed("reset")
    return packet[1:9], packet[9:]


def proof(secret, kind, issued, rest):
    """§2 Proofs: only servers make them; here for the vectors."""
    head = struct.pack(">BI", kind, issued)
    return head + hmac.new(secret, head + rest, hashlib.sha256).digest()[:16]


def nonce(number):
    return bytes(4) + struct.pack("<Q", number)


def seal(key, header, number, plaintext):
    """A DATA packet; `header` is all that comes before the packet number."""
    header += struct.pack(">I", number)
    return header + ChaCha20Poly1305(key).encrypt(nonce(number), plaintext, header)


def unseal(key, header, packet):
    """(number, plaintext), or None when the packet is not authentic."""
    start = len(header) + 4
    if len(packet) < start + 16 or packet[:len(header)] != header:
        return None
    number = struct.unpack(">I", packet[len(header):start])[0]
    try:
        return number, ChaCha20Poly1305(key).decrypt(nonce(number), packet[start:], packet[:start])
    except InvalidTag:
        return None


# Keys and secrets (§2)

def private_key(data=None):
    return X25519PrivateKey.from_private_bytes(data) if data else X25519PrivateKey.generate()


def public(private):
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def diffie_hellman(private, other):
    return private.exchange(X25519PublicKey.from_public_bytes(other))


def password_key(password, server_key):
    return hashlib.scrypt(password.encode("utf-8"), salt=server_key, n=1 << 15, r=8, p=1, maxmem=1 << 26, dklen=32)


def _hmac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def hkdf(salt, secret, info, size=32):
    """RFC 5869."""
    key, block, out = _hmac(salt, secret), b"", b""
    while len(out) < size:
        block = _hmac(key, block + info + bytes([len(out) // 32 + 1]))
        out += block
    return out[:size]


def derived(server_private, label, context=b""):
    """§2 What a server derives from its static key; only servers do it, here for the vectors."""
    return hkdf(b"", server_private, b"kirim/1 kirim/1 " + label + b"\0" + context)


def invitation_secret(server_private, identity):
    return derived(server_private, b"invitation", identity)


def prologue(version, access, versions):
    """§2 Prologue; `versions` are those of CHALLENGE without grease, none when the proof is a token."""
    return b"kirim/1" + version + bytes([access, len(versions)]) + b"".join(versions)


class Noise:
    """Noise_IK(psk2)_25519_ChaChaPoly_SHA256, both sides (the responder only serves the vectors).

    IK:  <- s ... -> e, es, s, ss  <- e, ee, se[, psk]
    """

    def __init__(self, static, ephemeral, responder_key, prologue_bytes, psk=None):
        name = b"Noise_%s_25519_ChaChaPoly_SHA256" % (b"IKpsk2" if psk else b"IK")
        self.hash = name.ljust(32, b"\0") if len(name) <= 32 else hashlib.sha256(name).digest()
        self.chain, self.key, self.count = self.hash, None, 0
        self.static, self.ephemeral, self.psk = static, ephemeral, psk
        self.responder_key, self.remote_static, self.remote_ephemeral = responder_key, None, None
        self._mix_hash(prologue_bytes)
        self._mix_hash(responder_key)

    def _mix_hash(self, data):
        self.hash = hashlib.sha256(self.hash + data).digest()

    def _mix_key(self, data):
        out = hkdf(self.chain, data, b"", 64)
        self.chain, self.key, self.count = out[:32], out[32:], 0

    def _mix_psk(self):
        out = hkdf(self.chain, self.psk, b"", 96)
        self.chain = out[:32]
        self._mix_hash(out[32:64])
        self.key, self.count = out[64:], 0

    def _mix_ephemeral(self, e):
        self._mix_hash(e)
        if self.psk:  # Noise §9.2: with a psk, e is mixed into the key as well
            self._mix_key(e)

    def _encrypt(self, data):
        sealed = ChaCha20Poly1305(self.key).encrypt(nonce(self.count), data, self.hash)
        self.count += 1
        self._mix_hash(sealed)
        return sealed

    def _decrypt(self, sealed):
        data = ChaCha20Poly1305(self.key).decrypt(nonce(self.count), sealed, self.hash)
        self.count += 1
        self._mix_hash(sealed)
        return data

    def write1(self, payload):
        e = public(self.ephemeral)
        self._mix_ephemeral(e)
        self._mix_key(diffie_hellman(self.ephemeral, self.responder_key))
        s = self._encrypt(public(self.static))
        self._mix_key(diffie_hellman(self.static, self.responder_key))
        return e + s + self._encrypt(payload)

    def read1(self, message):
        self.remote_ephemeral = message[:32]
        self._mix_ephemeral(self.remote_ephemeral)
        self._mix_key(diffie_hellman(self.static, self.remote_ephemeral))
        self.remote_static = self._decrypt(message[32:80])
        self._mix_key(diffie_hellman(self.static, self.remote_static))
        return self._decrypt(message[80:])

    def write2(self, payload):
        e = public(self.ephemeral)
        self._mix_ephemeral(e)
        self._mix_key(diffie_hellman(self.ephemeral, self.remote_ephemeral))
        self._mix_key(diffie_hellman(self.ephemeral, self.remote_static))
        if self.psk:
            self._mix_psk()
        return e + self._encrypt(payload)

    def read2(self, message):
        """The payload, or None. Leaves the state as it was when it cannot be read: anybody can forge an ACCEPT."""
        saved = dict(self.__dict__)
        try:
            e = message[:32]
            self._mix_ephemeral(e)
            self._mix_key(diffie_hellman(self.ephemeral, e))
            self._mix_key(diffie_hellman(self.static, e))
            if self.psk:
                self._mix_psk()
            return self._decrypt(message[32:])
        except (InvalidTag, ValueError):
            self.__dict__.update(saved)
            return None

    def split(self):
        """(initiator to responder, responder to initiator)"""
        out = hkdf(self.chain, b"", b"", 64)
        return out[:32], out[32:]


# Parameters (§2)

MAX_ACK_DELAY, WINDOW_PARAMETER, IDLE, INVITATION_ID, LATER_ACK_DELAY = 1, 2, 3, 4, 5


def write_parameters(parameters):
    return b"".join(varint(number) + counted(value) for number, value in parameters)


def read_parameters(data):
    reader, found = Reader(data), {}
    while reader.left():
        number = reader.varint()
        if number:  # 0 is one byte of padding
            found[number] = reader.counted()
    return found


def parameter(parameters, number, default):
    return Reader(parameters[number]).varint() if number in parameters else default


def client_parameters(invitation_id=None):
    grease = 64 + random.randrange(1000), os.urandom(random.randrange(8))
    parameters = [(MAX_ACK_DELAY, varint(25)), (LATER_ACK_DELAY, varint(100)), (WINDOW_PARAMETER, varint(262_144)),
                  (IDLE, varint(1800)), grease]
    if invitation_id:
        parameters.append((INVITATION_ID, invitation_id))
    return write_parameters(parameters)


def message1_payload(parameters):
    return parameters.ljust(NOISE1 - 96, b"\0")


# Frames (§3)

FRAMES = {
    0x00: ("padding", fields()),
    0x01: ("ping", fields()),
    0x03: ("ack_now", fields()),
    0x04: ("ack_later", fields()),
    0x10: ("record", fields(stream=VARINT, number=VARINT, bytes=BYTES)),
    0x11: ("part", fields(stream=VARINT, number=VARINT, offset=VARINT, total=VARINT, bytes=BYTES)),
    0x12: ("record", fields(stream=VARINT, number=VARINT, bytes=REST)),
    0x13: ("part", fields(stream=VARINT, number=VARINT, offset=VARINT, total=VARINT, bytes=REST)),
    0x18: ("datagram", fields(bytes=BYTES)),
    0x20: ("window", fields(bytes=VARINT)),
    0x21: ("path_challenge", fields(data=fixed(8))),
    0x22: ("path_response", fields(data=fixed(8))),
    0x23: ("token", fields(token=fixed(21))),
    0x24: ("close", fields(code=VARINT, reason=TEXT)),
}
FRAME_TYPES = {name: number for number, (name, _) in reversed(FRAMES.items())}
DONE, RESTARTING, KICKED, BANNED, VIOLATION, TOO_SLOW, REPLACED, FULL = range(8)  # codes of CLOSE
UNASKING = ("padding", "ack", "close", "grease")  # these ask for no acknowledgement


def write_frame(name, /, type_byte=None, **values):
    number = FRAME_TYPES[name] if type_byte is None else type_byte
    return bytes([number]) + FRAMES[number][1].write(values)


def grease_frame(type_byte, data):
    return bytes([type_byte]) + counted(data)


def write_ack(ranges, delay):
    """`ranges` are (lowest, highest), the highest range first; RFC 9000 §19.3."""
    out = [ranges[0][1], delay, len(ranges) - 1, ranges[0][1] - ranges[0][0]]
    for (before, _), (low, high) in zip(ranges, ranges[1:]):
        out += [before - high - 2, high - low]
    return b"\x02" + b"".join(map(varint, out))


def read_ack(reader):
    largest, delay, count, first = (reader.varint() for _ in range(4))
    low = largest - first
    ranges = [(low, largest)]
    for _ in range(count):
        high = low - reader.varint() - 2
        low = high - reader.varint()
        ranges.append((low, high))
    if count >= 64 or low < 0:
        raise Malformed("ack")
    return {"ranges": ranges, "delay": delay}


def read_frames(plaintext):
    """A list of (name, values), without padding. The type is a byte, not a varint."""
    reader, frames = Reader(plaintext), []
    while reader.left():
        number = reader.byte()
        if number == 0x02:
            frames.append(("ack", read_ack(reader)))
        elif number in FRAMES:
            name, codec = FRAMES[number]
            frames.append((name, codec.read(reader)))
        elif number >= 0x40:
            frames.append(("grease", {"type": number, "bytes": reader.counted()}))
        else:
            raise Malformed("frame type %02x" % number)
    frames = [frame for frame in frames if frame[0] != "padding"]
    if not frames:
        raise Malformed("no frame")
    return frames


def padded(plaintext):
    return plaintext + bytes(-len(plaintext) % 16)


class ReceivedNumbers:
    """§3: the highest number and 1,023 below it: replay filter and source of ACKs in one."""
    ring = 1024

    def __init__(self):
        self.highest, self.marked, self.floor = -1, set(), 0

    def is_new(self, number):
        return number > self.highest - self.ring and number not in self.marked

    def mark(self, number):
        self.marked.add(number)
        if number > self.highest:
            self.highest = number
            if len(self.marked) > 2 * self.ring:
                self.marked = {n for n in self.marked if n > number - self.ring}

    def ranges(self, limit=32):
        """(lowest, highest) pairs, from the highest down; none below what the peer knows to be acknowledged."""
        low = max(self.floor, self.highest - self.ring + 1)
        ranges = []
        for number in sorted((n for n in self.marked if n >= low), reverse=True):
            if ranges and ranges[-1][0] == number + 1:
                ranges[-1][0] = number
            elif len(ranges) == limit:
                break
            else:
                ranges.append([number, number])
        return ranges


class Reassembly:
    """§3 Record streams: parts become records."""
    total_limit, hole_limit, small = 66_560, 256, 512

    def __init__(self, limit=262_144):
        self.limit, self.open = limit, collections.OrderedDict()
        self.finished = collections.deque(maxlen=1024)

    def part(self, stream, number, offset, total, data):
        """The whole record, once all its parts are there."""
        name = stream, number
        if total > self.total_limit or offset + len(data) > total:
            raise Malformed("part")
        if total < self.small or name in self.finished:
            return None
        buffer, holes = self.open.pop(name, None) or (bytearray(total), [(0, total)])
        if len(buffer) != total:
            raise Malformed("two totals")
        buffer[offset:offset + len(data)] = data
        holes = self._without(holes, offset, offset + len(data))
        if not holes:
            self.finished.append(name)
            return bytes(buffer)
        if len(holes) <= self.hole_limit:
            self.open[name] = buffer, holes
        self._forget_oldest()
        return None

    @staticmethod
    def _without(holes, start, end):
        left = [(low, min(high, start)) for low, high in holes] + [(max(low, end), high) for low, high in holes]
        return sorted((low, high) for low, high in left if low < high)

    def _forget_oldest(self):
        while len(self.open) > 1 and sum(len(buffer) for buffer, _ in self.open.values()) > self.limit:
            self.open.popitem(last=False)


# A connection: bytes in, bytes out, no socket and no clock (§3)

class Item:
    """A frame on its way. It is sent again in a new packet until one of its packets is acknowledged."""

    def __init__(self, data, asking=True, repeat=True, record=None):
        self.data, self.asking, self.repeat, self.record = data, asking, repeat, record
        self.acknowledged, self.queued = False, False


Sent = collections.namedtuple("Sent", "time items size ack_largest")


class Connection:
    plaintext_limit = (SIZE - 29) // 16 * 16
    congestion_window = 12_000  # the initial window, and it stays: loss recovery here is simple, not fast
    granularity = 0.001

    def __init__(self, send_key, receive_key, identity, index, reset_token, parameters, now):
        self.send_key, self.receive_key = send_key, receive_key
        self.identity, self.index, self.reset_token = identity, index, reset_token
        self.peer_ack_delay = min(parameter(parameters, MAX_ACK_DELAY, 25), 1000) / 1000
        self.peer_window = parameter(parameters, WINDOW_PARAMETER, 262_144)
        self.next_number, self.sent, self.queue = 0, {}, collections.deque()
        self.waiting, self.under_way = collections.deque(), {}
        self.received, self.reassembly = ReceivedNumbers(), Reassembly()
        self.unacknowledged, self.ack_at, self.largest_at, self.asked_later = 0, None, now, 0
        self.srtt, self.rttvar, self.silences = None, None, 0
        self.last_sent, self.last_heard, self.probes = now, now, 0
        self.largest_acked, self.closed, self.violation = -1, None, None

    # Receiving

    def receive(self, packet, now):
        """Events: the frames that the chat or the path cares for, as (name, values)."""
        opened = unseal(self.receive_key, bytes([DATA, self.index]), packet)
        if opened is None or not self.received.is_new(opened[0]):
            return []
        number, plaintext = opened
        gap = number != self.received.highest + 1
        if number > self.received.highest:
            self.largest_at = now
        self.received.mark(number)
        self.last_heard, self.silences = now, 0
        try:
            frames = read_frames(plaintext)
            events = [event for frame in frames for event in self._frame(*frame, now)]
        except Malformed as error:
            self.violation = error
            return []
        if any(name not in UNASKING for name, _ in frames):
            names = [name for name, _ in frames]
            self._owe_acknowledgement(len(packet), now, gap or "ack_now" in names, "ack_later" in names)
        return events

    def _owe_acknowledgement(self, size, now, at_once, later):
        limit, delay = (8_000, 0.1) if later else (2_000, 0.025)
        self.asked_later += later
        self.unacknowledged += size
        if at_once or self.unacknowledged >= limit:
            self.ack_at = now
        else:
            self.ack_at = now + delay if self.ack_at is None else min(self.ack_at, now + delay)

    def _frame(self, name, values, now):
        if name == "ack":
            self._acknowledged(values["ranges"], values["delay"] * 8e-6, now)
        elif name == "part":
            record = self.reassembly.part(values["stream"], values["number"], values["offset"], values["total"],
                                          values["bytes"])
            if record is not None:
                return [("record", {"stream": values["stream"], "number": values["number"], "bytes": record})]
        elif name == "window":
            self.peer_window = values["bytes"]
        elif name == "close":
            self.closed = values
            return [(name, values)]
        elif name not in ("ping", "ack_now", "ack_later", "grease"):
            return [(name, values)]
        return []

    # Acknowledgements and loss (RFC 9002, kept to what correctness needs)

    def _acknowledged(self, ranges, delay, now):
        if ranges[0][1] >= self.next_number:
            raise Malformed("acknowledges what was never sent")
        hit = sorted(n for n in self.sent if any(low <= n <= high for low, high in ranges))
        if hit and hit[-1] == ranges[0][1] and any(item.asking for item in self.sent[hit[-1]].items):
            self._sample(now - self.sent[hit[-1]].time, delay)
        for number in hit:
            sent = self.sent.pop(number)
            if sent.ack_largest is not None:  # the peer has seen that ACK: older ranges need not be sent again
                self.received.floor = max(self.received.floor, sent.ack_largest)
            for item in sent.items:
                self._delivered(item)
        self.largest_acked = max(self.largest_acked, ranges[0][1])
        self._find_lost(now)

    def _sample(self, latest, delay):
        if self.srtt is None:
            self.srtt, self.rttvar = latest, latest / 2
        else:
            latest = latest - delay if latest - delay > 0 else latest
            self.rttvar = 0.75 * self.rttvar + 0.25 * abs(self.srtt - latest)
            self.srtt = 0.875 * self.srtt + 0.125 * latest

    def _delivered(self, item):
        if item.acknowledged:
            return
        item.acknowledged = True
        if item.record in self.under_way:
            self.under_way[item.record][1].discard(item)
            if not self.under_way[item.record][1]:
                del self.under_way[item.record]

    def _find_lost(self, now):
        late = now - 1.125 * max(self.srtt or 0.333, self.granularity)
        lost = [n for n, sent in self.sent.items()
                if n <= self.largest_acked - 3 or n < self.largest_acked and sent.time < late]
        for number in sorted(lost, reverse=True):
            self._again(self.sent.pop(number))

    def _again(self, sent):
        for item in reversed(sent.items):
            if item.repeat and not item.acknowledged and not item.queued:
                item.queued = True
                self.queue.appendleft(item)

    def probe_timeout(self):
        srtt, rttvar = (self.srtt, self.rttvar) if self.srtt is not None else (0.333, 0.1665)
        pto = srtt + max(4 * rttvar, self.granularity) + self.peer_ack_delay
        return min(pto * 2 ** min(self.silences, 10), 8)

    def _asking(self):
        return [sent for sent in self.sent.values() if any(item.asking for item in sent.items)]

    def probe_at(self):
        asking = self._asking()
        return max(sent.time for sent in asking) + self.probe_timeout() if asking else None

    def _probe(self, now):
        at = self.probe_at()
        if at is None or now < at:
            return
        self.silences += 1
        self.probes = 2
        for number, sent in sorted(self.sent.items())[:8]:
            self._again(sent)
        if not self.queue:
            self.push(write_frame("ping"), repeat=False)

    # Sending

    def push(self, data, **options):
        item = Item(data, **options)
        item.queued = True
        self.queue.append(item)
        return item

    def send_record(self, stream, number, data):
        frame = write_frame("record", stream=stream, number=number, bytes=data)
        if len(frame) <= self.plaintext_limit - 200:  # leaves room for an ACK
            self.push(frame)
        else:
            self.waiting.append((stream, number, data))

    def _start_parts(self):
        """§3: the sum of the totals under way stays within the peer's window; one record is always allowed."""
        while self.waiting:
            stream, number, data = self.waiting[0]
            sum_under_way = sum(total for total, _ in self.under_way.values())
            if self.under_way and sum_under_way + len(data) > self.peer_window:
                return
            self.waiting.popleft()
            items = set()
            for offset in range(0, len(data), 900):
                frame = write_frame("part", stream=stream, number=number, offset=offset, total=len(data),
                                    bytes=data[offset:offset + 900])
                items.add(self.push(frame, record=(stream, number)))
            self.under_way[stream, number] = len(data), items

    def packets(self, now):
        self._probe(now)
        self._start_parts()
        if now - self.last_sent > 25:
            self.push(write_frame("ping"), repeat=False)
        out = []
        while (packet := self._next_packet(now)) is not None:
            out.append(packet)
        return out

    def _next_packet(self, now):
        parts, items, largest = [], [], None
        space = self.plaintext_limit
        if self.ack_at is not None and (now >= self.ack_at or self.queue):
            ranges = self.received.ranges()
            parts.append(write_ack(ranges, min(int((now - self.largest_at) / 8e-6), 1 << 20)))
            largest, space = ranges[0][1], space - len(parts[0])
            self.ack_at, self.unacknowledged = None, 0
        items = self._fill(space - 1)
        if any(item.record is not None or item.data[0] == 0x10 for item in items):
            parts.append(write_frame("ack_now"))  # §3 Bundling: the client asks for an ACK of its records
        parts += [item.data for item in items]
        return self.seal_packet(b"".join(parts), now, items, largest) if parts else None

    def _fill(self, space):
        items, in_flight = [], sum(sent.size for sent in self._asking())
        if self.probes:
            self.probes -= 1
        elif in_flight + SIZE > self.congestion_window:
            return items
        while self.queue and len(self.queue[0].data) <= space:
            item = self.queue.popleft()
            item.queued = False
            if not item.acknowledged:
                items.append(item)
                space -= len(item.data)
        return items

    def seal_packet(self, plaintext, now, items=(), ack_largest=None):
        """Also the way for tests to send a plaintext of their own."""
        number, self.next_number = self.next_number, self.next_number + 1
        packet = seal(self.send_key, bytes([DATA]) + self.identity, number, padded(plaintext))
        if items or ack_largest is not None:
            self.sent[number] = Sent(now, list(items), len(packet), ack_largest)
        self.last_sent = now
        return packet

    def deadline(self):
        moments = [self.last_sent + 25.001]
        moments += [at for at in (self.ack_at, self.probe_at()) if at is not None]
        return min(moments)


# Messages of the chat (§6)

MEMBER = fields(id=VARINT, key=fixed(32), name=TEXT)


def _write_plain(value):
    return bytes([4 if len(value["ip"]) == 4 else 6]) + value["ip"] + value.get("zone", b"") + value["port"]


def _read_plain(reader):
    family = reader.byte()
    if family == 4:
        return {"ip": reader.take(4), "port": reader.take(2)}
    if family == 6:
        return {"ip": reader.take(16), "zone": reader.take(4), "port": reader.take(2)}
    raise Malformed("plain author")


PLAIN_AUTHOR = Codec(_write_plain, _read_plain)
AUTHOR = choice(
    server=fields(),
    member=fields(id=VARINT, name=TEXT, post=optional(fields(outbox=fixed(8), number=VARINT))),
    plain=PLAIN_AUTHOR)
ROOM_ROW = fields(room=TEXT, members=VARINT, last=VARINT)
MEMBER_ROW = fields(member=MEMBER, presence=BYTE)
DECISION = fields(post=VARINT, decision=choice(accepted=fields(room=TEXT, sequence=VARINT), refused=BYTE))
BODY = dict(kind=BYTE, reference=SEQ, authored=TIME, text=TEXT)

MESSAGES = {
    0x01: ("hello", fields(name=optional(TEXT), outbox=fixed(8), agent=TEXT)),
    0x02: ("join", fields(room=TEXT)),
    0x03: ("leave", fields(room=TEXT)),
    0x04: ("create", fields(room=TEXT)),
    0x05: ("list_rooms", fields()),
    0x06: ("list_members", fields(room=TEXT)),
    0x07: ("subscribe", fields(stream=VARINT, room=TEXT, start=choice(after=VARINT, last=VARINT), until=SEQ)),
    0x08: ("unsubscribe", fields(stream=VARINT)),
    0x09: ("rename", fields(name=TEXT)),
    0x41: ("welcome", fields(id=VARINT, member=MEMBER, next_post=VARINT, server=TEXT, message_bytes=VARINT,
                             posts_in_flight=VARINT, post_bytes_in_flight=VARINT)),
    0x42: ("done", fields(id=VARINT)),
    0x43: ("refused", fields(id=VARINT, refusal=BYTE)),
    0x44: ("rooms", fields(id=VARINT, rooms=many(ROOM_ROW))),
    0x45: ("rooms_more", fields(id=VARINT, rooms=many(ROOM_ROW))),
    0x46: ("members", fields(id=VARINT, room=TEXT, members=many(MEMBER_ROW))),
    0x47: ("members_more", fields(id=VARINT, room=TEXT, members=many(MEMBER_ROW))),
    0x48: ("subscribed", fields(id=VARINT, stream=VARINT, room=TEXT, first=VARINT, last=VARINT)),
    0x49: ("decided", fields(posts=many(DECISION))),
    0x4A: ("postponed", fields(first=VARINT, refusal=BYTE, retry_ms=VARINT)),
    0x4B: ("renamed", fields(name=TEXT)),
    0x4C: ("removed", fields(room=TEXT, refusal=BYTE)),
    0x4D: ("joined", fields(room=TEXT)),
    0x81: ("presence", fields(presence=BYTE)),
    0x82: ("presence_of", fields(room=TEXT, member=VARINT, name=TEXT, presence=BYTE, online=VARINT)),
    0xA1: ("post", fields(room=TEXT, **BODY)),
    0xA2: ("entry", fields(received=TIME, author=AUTHOR, **BODY)),
}
MESSAGE_TYPES = {name: number for number, (name, _) in MESSAGES.items()}


def write_message(name, /, extensions=(), **values):
    number = MESSAGE_TYPES[name]
    return bytes([number]) + MESSAGES[number][1].write(values) + write_parameters(extensions)


def read_message(data):
    """(name, values); unknown extensions are skipped, but they have to be whole."""
    reader = Reader(data)
    number = reader.byte()
    if number not in MESSAGES:
        raise Malformed("message type %02x" % number)
    name, codec = MESSAGES[number]
    values = codec.read(reader)
    while reader.left():
        reader.varint()
        reader.counted()
    return name, values


# A link: socket, handshake, connection (§2 to §4)

class Link:
    """Connects, connects again, moves. Events gather in `events` as (name, values)."""

    def __init__(self, address, key=None, password=None, invitation=None, server_key=None, token=None, retry=1.0):
        self.address, self.key = address, key or private_key()
        self.password, self.invitation = password, invitation  # an invitation is (id, secret)
        self.server_key, self.access, self.token = server_key, OPEN_ACCESS, token
        self.retry, self.index, self.drop = retry, random.randrange(256), lambda outward: False
        self.state, self.connection, self.events = "idle", None, []
        self.handshakes, self.datagrams_in, self.stopped = 0, [], None
        self.comes_back, self.back_at = True, None
        self.socket = None
        self.take_socket()

    def take_socket(self):
        """§4: the old socket is gone; the connection goes on from the new one."""
        if self.socket:
            self.socket.close()
        self.socket = socket.socket(socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.connect(self.address)  # so DATA is taken only from the address that we send to

    def move(self):
        self.take_socket()
        self.connection.push(write_frame("ping"), repeat=False)
        self.connection.push(write_frame("ack_now"), repeat=False)

    # Handshake

    def connect(self):
        """Begins anew: with the token where there is one, otherwise with HELLO; always with a new e."""
        self.connection, self.back_at = None, None
        self.index = (self.index + 1) % 256
        self.ephemeral = private_key()
        self.handshakes += 1
        self.tries, self.hopeless = 0, 0
        self.by_token = bool(self.token and self.server_key)
        if self.by_token:
            self._open(self.token, [])
        else:
            self.state, self.packet = "hello", hello_packet(public(self.ephemeral), [grease_version(), VERSION])
        self._repeat_handshake(time.monotonic())

    def _repeat_handshake(self, now):
        if self.state == "open" and not self.hopeless and self.tries == (2 if self.by_token else 4):
            # §2: the access may have changed since the token was given, or the cookie has aged.
            self.token = None
            return self.connect()
        wait = min(self.retry * 2 ** self.tries, 8 * self.retry)
        self.repeat_at = now + wait * random.uniform(0.75, 1.25)
        self.tries += 1
        self.transmit(self.packet)

    def _shared_key(self):
        if self.access == PASSWORD:
            return password_key(self.password, self.server_key)
        return self.invitation[1] if self.access == INVITATION else None

    def _can_pass(self, access):
        return access == OPEN_ACCESS or bool(self.password if access == PASSWORD else self.invitation)

    def _open(self, proof_bytes, versions):
        self.noise = Noise(self.key, self.ephemeral, self.server_key, prologue(VERSION, self.access, versions),
                           self._shared_key())
        identity = self.invitation[0] if self.access == INVITATION else None
        noise1 = self.noise.write1(message1_payload(client_parameters(identity)))
        self.state, self.packet = "open", open_packet(VERSION, self.index, proof_bytes, noise1)
        self.hopeless = 0

    def _no_going_on(self, reason):
        """§2: it proves nothing, so only four sendings in a row that brought nothing else end it."""
        if self.hopeless < self.tries:
            self.hopeless += 1
        if self.hopeless >= 4:
            self.state, self.stopped = "stopped", reason

    def _on_challenge(self, packet, now):
        challenge = read_challenge(packet)
        if challenge.e8 != public(self.ephemeral)[:8]:
            return
        if self.state == "open":
            # To an OPEN by cookie it is, as a rule, the late answer to a repeated HELLO.
            if self.by_token:
                self.token = None
                self.connect()
            return
        if self.server_key and challenge.server_key != self.server_key:
            return self._no_going_on("another server key")
        if VERSION not in challenge.versions:
            return self._no_going_on("no common version")
        if not self._can_pass(challenge.access):
            return self._no_going_on("password" if challenge.access == PASSWORD else "invitation")
        self.server_key, self.access, self.tries = challenge.server_key, challenge.access, 0
        self._open(challenge.cookie, [v for v in challenge.versions if not is_grease(v)])
        self._repeat_handshake(now)

    def _on_accept(self, packet, now):
        if packet[1] != self.index or len(packet) < 2 + 32 + 45 + 16:
            return
        payload = self.noise.read2(packet[2:])
        if payload is None:
            return self._no_going_on("cannot read the answer")
        reader = Reader(payload)
        identity, reset_token, self.token = reader.take(8), reader.take(16), reader.take(21)
        self.parameters = read_parameters(reader.rest())
        send_key, receive_key = self.noise.split()
        self.connection = Connection(send_key, receive_key, identity, self.index, reset_token, self.parameters, now)
        self.state = "connected"
        self.events.append(("connected", {}))
        self.on_connected()

    def on_connected(self):
        pass

    # Packets

    def transmit(self, packet):
        if not self.drop(True):
            try:
                self.socket.send(packet)
            except OSError:  # nobody listens there at the moment: silence, as on any lossy path
                pass

    def _receive(self, packet, now):
        self.datagrams_in.append(packet)
        kind = packet[0] if packet else 0
        try:
            if kind == CHALLENGE and self.state in ("hello", "open"):
                self._on_challenge(packet, now)
            elif kind == ACCEPT and self.state == "open":
                self._on_accept(packet, now)
            elif kind == RESET and self.connection:
                self._on_reset(packet)
            elif kind == DATA and self.connection:
                self._on_data(packet, now)
        except Malformed:
            pass  # outside a connection nothing is ever answered with an error

    def _on_reset(self, packet):
        if read_reset(packet) == (self.connection.identity, self.connection.reset_token):
            self.state, self.connection = "reset", None
            self.events.append(("reset", {}))
            self._come_back(0)

    def _on_data(self, packet, now):
        connection = self.connection
        for name, values in connection.receive(packet, now):
            if name == "path_challenge":
                connection.push(write_frame("path_response", data=values["data"]), repeat=False)
            elif name == "token":
                self.token = values["token"]
            elif name == "close":
                self.state, self.connection = "closed", None
                if values["code"] not in (KICKED, BANNED):
                    self._come_back(1)
            if name == "record":
                self.on_record(values["stream"], values["number"], values["bytes"])
            elif name == "datagram":
                self.on_datagram(values["bytes"])
            else:
                self.events.append((name, values))
        if connection.violation:
            self.close(VIOLATION, str(connection.violation))

    def _come_back(self, wait):
        self.back_at = time.monotonic() + wait if self.comes_back else None

    def on_record(self, stream, number, data):
        pass

    def on_datagram(self, data):
        pass

    def close(self, code=0, reason=""):
        if self.connection:
            frame = write_frame("close", code=code, reason=reason)
            self.transmit(self.connection.seal_packet(frame, time.monotonic()))
        self.state, self.connection, self.back_at = "closed", None, None

    # Turns

    def step(self):
        now = time.monotonic()
        while True:
            try:
                packet = self.socket.recv(2048)
            except BlockingIOError:
                break
            except OSError:
                continue
            if not self.drop(False):
                self._receive(packet, now)
        self.tick(now)

    def tick(self, now):
        if self.back_at is not None and now >= self.back_at:
            self.connect()
        if self.state in ("hello", "open") and now >= self.repeat_at:
            self._repeat_handshake(now)
        if self.connection:
            for packet in self.connection.packets(now):
                self.transmit(packet)

    def deadline(self):
        if self.state in ("hello", "open"):
            return self.repeat_at
        if self.back_at is not None:
            return self.back_at
        return self.connection.deadline() if self.connection else float("inf")


# The chat over a link (§6)

class Outbox:
    """A device's own posts, numbered densely from 1. A real client keeps them, and the mark, on disk."""

    def __init__(self):
        self.number, self.posts, self.decided, self.mark = os.urandom(8), {}, {}, 0

    def renumber(self):
        """Another outbox number: what is undecided begins again at 1 there."""
        waiting = [self.posts[number] for number in self.undecided()]
        self.__init__()
        for record in waiting:
            self.add(record)

    def add(self, record):
        number = len(self.posts) + 1
        self.posts[number] = record
        return number

    def undecided(self):
        return [number for number in self.posts if number not in self.decided]


class Chat(Link):
    def __init__(self, address, name=None, outbox=None, **options):
        self.name, self.outbox = name, outbox or Outbox()
        self.logs = collections.defaultdict(dict)  # room -> sequence -> entry
        self.presences = []
        self._forget_connection()
        super().__init__(address, **options)

    # Requests

    def _forget_connection(self):
        """Numbers of control messages and streams begin anew with each connection."""
        self.next_request, self.answers, self.rooms_of_streams = 0, {}, {}
        self.control, self.next_control = {}, 0
        self.offered, self.hold_until, self.welcome = set(), 0, None

    def connect(self):
        self._forget_connection()
        super().connect()

    def on_connected(self):
        self.request("hello", name=self.name, outbox=self.outbox.number, agent="second/1")

    def request(self, name, /, **values):
        number, self.next_request = self.next_request, self.next_request + 1
        self.connection.send_record(0, number, write_message(name, **values))
        return number

    def subscribe(self, room, after=None, last=None, until=None):
        stream = 2 + len(self.rooms_of_streams)
        self.rooms_of_streams[stream] = room
        start = ("last", last) if last is not None else ("after", after or 0)
        return self.request("subscribe", stream=stream, room=room, start=start, until=until)

    def set_presence(self, presence):
        frame = write_frame("datagram", bytes=write_message("presence", presence=presence))
        self.connection.push(frame, repeat=False)

    def post(self, text, room="lobby", kind=0, reference=None, **more):
        record = write_message("post", room=room, kind=kind, reference=reference, text=text,
                               authored=int(time.time() * 1000), **more)
        return self.outbox.add(record)

    # Offering posts

    def tick(self, now):
        if self.state == "connected" and self.welcome and now >= self.hold_until:
            self._offer()
        super().tick(now)

    def _offer(self):
        """§6 Exactly once: in order, from the first undecided, within what welcome allows to be in flight."""
        undecided = self.outbox.undecided()
        in_flight = [n for n in undecided if n in self.offered]
        size = sum(len(self.outbox.posts[n]) for n in in_flight)
        for number in undecided[:self.welcome["posts_in_flight"]]:
            record = self.outbox.posts[number]
            if number in self.offered:
                continue
            if in_flight and size + len(record) > self.welcome["post_bytes_in_flight"]:
                break
            self.outbox.mark = max(self.outbox.mark, number)
            self.offered.add(number)
            in_flight.append(number)
            size += len(record)
            self.connection.send_record(1, number, record)

    # Answers

    def on_record(self, stream, number, data):
        if stream == 0:
            self._in_order(number, data)
        elif stream in self.rooms_of_streams:
            self.logs[self.rooms_of_streams[stream]].setdefault(number, read_message(data)[1])

    def _in_order(self, number, data):
        """Records come in any order and more than once; answers in parts make sense in the order of their numbers."""
        if number >= self.next_control:
            self.control[number] = data
        while self.next_control in self.control:
            name, values = read_message(self.control.pop(self.next_control))
            self.next_control += 1
            self._on_message(name, values)

    def _on_message(self, name, values):
        self.events.append((name, values))
        if "id" in values:
            self.answers.setdefault(values["id"], []).append((name, values))
        if name == "welcome":
            self._on_welcome(values)
        elif name == "decided":
            for post in values["posts"]:
                self.outbox.decided.setdefault(post["post"], post["decision"])
        elif name == "postponed":
            self.hold_until = time.monotonic() + values["retry_ms"] / 1000
            self.offered = {n for n in self.offered if n < values["first"]}

    def _on_welcome(self, values):
        """§6 The welcome's next post. What to do with the posts of another copy is left to the caller here."""
        self.name = values["member"]["name"]
        undecided = self.outbox.undecided()
        if values["next_post"] > self.outbox.mark + 1:
            self.events.append(("other_copy", {}))
            self.close()
        elif values["next_post"] < (undecided[0] if undecided else len(self.outbox.posts) + 1):
            self.events.append(("forgotten", {}))
            self.close()
        else:
            self.welcome = values

    def on_datagram(self, data):
        name, values = read_message(data)
        if name == "presence_of":
            self.presences.append(values)

    def answer(self, number):
        """The messages that answer a request, once the last is there."""
        messages = self.answers.get(number, [])
        return messages if messages and not messages[-1][0].endswith("_more") else None
