#if GTK
import CGtk
import Foundation
import KirimGtk
import KirimWindow
import Testing

@Suite(
    "The window's own colours",
    .serialized,
    .enabled(
        if: gtk_init_check() != 0 && gdk_display_get_default() != nil,
        "SKIPPED: there is no display for the window's tests."
    )
)
struct ContrastTests {
    /// A rule of the style sheet, and what its text stands on.
    struct Rule {
        var selector: String
        var ground: String
        /// So much of the text's own colour lies on the ground, as a button has it.
        var veil: Double = 0
    }

    static let rules = [
        Rule(selector: ".message link, .message link:visited", ground: "view_bg_color"),
        Rule(selector: ".link-pill.uneasy > button", ground: "headerbar_bg_color", veil: 0.1),
        Rule(selector: ".link-pill.lost > button", ground: "headerbar_bg_color", veil: 0.1),
        Rule(selector: ".message .clock", ground: "view_bg_color"),
    ]

    @Test("are read at 4.5 to 1, in light and in dark")
    func contrast() throws {
        adw_init()
        let manager = adw_style_manager_get_default()
        defer { adw_style_manager_set_color_scheme(manager, ADW_COLOR_SCHEME_DEFAULT) }
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let sheet = try String(
            contentsOf: here.appending(path: "../../Sources/KirimWindow/Resources/style.css"),
            encoding: .utf8
        )
        for scheme in [ADW_COLOR_SCHEME_FORCE_LIGHT, ADW_COLOR_SCHEME_FORCE_DARK] {
            adw_style_manager_set_color_scheme(manager, scheme)
            for rule in Self.rules {
                let line = try #require(
                    sheet.split(separator: "\n").first { $0.hasPrefix(rule.selector + " {") }
                )
                let value = try #require(line.firstMatch(of: /[ {]color: ([^;]+);/)).1
                let (text, ground) = colours(text: String(value), on: rule.ground, veil: rule.veil)
                #expect(
                    contrast(text, ground) >= 4.5,
                    "\(rule.selector), scheme \(scheme.rawValue)"
                )
            }
        }
    }

    /// The colours as the theme makes them, without what is transparent.
    private func colours(text: String, on ground: String, veil: Double) -> (Colour, Colour) {
        let probe = made(gtk_label_new("x"))
        defer { g_object_unref(g_object_ref_sink(probe)) }
        let provider = Owned(made(gtk_css_provider_new()))
        gtk_css_provider_load_from_data(provider.raw.cast(), "label { color: \(text); }", -1)
        let context = gtk_widget_get_style_context(probe)
        var (ink, own) = (GdkRGBA(), GdkRGBA())
        gtk_style_context_lookup_color(context, ground, &own)
        gtk_style_context_add_provider(context, provider.opaque, 900)
        gtk_style_context_get_color(context, &ink)
        let paper = Colour(own, on: Colour(red: 1, green: 1, blue: 1))
        var faint = ink
        faint.alpha *= Float(veil)
        let under = Colour(faint, on: paper)
        return (Colour(ink, on: under), under)
    }

    private struct Colour {
        var red: Double
        var green: Double
        var blue: Double

        init(red: Double, green: Double, blue: Double) {
            (self.red, self.green, self.blue) = (red, green, blue)
        }

        init(_ colour: GdkRGBA, on under: Colour) {
            let alpha = Double(colour.alpha)
            red = Double(colour.red) * alpha + under.red * (1 - alpha)
            green = Double(colour.green) * alpha + under.green * (1 - alpha)
            blue = Double(colour.blue) * alpha + under.blue * (1 - alpha)
        }

        /// WCAG 2.2, relative luminance.
        var luminance: Double {
            func linear(_ part: Double) -> Double {
                part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4)
            }
            return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
        }
    }

    private func contrast(_ one: Colour, _ other: Colour) -> Double {
        let (dark, light) = (
            min(one.luminance, other.luminance), max(one.luminance, other.luminance)
        )
        return (light + 0.05) / (dark + 0.05)
    }
}
#endif
