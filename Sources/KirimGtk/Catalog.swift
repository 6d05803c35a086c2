#if GTK
import CGtk
import KirimScreen

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The sentences of the window in the person's language, from gettext's catalogues (`po/`).
package enum Catalog {
    package nonisolated static let domain = "kirim"

    /// Chooses the language by the environment. Before anything of GTK's is called.
    ///
    /// gettext says nothing in the C locale, and `setlocale` refuses one that was not generated on this machine
    /// (`id_ID.UTF-8` on a bare system): then the language alone is taken from it.
    package static func begin(folder: String) {
        gtk_disable_setlocale()
        if setlocale(LC_ALL, "") == nil {
            setlocale(LC_ALL, "C.UTF-8")
            let wished = ["LC_ALL", "LC_MESSAGES", "LANG"].lazy.compactMap { variable($0) }.first
            if variable("LANGUAGE") == nil, let wished {
                setenv("LANGUAGE", String(wished.prefix { $0 != "." && $0 != "@" }), 1)
            }
        }
        bindtextdomain(domain, folder)
        bind_textdomain_codeset(domain, "UTF-8")
        textdomain(domain)
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// The sentence in the person's language, with `values` in the place of its `%1`, `%2`, ….
package func tr(_ sentence: String, _ values: String...) -> String {
    // What is not translated is answered with the very bytes of the question: they must be there still.
    let found = sentence.withCString { String(cString: g_dgettext(Catalog.domain, $0)) }
    return found.filled(with: values)
}

/// The same for a sentence that counts: `tr(one: "%1 message", many: "%1 messages", 3)`.
package func tr(one: String, many: String, _ count: Int, _ values: String...) -> String {
    let found = one.withCString { one in
        many.withCString { many in
            String(cString: made(g_dngettext(Catalog.domain, one, many, gulong(max(0, count)))))
        }
    }
    return found.filled(with: ["\(count)"] + values)
}
#endif
