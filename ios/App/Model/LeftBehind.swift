// What people were writing when the app locked, in each town of this device. Shown to nobody but them. Not here: drafts
// and posts that wait, which lie sealed in the core's outbox.

import Foundation
import RenrakuCore

/// What a person had begun and not finished.
struct Unfinished {
    var sketch: Sketch?
    /// What was put aside for the sketch, and could not be kept yet.
    var aside: [Sketch] = []
    var editing: Editing?

    var sketches: [Sketch] { aside + [sketch].compactMap { $0 } }
    var isNothing: Bool { sketches.isEmpty && editing == nil }
}

struct LeftBehind {
    /// By the town's place on this device, where ids are the town's own: none is the first town.
    private var left: [String?: (staff: StaffId, what: Unfinished)] = [:]

    /// What of it lies in the clear.
    var files: [URL] { left.values.flatMap(\.what.sketches).flatMap(\.shots).map(\.file) }

    mutating func keep(_ what: Unfinished, of staff: StaffId, in place: String?) {
        guard !what.isNothing else { return }
        let again = Set(what.sketches.map(\.id))
        left[place]?.what.sketches.filter { !again.contains($0.id) }.forEach { $0.discard() }
        left[place] = (staff, what)
    }

    /// What this person left in this town. What somebody else left there is discarded: as far as it could be kept, it
    /// is a draft of theirs.
    mutating func take(of staff: StaffId, in place: String?) -> Unfinished? {
        guard let found = left[place] else { return nil }
        guard found.staff == staff else {
            forget(place)
            return nil
        }
        left[place] = nil
        return found.what
    }

    mutating func forget(_ staff: StaffId, in place: String?) {
        if left[place]?.staff == staff { forget(place) }
    }

    mutating func forget(_ place: String?) {
        left[place]?.what.sketches.forEach { $0.discard() }
        left[place] = nil
    }
}
