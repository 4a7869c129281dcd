// What people were writing when the app locked, in each town of this device. Shown to nobody but them. Not here: drafts
// and posts that wait, which lie sealed in the core's outbox.

import RenrakuCore

struct LeftBehind {
    /// By the town's place on this device, where ids are the town's own: none is the first town.
    private var sketches: [String?: (staff: StaffId, sketch: Sketch)] = [:]

    mutating func keep(_ sketch: Sketch, of staff: StaffId, in place: String?) {
        if sketches[place]?.sketch.id != sketch.id { forget(place) }
        sketches[place] = (staff, sketch)
    }

    /// What this person left in this town. What somebody else left there is discarded.
    mutating func take(of staff: StaffId, in place: String?) -> Sketch? {
        guard let left = sketches[place] else { return nil }
        guard left.staff == staff, !left.sketch.isKept else {
            forget(place)
            return nil
        }
        sketches[place] = nil
        return left.sketch
    }

    mutating func forget(_ staff: StaffId, in place: String?) {
        if sketches[place]?.staff == staff { forget(place) }
    }

    mutating func forget(_ place: String?) {
        sketches[place]?.sketch.discard()
        sketches[place] = nil
    }
}
