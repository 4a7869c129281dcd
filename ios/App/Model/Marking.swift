// Marking what a photo must not show: from a finger on the screen to shares of the upright picture, and back. Pure.
// Not here: covering the areas, which the core does before anything leaves.

import Foundation
import RenrakuCore

/// A photo as it lies on the screen: upright, scaled to fit, in the middle of a view. Points are the view's.
struct Marking {
    /// Shorter than this share of a side is a slip of the finger.
    static let least = 0.02
    /// Within this many points a finger has not moved.
    private static let still = 10.0
    /// What a finger meets for certain.
    private static let target = 48.0

    /// Where the picture is.
    let frame: CGRect

    init(picture: CGSize, view: CGSize) {
        guard picture.width > 0, picture.height > 0, view.width > 0, view.height > 0 else {
            frame = .zero
            return
        }
        let scale = min(view.width / picture.width, view.height / picture.height)
        let (width, height) = (picture.width * scale, picture.height * scale)
        frame = CGRect(
            x: (view.width - width) / 2, y: (view.height - height) / 2, width: width, height: height)
    }

    /// The area of a drag, whatever its direction, as far as it is in the picture; none for a slip.
    func mark(from: CGPoint, to: CGPoint, cover: MarkCover, outline: MarkOutline) -> PhotoMark? {
        guard frame.width > 0, frame.height > 0 else { return nil }
        let (a, b) = (share(from), share(to))
        let (width, height) = (abs(a.x - b.x), abs(a.y - b.y))
        guard width >= Self.least, height >= Self.least else { return nil }
        return PhotoMark(
            cover: cover, outline: outline, left: Float(min(a.x, b.x)), top: Float(min(a.y, b.y)),
            width: Float(width), height: Float(height))
    }

    /// The area that a finger makes, while it is on the screen as when it leaves it; none for a tap.
    func drawn(from: CGPoint, to: CGPoint, cover: MarkCover, outline: MarkOutline) -> PhotoMark? {
        isTap(from: from, to: to) ? nil : mark(from: from, to: to, cover: cover, outline: outline)
    }

    /// Where an area is on the screen.
    func area(_ mark: PhotoMark) -> CGRect {
        CGRect(
            x: frame.minX + CGFloat(mark.left) * frame.width, y: frame.minY + CGFloat(mark.top) * frame.height,
            width: CGFloat(mark.width) * frame.width, height: CGFloat(mark.height) * frame.height)
    }

    /// Whether the finger was only put down and lifted.
    func isTap(from: CGPoint, to: CGPoint) -> Bool {
        abs(from.x - to.x) < Self.still && abs(from.y - to.y) < Self.still
    }

    /// The area under a finger, the latest first; else one so small that the finger need not meet it exactly.
    func uppermost(at point: CGPoint, in marks: [PhotoMark]) -> Int? {
        marks.lastIndex { isIn(point, area($0), $0.outline) } ?? marks.lastIndex {
            let area = area($0)
            let (wider, higher) = (max(0, Self.target - area.width), max(0, Self.target - area.height))
            return area.insetBy(dx: -wider / 2, dy: -higher / 2).contains(point)
        }
    }

    private func isIn(_ point: CGPoint, _ area: CGRect, _ outline: MarkOutline) -> Bool {
        switch outline {
        case .rectangle:
            return area.contains(point)
        case .ellipse:
            let x = (point.x - area.midX) / (area.width / 2)
            let y = (point.y - area.midY) / (area.height / 2)
            return x * x + y * y <= 1
        }
    }

    private func share(_ point: CGPoint) -> (x: Double, y: Double) {
        let x = (point.x - frame.minX) / frame.width
        let y = (point.y - frame.minY) / frame.height
        return (Double(min(max(x, 0), 1)), Double(min(max(y, 0), 1)))
    }
}

/// The areas of one photo, and what they were before each change.
struct Marks {
    /// What the core takes.
    static let most = 500

    private(set) var all: [PhotoMark]
    private var before: [[PhotoMark]] = []

    init(_ all: [PhotoMark]) {
        self.all = all
    }

    var canUndo: Bool { !before.isEmpty }

    mutating func add(_ mark: PhotoMark) {
        guard all.count < Self.most else { return }
        before.append(all)
        all.append(mark)
    }

    mutating func remove(at place: Int) {
        guard all.indices.contains(place) else { return }
        before.append(all)
        all.remove(at: place)
    }

    mutating func undo() {
        if let last = before.popLast() { all = last }
    }

    /// What a finger did, from where it was put down to where it was lifted: a tap on an area takes it away, a drag
    /// makes one.
    mutating func touch(from: CGPoint, to: CGPoint, on marking: Marking, cover: MarkCover, outline: MarkOutline) {
        if marking.isTap(from: from, to: to) {
            if let place = marking.uppermost(at: to, in: all) { remove(at: place) }
        } else if let mark = marking.drawn(from: from, to: to, cover: cover, outline: outline) {
            add(mark)
        }
    }
}
