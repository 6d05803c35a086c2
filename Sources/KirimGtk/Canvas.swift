#if GTK
package import CGtk

/// Draws on a canvas, and says how high that is.
package protocol Picture: AnyObject {
    func height(width: Int32) -> Int32
    /// Gives the canvas's children their places.
    func arrange(width: Int32)
    func draw(_ snapshot: OpaquePointer, width: Int32)
}

/// A widget that is drawn by what stands behind it, instead of being put together of others.
///
/// A log that is flooded makes hundreds of rows a second. Of nine labels in boxes each costs a style, several layouts of its
/// text, an accessible object and places for all; drawn as one a row costs a tenth, and its text is laid out once.
@MainActor
package enum Canvas {
    private struct Instance {
        var parent: GtkWidget
        var stand: UnsafeMutableRawPointer?
    }

    /// Holds the picture weakly: GTK draws as long as it likes.
    private final class Stand {
        weak var picture: (any Picture)?
    }

    /// A new one; it shows nothing until it is ``paint``ed by somebody.
    package static func make() -> Widget {
        let object = made(UnsafeMutableRawPointer(g_object_new_with_properties(type, 0, nil, nil)))
        object.cast(to: Instance.self).pointee.stand = Unmanaged.passRetained(Stand()).toOpaque()
        return object.cast()
    }

    package static func paint(_ canvas: Widget, by picture: any Picture) {
        stand(of: canvas)?.picture = picture
    }

    private static func stand(of canvas: Widget?) -> Stand? {
        canvas?.cast(to: Instance.self).pointee.stand.map {
            Unmanaged<Stand>.fromOpaque($0).takeUnretainedValue()
        }
    }

    private static func height(of canvas: Widget?, width: Int32) -> Int32 {
        stand(of: canvas)?.picture?.height(width: width) ?? 0
    }

    private static func arrange(_ canvas: Widget?, width: Int32) {
        stand(of: canvas)?.picture?.arrange(width: width)
    }

    private static func draw(_ canvas: Widget?, on snapshot: OpaquePointer?) {
        guard let canvas, let snapshot else { return }
        stand(of: canvas)?.picture?.draw(snapshot, width: gtk_widget_get_width(canvas))
        var next = gtk_widget_get_first_child(canvas)
        while let child = next {
            gtk_widget_snapshot_child(canvas, child, snapshot)
            next = gtk_widget_get_next_sibling(child)
        }
    }

    private static func dispose(_ object: UnsafeMutablePointer<GObject>) {
        while let child = gtk_widget_get_first_child(object.cast()) { gtk_widget_unparent(child) }
        let stand = object.cast(to: Instance.self).pointee.stand
        object.cast(to: Instance.self).pointee.stand = nil
        if let stand { Unmanaged<Stand>.fromOpaque(stand).release() }
        let above = g_type_class_peek(gtk_widget_get_type())
        above?.assumingMemoryBound(to: GObjectClass.self).pointee.dispose?(object)
    }

    /// The GObject class, registered at the first use.
    private static let type = g_type_register_static_simple(
        gtk_widget_get_type(),
        "KirimCanvas",
        guint(MemoryLayout<GtkWidgetClass>.size),
        { ofClass, _ in
            guard let ofClass else { return }
            ofClass.cast(to: GObjectClass.self).pointee.dispose = { object in
                if let object { Canvas.dispose(object) }
            }
            let widgets = ofClass.cast(to: GtkWidgetClass.self)
            widgets.pointee.get_request_mode = { _ in GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH }
            widgets.pointee.measure = { canvas, orientation, width, minimum, natural, _, _ in
                // A scrolled list asks for heights at no width, too, and does nothing with the answer: with one,
                // every text would be laid out twice.
                let size: Int32 =
                    orientation == GTK_ORIENTATION_HORIZONTAL
                    ? least : width < 0 ? line : Canvas.height(of: canvas, width: width)
                minimum?.pointee = size
                natural?.pointee = size
            }
            widgets.pointee.size_allocate = { canvas, width, _, _ in
                Canvas.arrange(canvas, width: width)
            }
            widgets.pointee.snapshot = { canvas, snapshot in Canvas.draw(canvas, on: snapshot) }
            gtk_widget_class_set_accessible_role(widgets, GTK_ACCESSIBLE_ROLE_LABEL)
        },
        guint(MemoryLayout<Instance>.size),
        nil,
        GTypeFlags(0)
    )
}

