#!/usr/bin/python3
"""Frozen bytes of the protocol: vectors.py check (the default), vectors.py write.

vectors.json is a list of items: `kind` names a function below, `description` says what it shows, `inputs` and `outputs`
are named values: bytes as lower-case hex, numbers as numbers, text as text. Whoever computes the outputs of every item
from its inputs speaks the same protocol. The keys are for tests only.
"""
import base64
import json
import os
import sys

sys.dont_write_bytecode = True  # the folder stays as it is

from kirim_protocol import *

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors.json")


# JSON and values

def plain(value):
    """Bytes become hex; tuples (choices) become lists."""
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def unhex(items):
    return [bytes.fromhex(item) for item in items]


# What each kind of item computes: keyword inputs (hex where bytes) -> outputs

def compute_varint(number):
    return {"bytes": varint(number)}


def compute_public_key(private):
    return {"public": public(private_key(bytes.fromhex(private)))}


def compute_prologue(version, access, versions):
    return {"prologue": prologue(bytes.fromhex(version), access, unhex(versions))}


def compute_hello(e, versions):
    return {"packet": hello_packet(bytes.fromhex(e), unhex(versions))}


def compute_challenge(packet):
    """Also the cookie echo: the client takes `cookie` as it is for the proof of OPEN."""
    return dict(read_challenge(bytes.fromhex(packet))._asdict())


def compute_open(version, client_index, proof, noise1):
    return {"packet": open_packet(bytes.fromhex(version), client_index, bytes.fromhex(proof), bytes.fromhex(noise1))}


def compute_accept(client_index, noise2):
    return {"packet": bytes([ACCEPT, client_index]) + bytes.fromhex(noise2)}


def compute_reset(packet):
    identity, token = read_reset(bytes.fromhex(packet))
    return {"connection_id": identity, "reset_token": token}


def compute_proof(secret, kind, issued, rest):
    return {"proof": proof(bytes.fromhex(secret), kind, issued, bytes.fromhex(rest))}


def compute_password_key(password, server_key):
    return {"shared_key": password_key(password, bytes.fromhex(server_key))}


def compute_derived(server_private, label, context):
    return {"secret": derived(bytes.fromhex(server_private), label.encode(), bytes.fromhex(context))}


def compute_invitation_secret(server_private, id):
    return {"secret": invitation_secret(bytes.fromhex(server_private), bytes.fromhex(id))}


def compute_invitation_text(text, server_private):
    padding = "=" * (-len(text) % 8)
    data = base64.b32decode(text.upper() + padding)
    assert data[12:] == invitation_secret(bytes.fromhex(server_private), data[:12])
    return {"id": data[:12], "secret": data[12:], "end_minutes": int.from_bytes(data[8:12], "big")}


def compute_parameters(parameters):
    return {"bytes": write_parameters([(number, bytes.fromhex(value)) for number, value in parameters])}


def compute_handshake(initiator_static, initiator_ephemeral, responder_static, responder_ephemeral, prologue, payload1,
                      payload2, shared_key):
    """Both sides, so that both are checked; a shared key of null means IK, otherwise IKpsk2."""
    static, ephemeral, server, server_ephemeral = map(private_key, unhex(
        [initiator_static, initiator_ephemeral, responder_static, responder_ephemeral]))
    psk = bytes.fromhex(shared_key) if shared_key else None
    client = Noise(static, ephemeral, public(server), bytes.fromhex(prologue), psk)
    responder = Noise(server, server_ephemeral, public(server), bytes.fromhex(prologue), psk)
    message1 = client.write1(bytes.fromhex(payload1))
    assert responder.read1(message1).hex() == payload1 and responder.remote_static == public(static)
    message2 = responder.write2(bytes.fromhex(payload2))
    assert client.read2(message2).hex() == payload2 and client.hash == responder.hash
    to_server, to_client = client.split()
    return {"message1": message1, "message2": message2, "handshake_hash": client.hash,
            "key_to_server": to_server, "key_to_client": to_client}


