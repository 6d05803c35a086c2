#if GTK
import CGtk
import KirimGtk

/// Where the parts of a row stand: an avatar, beside it name, quote, text and what hangs below, a mark at the end.
///
/// Nested boxes ask a wrapping label for its width at many heights, with a layout of the text each. A row never needs
/// that, and this layout asks once: it is the difference between 20 and 60 frames a second in a flood.
enum RowLayout {
    /// The parts, in the order in which they are the row's children.
    enum Part: Int {
        case separator, avatar, head, quote, text, foot, mark
    }

    static func make() -> UnsafeMutablePointer<GtkLayoutManager> {
        made(
            gtk_custom_layout_new(
                { _ in GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH },
                { row, orientation, width, minimum, natural, _, _ in
                    guard let row, let minimum, let natural else { return }
                    if orientation == GTK_ORIENTATION_VERTICAL {
                        minimum.pointee = arrange(row, width: width, isFinal: false)
                        natural.pointee = minimum.pointee
                    } else {
                        minimum.pointee = 200
                        natural.pointee = 400
                    }
                },
                { row, width, _, _ in
                    if let row { _ = arrange(row, width: width, isFinal: true) }
                }
            )
        )
    }
}

/// Lines longer than this tire the eye.
private let widest: Int32 = 820
/// The avatar and the space beside it.
private let gutter: Int32 = 44
private let avatarSize: Int32 = 32
private let markWidth: Int32 = 28
private let gap: Int32 = 2

// A closure for C may call functions of the file, and nothing that needs a type around it.

/// The height of the row at this width; puts the parts in their places where that is asked for.
private func arrange(_ row: Widget, width: Int32, isFinal: Bool) -> Int32 {
    let inner = min(max(width, 120), widest)
    let start = (max(width, 120) - inner) / 2
    let isMirrored = gtk_widget_get_direction(row) == GTK_TEXT_DIR_RTL
    func put(_ part: Widget, _ x: Int32, _ y: Int32, _ partWidth: Int32, _ height: Int32) {
        guard isFinal else { return }
        var place = GtkAllocation(
            x: isMirrored ? width - x - partWidth : x,
            y: y,
            width: partWidth,
            height: height
        )
        gtk_widget_size_allocate(part, &place, -1)
    }
    var y: Int32 = 0
    var top: Int32 = 0
    var bodyEnd: Int32 = 0
    let bodyWidth = inner - gutter - markWidth
    var index = 0
    var next = gtk_widget_get_first_child(row)
    while let child = next, let part = RowLayout.Part(rawValue: index) {
        defer {
            index += 1
            next = gtk_widget_get_next_sibling(child)
        }
        guard gtk_widget_get_visible(child) != 0 else { continue }
        switch part {
        case .separator:
            let height = height(of: child, inner)
            put(child, start, 0, inner, height)
            y = height
            top = height
            bodyEnd = height
        case .avatar:
            put(child, start, top + 2, avatarSize, avatarSize)
            bodyEnd = max(bodyEnd, top + 2 + avatarSize)
        case .head, .quote, .text, .foot:
            let height = height(of: child, bodyWidth)
            put(child, start + gutter, y, bodyWidth, height)
            y += height + gap
            bodyEnd = max(bodyEnd, y - gap)
        case .mark:
            let height = height(of: child, markWidth)
            put(child, start + inner - markWidth, top, markWidth, height)
            bodyEnd = max(bodyEnd, top + height)
        }
    }
    return bodyEnd
}

private func height(of part: Widget, _ width: Int32) -> Int32 {
    // GTK wants no less than the part's own least width.
    var least: Int32 = 0
    gtk_widget_measure(part, GTK_ORIENTATION_HORIZONTAL, -1, &least, nil, nil, nil)
    var height: Int32 = 0
    gtk_widget_measure(part, GTK_ORIENTATION_VERTICAL, max(width, least), nil, &height, nil, nil)
    return height
}
#endif
