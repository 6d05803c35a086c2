/// Source ports that are never answered: whoever sits there answers whatever it gets, so that a datagram
/// with such a forged source would make two servers talk to each other, or to a victim, for ever.
///
/// The chat's own clients never sit there: most need privileges to bind, and the rest lie outside the
/// ports that systems hand out (PROTOCOL.md §5; the services are those of US-CERT TA14-017A, without
/// the ports that a classroom may well choose by hand, such as 10001).
package enum ReflectablePorts {
    /// In ascending order. 0 is here because nothing can be sent to it: a send to port 0 fails with
    /// EINVAL, which makes SwiftNIO close the channel.
    package static let all: [UInt16] = [
        0,  // not a port
        7,  // echo
        13,  // daytime
        17,  // quote of the day
        19,  // character generator
        37,  // time
        53,  // DNS
        69,  // TFTP
        111,  // portmapper
        123,  // NTP
        137, 138,  // NetBIOS
        161,  // SNMP
        389,  // connectionless LDAP
        427,  // SLP
        500,  // IKE
        520,  // RIP
        1434,  // SQL Server resolution
        1900,  // SSDP
        3283,  // Apple Remote Desktop
        3702,  // WS-Discovery
        5060,  // SIP
        5353,  // multicast DNS
        11211,  // memcached
    ]

    /// Whether a datagram from this source port is dropped unread.
    package static func contains(_ port: UInt16) -> Bool { all.contains(port) }
}

extension Address {
    /// Whether a datagram from here may be read, and answered, at all: a unicast address, an ordinary port.
    package var isAnswerable: Bool {
        !ReflectablePorts.contains(port) && !ip.isUnspecified && !ip.isMulticastOrBroadcast
    }
}