def compute_sealed(key, header, number, frames):
    """`header` is what comes before the packet number; the frames are padded with zeros to a multiple of 16."""
    plaintext = padded(bytes.fromhex(frames))
    packet = seal(bytes.fromhex(key), bytes.fromhex(header), number, plaintext)
    assert unseal(bytes.fromhex(key), bytes.fromhex(header), packet) == (number, plaintext)
    return {"plaintext": plaintext, "packet": packet}


def compute_frame(frame, values, type):
    if frame == "ack":
        data = write_ack([tuple(pair) for pair in values["ranges"]], values["delay"])
    elif frame == "grease":
        data = grease_frame(type, bytes.fromhex(values["bytes"]))
    else:
        data = write_frame(frame, type_byte=type, **from_plain(values))
    assert frame == "padding" or data[0] == type and plain(values_of_frame(data)) == values
    return {"bytes": data}


def values_of_frame(data):
    (name, values), = read_frames(data)
    return {key: value for key, value in values.items() if key != "type"} if name == "grease" else values


def compute_message(message, values, extensions):
    pairs = [(identity, bytes.fromhex(value)) for identity, value in extensions]
    data = write_message(message, extensions=pairs, **from_plain(values))
    name, read = read_message(data)
    assert name == message and plain(read) == values
    return {"bytes": data}


BYTE_FIELDS = {"bytes", "data", "token", "outbox", "key", "ip", "zone", "port"}


def from_plain(value, field=None):
    """Hex back to bytes, in the fields that hold bytes; a list of two with a name in front is a choice."""
    if isinstance(value, dict):
        return {name: from_plain(item, name) for name, item in value.items()}
    if isinstance(value, list):
        items = [from_plain(item) for item in value]
        return tuple(items) if len(items) == 2 and isinstance(items[0], str) else items
    return bytes.fromhex(value) if field in BYTE_FIELDS and isinstance(value, str) else value


def compute(kind, inputs, /):
    return plain(globals()["compute_" + kind](**inputs))


# The inputs

CLIENT, CLIENT_E = "11" * 32, "22" * 32
SERVER, SERVER_E = "33" * 32, "44" * 32
OUTBOX = "0102030405060708"
GREASE = "1a2a3a4a"
INDEX = 7
CONNECTION_ID, RESET_TOKEN = "8000000000000001", "a0" * 16
COOKIE_SECRET, TOKEN_SECRET, ISSUED = "55" * 32, "66" * 32, 1_800_000_000
ANI = {"id": 1, "key": public(private_key(bytes.fromhex(CLIENT))).hex(), "name": "ani"}
BODY_OF_POST = {"kind": 0, "reference": None, "authored": 1_800_000_000_123, "text": "halo ✓"}

FRAME_INPUTS = [
    ("PADDING is one zero byte", "padding", 0x00, {}),
    ("PING", "ping", 0x01, {}),
    ("ACK of packets 0 to 5", "ack", 0x02, {"ranges": [[0, 5]], "delay": 3125}),
    ("ACK of 90 to 100, 80 alone, and 3 to 70", "ack", 0x02, {"ranges": [[90, 100], [80, 80], [3, 70]], "delay": 0}),
    ("ACK_NOW", "ack_now", 0x03, {}),
    ("ACK_LATER", "ack_later", 0x04, {}),
    ("RECORD: request 0 of stream 0", "record", 0x10, {"stream": 0, "number": 0, "bytes": "05"}),
    ("RECORD part: 4 bytes of 600 at 300", "part", 0x11,
     {"stream": 1, "number": 70, "offset": 300, "total": 600, "bytes": "61626364"}),
    ("RECORD that reaches to the end of the packet", "record", 0x12, {"stream": 2, "number": 16383, "bytes": "616263"}),
    ("RECORD part that reaches to the end of the packet", "part", 0x13,
     {"stream": 2, "number": 16384, "offset": 65000, "total": 66560, "bytes": "616263"}),
    ("DATAGRAM", "datagram", 0x18, {"bytes": "8102"}),
    ("WINDOW", "window", 0x20, {"bytes": 262_144}),
    ("PATH_CHALLENGE", "path_challenge", 0x21, {"data": "0011223344556677"}),
    ("PATH_RESPONSE", "path_response", 0x22, {"data": "0011223344556677"}),
    ("TOKEN", "token", 0x23, {"token": "02" + "00" * 20}),
    ("CLOSE", "close", 0x24, {"code": 1, "reason": "The server stops."}),
    ("grease: the type is a byte, not a varint", "grease", 0x40, {"bytes": "aabbcc"}),
    ("grease of the last type, empty", "grease", 0xFF, {"bytes": ""}),
]

