#if GTK
import CGtk
import KirimGtk

/// Where the parts of a row stand, and how they are drawn: a face, beside it name, quote, text and what hangs below, a mark
/// at the end.
extension MessageRow: Picture {
    func height(width: Int32) -> Int32 { place(width: width, putting: false) }

    func arrange(width: Int32) { _ = place(width: width, putting: true) }

    /// The height at this width; puts the parts in their places.
    private func place(width: Int32, putting isFinal: Bool) -> Int32 {
        let inner = min(max(width, 120), RowPaint.widest)
        let start = (max(width, 120) - inner) / 2
        let isMirrored = gtk_widget_get_direction(root) == GTK_TEXT_DIR_RTL
        func flipped(_ x: Int32, _ partWidth: Int32) -> Int32 {
            isMirrored ? width - x - partWidth : x
        }
        func put(_ part: Lettering, _ x: Int32, _ y: Int32, _ partWidth: Int32) -> Int32 {
            part.x = flipped(x, partWidth)
            part.y = y
            return part.height(width: partWidth)
        }
        if look.isSeparator {
            let height = put(separator, start, RowPaint.above, inner)
            return height + 2 * RowPaint.above
        }
        let (body, bodyWidth) = (
            start + RowPaint.gutter, inner - RowPaint.gutter - RowPaint.markWidth
        )
        let top = look.hasHead ? RowPaint.above : 0
        var y = top
        func add(_ child: Widget?) {
            guard let child, gtk_widget_get_visible(child) != 0 else { return }
            let height = child.height(width: bodyWidth)
            if isFinal {
                var place = GtkAllocation(
                    x: flipped(body, bodyWidth),
                    y: y,
                    width: bodyWidth,
                    height: height
                )
                gtk_widget_size_allocate(child, &place, -1)
            }
            y += height + RowPaint.gap
        }
        func addLine(_ line: [Widget]) {
            var (x, high): (Int32, Int32) = (0, 0)
            for part in line {
                let wide = min(part.width, bodyWidth)
                if x > 0, x + wide > bodyWidth {
                    y += high + RowPaint.between
                    (x, high) = (0, 0)
                }
                let height = part.height(width: wide)
                if isFinal {
                    var place = GtkAllocation(
                        x: flipped(body + x, wide),
                        y: y,
                        width: wide,
                        height: height
                    )
                    gtk_widget_size_allocate(part, &place, -1)
                }
                x += wide + RowPaint.between
                high = max(high, height)
            }
            y += high + RowPaint.gap
        }
        if look.hasHead {
            y += put(heading, body, y, bodyWidth) + RowPaint.gap
            let height = put(initial, start, 0, RowPaint.face)
            initial.y = top + 2 + (RowPaint.face - height) / 2
        }
        if look.hasQuote { y += put(quote, body + 10, y, bodyWidth - 10) + RowPaint.gap }
        if look.hasText { y += put(text, body, y, bodyWidth) + RowPaint.gap }
        add(linked)
        for line in foot { addLine(line) }
        var end = y - RowPaint.gap
        if look.hasHead { end = max(end, top + 2 + RowPaint.face) }
        if look.mark != nil {
            let mark = put(
                mark,
                start + inner - RowPaint.markWidth + 8,
                top,
                RowPaint.markWidth - 8
            )
            end = max(end, top + mark)
        }
        return end
    }

