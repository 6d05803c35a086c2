// swift-format-ignore-file: NeverForceUnwrap

import KirimRooms
import KirimTestKit
import KirimWire
import Testing

/// Every message of the chat as another program writes it (`Tests/SecondImplementation`).
@Suite("The second implementation's messages")
struct SecondImplementationTests {
    private typealias Value = FrozenVector.Value

    @Test("every message is written the same, and is read as it was meant")
    func messages() throws {
        var names: Set<String> = []
        for vector in try FrozenVector.all("message") {
            let (name, values) = (vector.inputs["message"].text, vector.inputs["values"])
            names.insert(name)
            let extensions = extensions(vector.inputs["extensions"])
            let bytes = vector.outputs["bytes"].bytes
            if let request = request(name, values) {
                #expect(request.bytes + extensions == bytes, "\(vector)")
                #expect(try Request(parsing: bytes) == request, "\(vector)")
            } else if let reply = reply(name, values) {
                #expect(reply.bytes + extensions == bytes, "\(vector)")
                #expect(try Reply(parsing: bytes) == reply, "\(vector)")
            } else if let signal = signal(name, values) {
                #expect(signal.bytes + extensions == bytes, "\(vector)")
                #expect(try Signal(parsing: bytes) == signal, "\(vector)")
            } else if name == "post" {
                let post = post(values, in: RoomName(values["room"].text)!)
                #expect(post.bytes + extensions == bytes, "\(vector)")
                #expect(try Post(parsing: bytes) == post, "\(vector)")
            } else {
                let entry = try entry(values)
                #expect(entry.bytes + extensions == bytes, "\(vector)")
                let again = try Entry(parsing: bytes, room: .lobby, sequence: entry.sequence)
                #expect(again == entry, "\(vector)")
            }
        }
        #expect(names.count == 26, "each row of the table of messages: \(names.sorted())")
    }

    private func extensions(_ values: Value) -> [UInt8] {
        var writer = ByteWriter()
        for pair in values.list {
            writer.varint(pair[0].number)
            writer.prefixed(pair[1].bytes)
        }
        return writer.bytes
    }

    private func request(_ name: String, _ values: Value) -> Request? {
        let room = RoomName(values["room"].text)
        switch name {
        case "hello":
            return .hello(
                name: values["name"].optional.flatMap { MemberName($0.text) },
                outbox: OutboxID(rawValue: integer(values["outbox"])),
                agent: values["agent"].text
            )
        case "join": return .join(room!)
        case "leave": return .leave(room!)
        case "create": return .create(room!)
        case "list_rooms": return .listRooms
        case "list_members": return .listMembers(room!)
        case "subscribe":
            let number = values["start"][1].number
            return .subscribe(
                stream: values["stream"].number,
                room: room!,
                start: values["start"][0].text == "last"
                    ? .last(number) : .after(SequenceNumber(rawValue: number)),
                until: sequence(values["until"])
            )
        case "unsubscribe": return .unsubscribe(stream: values["stream"].number)
        case "rename": return .rename(MemberName(values["name"].text)!)
        default: return nil
        }
    }

    private func reply(_ name: String, _ values: Value) -> Reply? {
        let id = RequestID(rawValue: values["id"].number)
        let room = RoomName(values["room"].text)
        switch name {
        case "welcome":
            return .welcome(
                id,
                member: member(values["member"]),
                nextPost: PostNumber(rawValue: values["next_post"].number),
                server: values["server"].text,
                limits: WireLimits(
                    messageBytes: values["message_bytes"].number,
                    postsInFlight: values["posts_in_flight"].number,
                    postBytesInFlight: values["post_bytes_in_flight"].number
                )
            )
        case "done": return .done(id)
        case "refused": return .refused(id, refusal(values["refusal"]))
        case "rooms": return .rooms(id, rooms(values["rooms"]))
        case "rooms_more": return .roomsPart(id, rooms(values["rooms"]))
        case "members": return .members(id, room!, members(values["members"]))
        case "members_more": return .membersPart(id, room!, members(values["members"]))
        case "subscribed":
            return .subscribed(
                id,
                stream: values["stream"].number,
                room: room!,
                first: sequence(values["first"])!,
                last: sequence(values["last"])!
            )
        case "decided": return .decided(decisions(values["posts"]))
        case "postponed":
            return .postponed(
                from: PostNumber(rawValue: values["first"].number),
                refusal(values["refusal"]),
                retryAfterMilliseconds: values["retry_ms"].number
            )
        case "renamed": return .renamed(MemberName(values["name"].text)!)
        case "removed": return .removed(room!, refusal(values["refusal"]))
        case "joined": return .joined(room!)
        default: return nil
        }
    }

