// Sends what waits in the towns of this device in which nobody is at work. Shows nothing to anybody. Not here: who is at
// work, whose posts WorkModel sends; order and retries of a single post, which are the core's.

import RenrakuCore

extension Towns {
    /// One pass over the people of every town but that in use, which may change meanwhile. What is behind a PIN or
    /// signed out waits for its person, and whatever fails is tried again at the next pass.
    func sendWaiting(besides inUse: () -> String?) async {
        for town in await enrolled() {
            for person in (try? await town.device.people()) ?? [] where town.slug != inUse() {
                guard let outbox = try? await town.device.person(staffId: person.staffId).resume().outbox() else { continue }
                _ = try? await outbox.flush(now: true)
                _ = try? await outbox.prepare(progress: nil)
                _ = try? await outbox.flush(now: true)
            }
        }
    }
}
