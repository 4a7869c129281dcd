// Sends what waits of the people of this device who are not at work, in each of its towns. Shows nothing to anybody. Not
// here: who is at work, whose posts WorkModel sends; order and retries of a single post, which are the core's.

import RenrakuCore

/// Who is at work, and in which town: none is the first.
typealias Seat = (slug: String?, staff: StaffId)

extension Towns {
    /// One pass over the people of every town but who is at work, which may change meanwhile: it is asked before each
    /// step. Two who send for the same person wait for each other in the core. What is behind a PIN or signed out waits
    /// for its person, and whatever fails is tried again at the next pass.
    func sendWaiting(besides atWork: () -> Seat?) async {
        for town in await enrolled() {
            for person in (try? await town.device.people()) ?? [] {
                func isAway() -> Bool { atWork().map { $0 != (town.slug, person.staffId) } ?? true }
                guard isAway(), let outbox = try? await town.device.person(staffId: person.staffId).resume().outbox()
                else { continue }
                if isAway() { _ = try? await outbox.flush(now: true) }
                if isAway() { _ = try? await outbox.prepare(progress: nil) }
                if isAway() { _ = try? await outbox.flush(now: true) }
            }
        }
    }
}
