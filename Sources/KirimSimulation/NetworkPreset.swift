/// Both directions of a host's access line, by a name that people know.
///
/// | name | one way | jitter | loss | bad spells (every, for, losing) | rate up / down | queue |
/// |---|---|---|---|---|---|---|
/// | `lan` | 0.2 ms | 0.1 ms | 0 | none | unlimited | |
/// | `wifi_lossy` | 3 ms | 20 ms | 3 % | 2 s, 80 ms, 70 % | 20 / 20 Mbit/s | 128 KiB |
/// | `cellular` | 35 ms | 30 ms | 1 % | 15 s, 600 ms, 100 % | 2 / 8 Mbit/s | 256 KiB |
/// | `satellite` | 280 ms | 15 ms | 1 % | 30 s, 300 ms, 80 % | 0.5 / 4 Mbit/s | 128 KiB |
/// | `conference` | 10 ms | 120 ms | 10 % | 1 s, 200 ms, 60 % | 1 / 1 Mbit/s | 64 KiB |
///
/// `conference` also repeats 1 % of the datagrams: a full hall, everybody on one channel. `cellular`'s
/// spells are handovers, `satellite`'s are rain and obstruction over a geostationary hop.
package enum NetworkPreset: String, Hashable, Sendable, CaseIterable {
    case lan
    case wifiLossy = "wifi_lossy"
    case cellular
    case satellite
    case conference

    package var up: LinkConditions { conditions(isUp: true) }
    package var down: LinkConditions { conditions(isUp: false) }

    private func conditions(isUp: Bool) -> LinkConditions {
        var link = LinkConditions()
        switch self {
        case .lan:
            link.delay = .microseconds(200)
            link.jitter = .microseconds(100)
        case .wifiLossy:
            link.delay = .milliseconds(3)
            link.jitter = .milliseconds(20)
            link.loss = 0.03
            link.bursts = .init(meanGood: .seconds(2), meanBad: .milliseconds(80), loss: 0.7)
            link.rate = 20_000_000
            link.queue = 128 * 1_024
        case .cellular:
            link.delay = .milliseconds(35)
            link.jitter = .milliseconds(30)
            link.loss = 0.01
            link.bursts = .init(meanGood: .seconds(15), meanBad: .milliseconds(600), loss: 1)
            link.rate = isUp ? 2_000_000 : 8_000_000
            link.queue = 256 * 1_024
        case .satellite:
            link.delay = .milliseconds(280)
            link.jitter = .milliseconds(15)
            link.loss = 0.01
            link.bursts = .init(meanGood: .seconds(30), meanBad: .milliseconds(300), loss: 0.8)
            link.rate = isUp ? 500_000 : 4_000_000
            link.queue = 128 * 1_024
        case .conference:
            link.delay = .milliseconds(10)
            link.jitter = .milliseconds(120)
            link.loss = 0.1
            link.bursts = .init(meanGood: .seconds(1), meanBad: .milliseconds(200), loss: 0.6)
            link.duplication = 0.01
            link.rate = 1_000_000
            link.queue = 64 * 1_024
        }
        return link
    }
}