MESSAGE_INPUTS = [
    ("hello with a name", "hello", {"name": "ani", "outbox": OUTBOX, "agent": "second/1"}),
    ("hello without a name", "hello", {"name": None, "outbox": OUTBOX, "agent": ""}),
    ("join", "join", {"room": "kelas"}), ("leave", "leave", {"room": "kelas"}), ("create", "create", {"room": "kelas"}),
    ("list rooms", "list_rooms", {}), ("list members", "list_members", {"room": "lobby"}),
    ("subscribe after 0, without end", "subscribe",
     {"stream": 2, "room": "lobby", "start": ["after", 0], "until": None}),
    ("subscribe after 20 until 30", "subscribe", {"stream": 3, "room": "lobby", "start": ["after", 20], "until": 30}),
    ("subscribe to the last 50", "subscribe",
     {"stream": 4, "room": "lobby", "start": ["last", 50], "until": None}),
    ("unsubscribe", "unsubscribe", {"stream": 2}), ("rename", "rename", {"name": "ani dua"}),
    ("welcome", "welcome", {"id": 0, "member": ANI, "next_post": 1, "server": "Kirim", "message_bytes": 65_536,
                            "posts_in_flight": 64, "post_bytes_in_flight": 262_144}),
    ("done", "done", {"id": 1}), ("refused", "refused", {"id": 2, "refusal": 2}),
    ("rooms", "rooms", {"id": 3, "rooms": [{"room": "lobby", "members": 2, "last": 300},
                                           {"room": "kelas", "members": 0, "last": 0}]}),
    ("rooms, more follow", "rooms_more", {"id": 3, "rooms": []}),
    ("members", "members", {"id": 4, "room": "lobby", "members": [{"member": ANI, "presence": 1}]}),
    ("members, more follow", "members_more", {"id": 4, "room": "lobby", "members": [{"member": ANI, "presence": 2}]}),
    ("subscribed", "subscribed", {"id": 5, "stream": 2, "room": "lobby", "first": 1, "last": 300}),
    ("decided: one accepted, one refused", "decided", {"posts": [
        {"post": 1, "decision": ["accepted", {"room": "lobby", "sequence": 301}]},
        {"post": 2, "decision": ["refused", 2]}]}),
    ("postponed", "postponed", {"first": 70, "refusal": 16, "retry_ms": 201}),
    ("renamed", "renamed", {"name": "ani-2"}), ("joined", "joined", {"room": "kelas"}),
    ("removed", "removed", {"room": "kelas", "refusal": 11}),
    ("presence (DATAGRAM to the server)", "presence", {"presence": 2}),
    ("presence of (DATAGRAM to the client)", "presence_of",
     {"room": "lobby", "member": 1, "name": "ani", "presence": 2, "online": 3}),
    ("post", "post", {"room": "lobby", **BODY_OF_POST}),
    ("post, a reaction to entry 5", "post", {"room": "lobby", **BODY_OF_POST, "kind": 5, "reference": 5, "text": "👍"}),
    ("entry by the server", "entry",
     {"received": 1_800_000_000_456, "author": ["server", {}], **BODY_OF_POST, "kind": 2}),
    ("entry by a member, with outbox and number", "entry",
     {"received": 1_800_000_000_456, "author": ["member", {"id": 1, "name": "ani",
                                                          "post": {"outbox": OUTBOX, "number": 7}}], **BODY_OF_POST}),
    ("entry by a member, without", "entry",
     {"received": 1_800_000_000_456, "author": ["member", {"id": 1, "name": "ani", "post": None}], **BODY_OF_POST}),
    ("entry by a plain client, IPv4", "entry",
     {"received": 1_800_000_000_456, "author": ["plain", {"ip": "c0000207", "port": "d431"}], **BODY_OF_POST}),
    ("entry by a plain client, IPv6", "entry",
     {"received": 1_800_000_000_456, "author": ["plain", {"ip": "20010db8" + "00" * 11 + "01", "zone": "00000000",
                                                         "port": "d431"}], **BODY_OF_POST}),
]


