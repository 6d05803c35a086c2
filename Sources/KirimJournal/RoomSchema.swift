extension JournalSchema {
    /// The server's file.
    ///
    /// An entry costs two inserts, each at the end of what its table has of that room or outbox: the
    /// entry, and the decision, whose key is what keeps a post from appearing twice, for ever.
    static let rooms = JournalSchema(
        applicationID: 0x4B52_4D31,  // "KRM1"
        steps: [
            (
                "1 rooms, entries, members",
                """
                CREATE TABLE member (
                    id INTEGER PRIMARY KEY,
                    key BLOB NOT NULL UNIQUE,
                    name TEXT NOT NULL
                ) STRICT;
                CREATE TABLE room (
                    id INTEGER PRIMARY KEY,
                    name TEXT NOT NULL,
                    identity TEXT NOT NULL UNIQUE
                ) STRICT;
                INSERT INTO room (name, identity) VALUES ('lobby', 'lobby');
                CREATE TABLE membership (
                    room INTEGER NOT NULL REFERENCES room,
                    member INTEGER NOT NULL REFERENCES member,
                    PRIMARY KEY (room, member)
                ) STRICT, WITHOUT ROWID;
                CREATE TABLE entry (
                    room INTEGER NOT NULL REFERENCES room,
                    sequence INTEGER NOT NULL,
                    kind INTEGER NOT NULL,
                    reference INTEGER,
                    author INTEGER,
                    author_name TEXT,
                    author_address BLOB,
                    post_member INTEGER,
                    outbox INTEGER,
                    number INTEGER,
                    authored INTEGER NOT NULL,
                    received INTEGER NOT NULL,
                    text BLOB NOT NULL,
                    PRIMARY KEY (room, sequence)
                ) STRICT, WITHOUT ROWID;
                CREATE TABLE decision (
                    member INTEGER NOT NULL,
                    outbox INTEGER NOT NULL,
                    number INTEGER NOT NULL,
                    room INTEGER REFERENCES room,
                    sequence INTEGER,
                    refusal INTEGER,
                    PRIMARY KEY (member, outbox, number)
                ) STRICT, WITHOUT ROWID;
                CREATE TABLE ban (
                    id INTEGER PRIMARY KEY,
                    rule BLOB NOT NULL UNIQUE
                ) STRICT;
                CREATE TABLE invitation (
                    id INTEGER PRIMARY KEY,
                    token BLOB NOT NULL UNIQUE,
                    key BLOB NOT NULL
                ) STRICT;
                """
            )
        ]
    )
}
