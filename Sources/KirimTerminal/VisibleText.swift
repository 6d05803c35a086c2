/// Text from the network made fit for a terminal: whatever the terminal would obey becomes visible.
///
/// Escape and other control characters turn into `\u{1B}`-like marks, and so do the marks that reorder or hide text
/// (bidi overrides and isolates, zero width spaces, tags). What stays: letters, emoji with their joiners, tabs
/// (as spaces), and line ends where the caller wants them.
package enum VisibleText {
    /// One row: line ends too become visible, as `⏎`.
    package static func row(_ text: String) -> String {
        make(text, lineEnd: "⏎")
    }

    /// Rows: the first as it is, the others indented, so that no line passes for somebody else's.
    package static func block(_ text: String) -> String {
        make(text, lineEnd: "\n    ")
    }

    private static func make(_ text: String, lineEnd: String) -> String {
        guard text.unicodeScalars.contains(where: isObeyed) else { return text }
        var visible = String.UnicodeScalarView()
        var previous: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            defer { previous = scalar }
            switch scalar.value {
            case 0x0A where previous == "\r": break
            case 0x0A, 0x0D: visible.append(contentsOf: lineEnd.unicodeScalars)
            case 0x09: visible.append(contentsOf: "    ".unicodeScalars)
            case _ where isObeyed(scalar):
                let code = String(scalar.value, radix: 16, uppercase: true)
                visible.append(contentsOf: "\\u{\(code)}".unicodeScalars)
            default: visible.append(scalar)
            }
        }
        return String(visible)
    }

    private static func isObeyed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0: true
        // The joiners of emoji and of Persian and Indic scripts.
        case 0x200C, 0x200D: false
        // The tags that make the flags of Wales and Scotland.
        case 0xE0020...0xE007F: false
        default:
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
            default: false
            }
        }
    }
}