class Writer:
    def __init__(self):
        self.items = []

    def add(self, kind, description, /, **inputs):
        inputs = plain(inputs)
        outputs = compute(kind, inputs)
        self.items.append({"kind": kind, "description": description, "inputs": inputs, "outputs": outputs})
        return outputs


def build():
    out = Writer()
    for number in (0, 63, 64, 16_383, 16_384, (1 << 30) - 1, 1 << 30, (1 << 62) - 1):
        out.add("varint", "the shortest form of %d" % number, number=number)
    keys = {name: out.add("public_key", name + " key", private=private)["public"] for name, private in (
        ("client's static", CLIENT), ("client's ephemeral", CLIENT_E),
        ("server's static", SERVER), ("server's ephemeral", SERVER_E))}
    server_key, e = keys["server's static"], keys["client's ephemeral"]
    secrets(out, server_key)
    cookie, token = proofs(out, e)
    for access, name in enumerate(("open", "password", "invitation")):
        connect(out, access, name, server_key, e, cookie, token)
    out.add("reset", "RESET, recognised by the token of ACCEPT", packet="fc" + CONNECTION_ID + RESET_TOKEN)
    for description, frame, kind, values in FRAME_INPUTS:
        out.add("frame", description, frame=frame, values=values, type=kind)
    for description, message, values in MESSAGE_INPUTS:
        out.add("message", description, message=message, values=values, extensions=[])
    out.add("message", "a request with two extensions", message="join", values={"room": "kelas"},
            extensions=[[64, ""], [1000, "616263"]])
    return out.items


PASSWORD_TEXT = "kata sandi ü"
INVITATION = "aabbccddeeff0011" + "01c9c380"
INVITATION_TEXT = "dh5onqp6t6yvyaoiwu4wieu2to6glvmf574rnhbagpvskjfsqk6t2ylfaiox2rh6l2pw6di"


def secrets(out, server_key):
    out.add("password_key", "scrypt of the password's UTF-8, as it is typed", password=PASSWORD_TEXT,
            server_key=server_key)
    for label in ("reset", "token"):
        out.add("derived", "the server's own key for its %ss" % label, server_private=SERVER, label=label, context="")
    out.add("invitation_secret", "derived with the id as context", server_private=SERVER, id=INVITATION)
    out.add("invitation_text", "the text of an invitation that kirim invite made with this key: lower-case base32 "
            "without padding of id | secret", text=INVITATION_TEXT, server_private=SERVER)


def proofs(out, e):
    rest = "c0000207" + "d431" + e  # 192.0.2.7, port 54321
    cookie = out.add("proof", "a cookie: kind 1, rest = ip | port | e", secret=COOKIE_SECRET, kind=1, issued=ISSUED,
                     rest=rest)
    token = out.add("proof", "a token: kind 2, rest = ip", secret=TOKEN_SECRET, kind=2, issued=ISSUED, rest="c0000207")
    return cookie["proof"], token["proof"]