    func draw(_ snapshot: OpaquePointer, width: Int32) {
        let context = gtk_widget_get_style_context(root)
        var ink = GdkRGBA()
        gtk_style_context_get_color(context, &ink)
        func colour(_ name: String) -> GdkRGBA {
            var found = ink
            return gtk_style_context_lookup_color(context, name, &found) != 0 ? found : ink
        }
        if look.isSeparator {
            return separator.draw(snapshot, look.isNews ? colour("accent_color") : ink)
        }
        if look.hasHead {
            RowPaint.face(snapshot, at: initial.x, look.colour)
            initial.draw(snapshot, RowPaint.white)
            heading.draw(snapshot, ink)
        }
        if look.hasQuote {
            let isMirrored = gtk_widget_get_direction(root) == GTK_TEXT_DIR_RTL
            RowPaint.bar(
                snapshot,
                at: isMirrored ? width - quote.x + 7 : quote.x - 10,
                quote.y,
                colour("accent_color")
            )
            quote.draw(snapshot, ink)
        }
        if look.hasText { text.draw(snapshot, ink) }
        switch look.mark {
        case .waiting: mark.draw(snapshot, ink)
        case .kept: mark.draw(snapshot, colour("success_color"))
        case .refused: mark.draw(snapshot, colour("error_color"))
        case nil: break
        }
    }
}

/// The measures and colours of a row.
enum RowPaint {
    /// Lines longer than this tire the eye.
    static let widest: Int32 = 820
    static let face: Int32 = 32
    /// The face and the space beside it.
    static let gutter: Int32 = 44
    static let markWidth: Int32 = 28
    static let gap: Int32 = 2
    /// Between the buttons below a text.
    static let between: Int32 = 6
    /// Before somebody else speaks, and round a line across the log.
    static let above: Int32 = 7

    static let white = GdkRGBA(red: 1, green: 1, blue: 1, alpha: 1)
    /// Dark enough for white letters, in any theme: a contrast of 4.5 and more.
    private static let faces: [GdkRGBA] = [
        (0x1A, 0x5F, 0xB4), (0x1B, 0x7A, 0x4B), (0x61, 0x35, 0x83), (0xA5, 0x1D, 0x2D),
        (0xB0, 0x42, 0x00), (0x63, 0x45, 0x2C), (0x00, 0x6D, 0x80), (0x4A, 0x45, 0x57),
    ].map { GdkRGBA(red: $0 / 255, green: $1 / 255, blue: $2 / 255, alpha: 1) }

    /// The same for a name at any time and on any machine.
    static func place(of name: String) -> Int {
        let hash = name.utf8.reduce(UInt32(0x811C_9DC5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        return Int(hash % UInt32(faces.count))
    }

    static func face(_ snapshot: OpaquePointer, at x: Int32, _ place: Int) {
        let size = Float(face)
        var bounds = graphene_rect_t(
            origin: graphene_point_t(x: Float(x), y: Float(above + 2)),
            size: graphene_size_t(width: size, height: size)
        )
        var circle = GskRoundedRect()
        gsk_rounded_rect_init_from_rect(&circle, &bounds, size / 2)
        gtk_snapshot_push_rounded_clip(snapshot, &circle)
        var colour = faces[place]
        gtk_snapshot_append_color(snapshot, &colour, &bounds)
        gtk_snapshot_pop(snapshot)
    }

    static func bar(_ snapshot: OpaquePointer, at x: Int32, _ y: Int32, _ colour: GdkRGBA) {
        var (bounds, colour) = (
            graphene_rect_t(
                origin: graphene_point_t(x: Float(x), y: Float(y)),
                size: graphene_size_t(width: 3, height: 18)
            ), colour
        )
        gtk_snapshot_append_color(snapshot, &colour, &bounds)
    }
}

extension Widget {
    fileprivate var width: Int32 {
        var width: Int32 = 0
        gtk_widget_measure(self, GTK_ORIENTATION_HORIZONTAL, -1, nil, &width, nil, nil)
        return width
    }

    /// Its natural height at this width, or at its own least width where that is more.
    fileprivate func height(width: Int32) -> Int32 {
        var least: Int32 = 0
        gtk_widget_measure(self, GTK_ORIENTATION_HORIZONTAL, -1, &least, nil, nil, nil)
        var height: Int32 = 0
        gtk_widget_measure(
            self,
            GTK_ORIENTATION_VERTICAL,
            max(width, least),
            nil,
            &height,
            nil,
            nil
        )
        return height
    }
}
#endif
