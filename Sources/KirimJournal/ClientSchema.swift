extension JournalSchema {
    /// A person's file: the servers known, the outbox and the history of each.
    ///
    /// A server's row is never deleted, so that a handle that another process holds always leads
    /// somewhere: `merged` names the row that took its place.
    static let client = JournalSchema(
        applicationID: 0x4B52_4D32,  // "KRM2"
        steps: [
            (
                "1 servers, outbox, history",
                """
                CREATE TABLE server (
                    id INTEGER PRIMARY KEY,
                    key BLOB UNIQUE,
                    outbox INTEGER NOT NULL,
                    name TEXT,
                    token BLOB,
                    invitation BLOB,
                    merged INTEGER REFERENCES server
                ) STRICT;
                CREATE TABLE address (
                    address TEXT PRIMARY KEY,
                    server INTEGER NOT NULL REFERENCES server
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX address_server ON address (server);
                CREATE TABLE open_room (
                    server INTEGER NOT NULL REFERENCES server,
                    place INTEGER NOT NULL,
                    name TEXT NOT NULL,
                    PRIMARY KEY (server, place)
                ) STRICT, WITHOUT ROWID;
                CREATE TABLE post (
                    server INTEGER NOT NULL REFERENCES server,
                    number INTEGER NOT NULL,
                    room TEXT NOT NULL,
                    kind INTEGER NOT NULL,
                    reference INTEGER,
                    authored INTEGER NOT NULL,
                    text BLOB NOT NULL,
                    decided_room TEXT,
                    decided_sequence INTEGER,
                    refusal INTEGER,
                    PRIMARY KEY (server, number)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX post_undecided ON post (server, number)
                    WHERE decided_sequence IS NULL AND refusal IS NULL;
                CREATE TABLE entry (
                    server INTEGER NOT NULL REFERENCES server,
                    room TEXT NOT NULL,
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
                    PRIMARY KEY (server, room, sequence)
                ) STRICT, WITHOUT ROWID;
                """
            ),
            (
                "2 how far an outbox was offered",
                // Nobody knows of older rows whether they were sent.
                "ALTER TABLE post ADD COLUMN offered INTEGER NOT NULL DEFAULT 1"
            ),
        ]
    )
}