def connect(out, access, name, server_key, e, cookie, token):
    """A whole connect, for one access: HELLO to sealed DATA."""
    version = VERSION.hex()
    out.add("hello", "HELLO (%s server)" % name, e=e, versions=[GREASE, version])
    challenge = "f9" + e[:16] + "%02x" % access + "02" + version + GREASE + server_key + cookie
    out.add("challenge", "CHALLENGE (%s server); its cookie is echoed in OPEN" % name, packet=challenge)
    shared = {0: None, 1: compute_password_key(PASSWORD_TEXT, server_key)["shared_key"].hex(),
              2: compute_invitation_secret(SERVER, INVITATION)["secret"].hex()}[access]
    parameters = [[1, "19"], [2, "80040000"], [3, "4708"], [100, "abcd"]] + ([[4, INVITATION]] if access == 2 else [])
    payload1 = out.add("parameters", "parameters of message 1 (%s server)" % name, parameters=parameters)["bytes"]
    payload1 = message1_payload(bytes.fromhex(payload1))
    payload2 = CONNECTION_ID + RESET_TOKEN + token + write_parameters([(1, b"\x19"), (2, varint(262_144))]).hex()
    for how, proof_bytes, versions in (("cookie", cookie, [version]), ("token", token, [])):
        start = out.add("prologue", "prologue with a %s (%s server)" % (how, name), version=version, access=access,
                        versions=versions)["prologue"]
        noise = out.add("handshake", "Noise %s with a %s (%s server)" % ("IKpsk2" if access else "IK", how, name),
                        initiator_static=CLIENT, initiator_ephemeral=CLIENT_E, responder_static=SERVER,
                        responder_ephemeral=SERVER_E, prologue=start, payload1=payload1, payload2=payload2,
                        shared_key=shared)
        out.add("open", "OPEN with a %s (%s server)" % (how, name), version=version, client_index=INDEX,
                proof=proof_bytes, noise1=noise["message1"])
        out.add("accept", "ACCEPT to it", client_index=INDEX, noise2=noise["message2"])
        transcript(out, noise, name, how)


def transcript(out, noise, name, how):
    hello = write_message("hello", name="ani", outbox=bytes.fromhex(OUTBOX), agent="second/1")
    post = write_message("post", room="lobby", **BODY_OF_POST)
    frames = write_frame("ack_now") + write_frame("record", stream=0, number=0, bytes=hello)
    out.add("sealed", "DATA to the server: packet 0, ACK_NOW and hello (%s server, %s)" % (name, how),
            key=noise["key_to_server"], header="fd" + CONNECTION_ID, number=0, frames=frames)
    frames = write_ack([(0, 0)], 0) + write_frame("ack_now") + write_frame("record", stream=1, number=1, bytes=post)
    out.add("sealed", "DATA to the server: packet 258, an ACK and a post (%s server, %s)" % (name, how),
            key=noise["key_to_server"], header="fd" + CONNECTION_ID, number=258, frames=frames)
    decision = write_message("decided", posts=[{"post": 1, "decision": ("accepted", {"room": "lobby", "sequence": 1})}])
    frames = write_ack([(0, 0)], 0) + write_frame("record", stream=0, number=1, bytes=decision)
    out.add("sealed", "DATA to the client: packet 1, an ACK and decided (%s server, %s)" % (name, how),
            key=noise["key_to_client"], header="fd%02x" % INDEX, number=1, frames=frames)


def write():
    with open(PATH, "w", encoding="utf-8") as file:
        json.dump(build(), file, indent=1, ensure_ascii=False)
        file.write("\n")


def check():
    """The number of items; raises at the first that differs."""
    with open(PATH, encoding="utf-8") as file:
        items = json.load(file)
    for item in items:
        found = compute(item["kind"], item["inputs"])
        assert found == item["outputs"], "%s: %s" % (item["kind"], item["description"])
    return len(items)


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        write()
    print("%d items agree" % check())