/// Narrower than this no canvas becomes.
private let least: Int32 = 200
/// The height of one that was not asked.
private let line: Int32 = 24

/// A text on a canvas.
@MainActor
package final class Lettering {
    private let layout: OpaquePointer
    private var text = ""
    private var looks: [Look] = []
    /// Where it was put last.
    package var x: Int32 = 0
    package var y: Int32 = 0

    /// How a part of the text looks, counted in bytes.
    package struct Look: Hashable {
        package var part: Range<Int>
        package var isBold = false
        package var isItalic = false
        package var isSmall = false
        package var isDim = false

        package init(_ part: Range<Int>) { self.part = part }
    }

    /// In the canvas's font. One that does not `wrap` ends in an ellipsis.
    package init(on canvas: Widget, wraps: Bool = false) {
        layout = made(gtk_widget_create_pango_layout(canvas, nil))
        pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR)
        pango_layout_set_ellipsize(layout, wraps ? PANGO_ELLIPSIZE_NONE : PANGO_ELLIPSIZE_END)
        let plain = PlainBreaks.list()
        pango_layout_set_attributes(layout, plain)
        pango_attr_list_unref(plain)
        if gtk_widget_get_direction(canvas) == GTK_TEXT_DIR_RTL {
            pango_layout_set_alignment(layout, PANGO_ALIGN_RIGHT)
        }
    }

    isolated deinit { g_object_unref(layout.raw) }

    /// In the middle of its width.
    package func centre() { pango_layout_set_alignment(layout, PANGO_ALIGN_CENTER) }

    /// Returns whether anything is another one than before.
    @discardableResult
    package func set(_ text: String, _ looks: [Look] = []) -> Bool {
        guard text != self.text || looks != self.looks else { return false }
        self.text = text
        pango_layout_set_text(layout, text, -1)
        guard looks != self.looks else { return true }
        self.looks = looks
        let list = PlainBreaks.list()
        for look in looks {
            func add(_ attribute: UnsafeMutablePointer<PangoAttribute>?) {
                guard let attribute else { return }
                attribute.pointee.start_index = guint(look.part.lowerBound)
                attribute.pointee.end_index = guint(look.part.upperBound)
                pango_attr_list_insert(list, attribute)
            }
            if look.isBold { add(pango_attr_weight_new(PANGO_WEIGHT_BOLD)) }
            if look.isItalic { add(pango_attr_style_new(PANGO_STYLE_ITALIC)) }
            if look.isSmall { add(pango_attr_scale_new(0.87)) }
            if look.isDim { add(pango_attr_foreground_alpha_new(guint16.max / 100 * 75)) }
        }
        pango_layout_set_attributes(layout, list)
        pango_attr_list_unref(list)
        return true
    }

    /// Pango lays nothing out again where neither text nor width is another one.
    package func height(width: Int32) -> Int32 {
        pango_layout_set_width(layout, width * PANGO_SCALE)
        var height: Int32 = 0
        pango_layout_get_pixel_size(layout, nil, &height)
        return height
    }

    /// Draws it where it was put.
    package func draw(_ snapshot: OpaquePointer, _ colour: GdkRGBA) {
        var (place, colour) = (graphene_point_t(x: Float(x), y: Float(y)), colour)
        gtk_snapshot_save(snapshot)
        gtk_snapshot_translate(snapshot, &place)
        gtk_snapshot_append_layout(snapshot, layout, &colour)
        gtk_snapshot_restore(snapshot)
    }
}
#endif
