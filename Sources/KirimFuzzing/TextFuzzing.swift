import KirimPlain
import KirimRooms
import KirimScreen
import KirimServer
import KirimTerminal
import KirimWire

/// Addresses and `kirim://` links as people write them: what is read has one text, which is read as the same.
enum AddressFuzzing {
    static func run(_ bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return }
        same(IPAddress(text))
        same(Address(text))
        same(ServerAddress(text))
        same(PublicKey(text))
        _ = Setting.address(text)
        if let decoded = Base32.decode(text) {
            let plain = text.utf8.filter { $0 != UInt8(ascii: "-") }
            require(
                Base32.encode(decoded) == String(decoding: plain, as: UTF8.self).lowercased(),
                "base 32 has one form: \(text)"
            )
        }
    }

    private static func same<Value: LosslessStringConvertible & Equatable>(_ value: Value?) {
        guard let value else { return }
        require(Value(value.description) == value, "\(value) is not read as it is written")
    }
}

/// What people call themselves and rooms, and texts on their way to a terminal or a plain client.
enum NameFuzzing {
    static func run(_ bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return }
        if let name = MemberName(text) {
            require(name.isAllowed, "who may be called so, may: \(name)")
            require(MemberName(name.text) == name, "a name has one form: \(name)")
            require(VisibleText.row(name.text) == name.text, "a name hides nothing: \(name)")
            check(name)
        }
        if let name = MemberName(kept: text) { check(name) }
        if let room = RoomName(text) {
            require(RoomName(room.text) == room, "a room's name has one form: \(room)")
            require(room.text.utf8.count <= RoomName.limit, "a room's name is short: \(room)")
            let request = Request.join(room)
            require((try? Request(parsing: request.bytes)) == request, "#\(room) can be sent")
        }
        checkPlain(text)
        require(isTame(ServerLog.visible(text)), "a log line has no control characters")
        require(isTame(VisibleText.row(text)), "a row has no control characters")
        var end = text.startIndex
        for range in WebLinks.ranges(in: text) {
            require(range.lowerBound >= end && !range.isEmpty, "links come one after another")
            end = range.upperBound
        }
    }

    private static func check(_ name: MemberName) {
        require(MemberName(kept: name.text) == name, "a kept name has one form: \(name)")
        require(name.text.utf8.count <= MemberName.limit, "a name is short: \(name)")
        require(name.text.count <= MemberName.length, "a name has few characters: \(name)")
        let request = Request.rename(name)
        require((try? Request(parsing: request.bytes)) == request, "\(name) can be sent")
    }

    private static func checkPlain(_ text: String) {
        let tame = PlainText.disarmed(text).unicodeScalars.filter { $0 != "\t" && $0 != "\n" }
        require(isTame(String(String.UnicodeScalarView(tame))), "plain clients are not commanded")
        let prefix = "n: "
        let limit = 16
        var together: [UInt8] = []
        for datagram in PlainText.datagrams(of: text, prefix: prefix, limit: limit) {
            require(datagram.count <= limit, "a datagram is as short as it was wanted")
            require(
                String(validating: datagram, as: UTF8.self) != nil,
                "no datagram holds half a scalar"
            )
            together += datagram.dropFirst(prefix.utf8.count)
        }
        require(together == Array(text.utf8), "nothing of a text is lost between datagrams")
    }
}

/// Lines that people and operators type.
enum CommandFuzzing {
    static func run(_ bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return }
        switch Command(text) {
        case .say(let said):
            require(said == text || "/" + said == text, "what is said is what was typed: \(text)")
        case .reply(let number, let said), .react(let number, let said),
            .edit(let number, let said):
            require(number > .zero && !said.isEmpty, "a number and a text: \(text)")
        case .name(let name): require(name.isAllowed, "a name that may be taken: \(name)")
        case .history(let count):
            require((1...Command.historyLimit).contains(count), "few messages: \(text)")
        default: break
        }
        if case .say(let said) = OperatorCommand(text) {
            require(
                text.hasPrefix(said) || text.hasPrefix("/" + said),
                "what is sent is what was typed: \(text)"
            )
        }
    }
}

/// The server's settings, in their file and in the environment.
enum SettingFuzzing {
    static func run(_ bytes: [UInt8]) {
        do {
            for (setting, value) in try SettingsFile.values(of: bytes, at: "server.json") {
                require(
                    (try? setting.checked(value, at: "again")) == value,
                    "what was checked is usable: \(setting) \(value)"
                )
            }
        } catch {
            require(
                isTame(error.sentence),
                "a complaint is one line: \(error.sentence)"
            )
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { return }
        for setting in Setting.allCases {
            guard let value = try? setting.checked(setting.value(of: text), at: "variable") else {
                continue
            }
            require((try? setting.checked(value, at: "again")) == value, "\(setting) \(value)")
        }
    }
}

/// A terminal's bytes as keys, and the line that they make.
enum KeyboardFuzzing {
    static func run(_ bytes: [UInt8]) {
        var script = Script(bytes)
        let columns = 1 + script.number(below: 100)
        let cut = 1 + script.number(below: 16)
        let typed = script.rest()
        var whole = KeyReader()
        let keys = whole.read(typed)
        var cutting = KeyReader()
        var place = 0
        var pieces: [Key] = []
        while place < typed.count {
            let end = min(typed.count, place + cut)
            pieces += cutting.read(Array(typed[place..<end]))
            place = end
        }
        require(pieces == keys, "keys do not depend on how their bytes are cut")
        var editor = LineEditor()
        for (index, key) in keys.enumerated() {
            if case .submit(let text) = editor.press(key) {
                require(!text.isEmpty && editor.text.isEmpty, "a line is sent once")
            }
            guard index % 8 == 7 || index == keys.count - 1 else { continue }
            let view = editor.view(columns: columns)
            let room = max(1, columns - 1)
            require(ColumnWidth.of(view.text) <= room, "the line fits: \(view.text)")
            require((0...room).contains(view.cursor), "the cursor is in the line")
        }
    }
}

private func isTame(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy {
        !(0..<0x20).contains($0.value) && !(0x7F..<0xA0).contains($0.value)
    }
}