    private func signal(_ name: String, _ values: Value) -> Signal? {
        switch name {
        case "presence": .presence(presence(values["presence"]))
        case "presence_of":
            .presenceOf(
                RoomName(values["room"].text)!,
                MemberID(rawValue: values["member"].number),
                MemberName(values["name"].text)!,
                presence(values["presence"]),
                online: values["online"].number
            )
        default: nil
        }
    }

    private func entry(_ values: Value) throws -> Entry {
        let (kind, author) = (values["author"][0].text, values["author"][1])
        var writer: Author = .server
        var id: PostID?
        if kind == "member" {
            let number = MemberID(rawValue: author["id"].number)
            writer = .member(number, MemberName(author["name"].text)!)
            id = author["post"].optional.map {
                PostID(
                    member: number,
                    outbox: OutboxID(rawValue: integer($0["outbox"])),
                    number: PostNumber(rawValue: $0["number"].number)
                )
            }
        } else if kind == "plain" {
            var ip = ByteReader(author["ip"].bytes)
            let port = integer(author["port"])
            if let zone = author["zone"].optional {
                let (high, low): (UInt64, UInt64) = (try ip.integer(), try ip.integer())
                let ip = IPAddress.v6(high, low, zone: UInt32(integer(zone)))
                writer = .plain(Address(ip: ip, port: UInt16(port)))
            } else {
                writer = .plain(Address(ip: .v4(try ip.integer()), port: UInt16(port)))
            }
        }
        return Entry(
            sequence: SequenceNumber(rawValue: 1),
            post: post(values, in: .lobby),
            author: writer,
            id: id,
            received: WallTime(milliseconds: Int64(values["received"].number))
        )
    }

    private func post(_ values: Value, in room: RoomName) -> Post {
        Post(
            room: room,
            kind: EntryKind(rawValue: UInt8(values["kind"].number))!,
            reference: sequence(values["reference"]),
            authored: WallTime(milliseconds: Int64(values["authored"].number)),
            text: values["text"].text
        )
    }

    // Fields

    private func integer(_ value: Value) -> UInt64 {
        value.bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func sequence(_ value: Value) -> SequenceNumber? {
        value.optional.map { SequenceNumber(rawValue: $0.number) }
    }

    private func refusal(_ value: Value) -> Refusal { Refusal(rawValue: UInt8(value.number))! }

    private func presence(_ value: Value) -> Presence { Presence(rawValue: UInt8(value.number))! }

    private func member(_ value: Value) -> Member {
        Member(
            id: MemberID(rawValue: value["id"].number),
            key: PublicKey(bytes: value["key"].bytes)!,
            name: MemberName(value["name"].text)!
        )
    }

    private func rooms(_ value: Value) -> [RoomSummary] {
        value.list.map {
            RoomSummary(
                name: RoomName($0["room"].text)!,
                members: Int($0["members"].number),
                last: sequence($0["last"])!
            )
        }
    }

    private func members(_ value: Value) -> [MemberStatus] {
        value.list.map {
            MemberStatus(member: member($0["member"]), presence: presence($0["presence"]))
        }
    }

    private func decisions(_ value: Value) -> [PostNumber: PostDecision] {
        var decisions: [PostNumber: PostDecision] = [:]
        for post in value.list {
            let (name, result) = (post["decision"][0].text, post["decision"][1])
            decisions[PostNumber(rawValue: post["post"].number)] =
                name == "accepted"
                ? .accepted(RoomName(result["room"].text)!, sequence(result["sequence"])!)
                : .refused(refusal(result))
        }
        return decisions
    }
}
