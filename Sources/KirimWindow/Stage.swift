#if GTK
import CGtk
import KirimGtk

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What both programs with windows do before the first one, and have in common.
enum Stage {
    /// Before anything else of GTK's. Returns whether there is a display; without one GTK would abort.
    static func begin() -> Bool {
        MainLoop.adoptMainActor()
        Catalog.begin(folder: share + "/locale")
        g_set_prgname(Program.id)
        g_set_application_name("Kirim")
        return gtk_init_check() != 0
    }

    static func run(
        _ application: UnsafeMutablePointer<GApplication>,
        _ arguments: [String]
    ) -> Int32 {
        var list: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        defer { for argument in list { free(argument) } }
        list.append(nil)
        return list.withUnsafeMutableBufferPointer { pointer in
            g_application_run(application, Int32(arguments.count), pointer.baseAddress)
        }
    }

    /// The looks: our rules beside the theme's, and our icon where it is not installed.
    static func dress() {
        guard let display = gdk_display_get_default() else { return }
        let rules = Owned(made(gtk_css_provider_new()))
        gtk_css_provider_load_from_data(
            rules.raw.cast(),
            String(decoding: PackageResources.style_css, as: UTF8.self),
            -1
        )
        gtk_style_context_add_provider_for_display(
            display,
            rules.opaque,
            guint(GTK_STYLE_PROVIDER_PRIORITY_APPLICATION)
        )
        gtk_icon_theme_add_search_path(gtk_icon_theme_get_for_display(display), share + "/icons")
    }

    static func appear(_ value: String) {
        let scheme =
            switch value {
            case "light": ADW_COLOR_SCHEME_FORCE_LIGHT
            case "dark": ADW_COLOR_SCHEME_FORCE_DARK
            default: ADW_COLOR_SCHEME_DEFAULT
            }
        adw_style_manager_set_color_scheme(adw_style_manager_get_default(), scheme)
    }

    static func about(over window: UnsafeMutablePointer<GtkWindow>?) {
        let about = made(adw_about_window_new())
        adw_about_window_set_application_name(about.opaque, "Kirim")
        adw_about_window_set_application_icon(about.opaque, Program.id)
        adw_about_window_set_version(about.opaque, "0.1.0")
        adw_about_window_set_comments(
            about.opaque,
            tr("The chat that stays live where others stall: text over UDP, for one room or many.")
        )
        adw_about_window_set_license_type(about.opaque, GTK_LICENSE_APACHE_2_0)
        gtk_window_set_transient_for(about.cast(), window)
        gtk_window_set_modal(about.cast(), 1)
        gtk_window_present(about.cast())
    }

    /// Catalogues and icons stand beside the program: `bin/kirim` has `share/`, wherever it was put.
    static let share: String = {
        var path = [CChar](repeating: 0, count: 4_096)
        let length = readlink("/proc/self/exe", &path, path.count - 1)
        guard length > 0 else { return "/usr/local/share" }
        let program = String(decoding: path[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folders = program.split(separator: "/").dropLast(2)
        return "/" + folders.joined(separator: "/") + "/share"
    }()
}
#endif
