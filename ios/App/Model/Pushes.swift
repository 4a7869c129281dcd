// Pushes on their way to who is at work, and what is done about them there. Not here: what a push is about, which the
// core finds out.

import RenrakuCore

extension AppModel {
    /// Apple's token of this device, in hexadecimal digits. It may come before or after the sign-in.
    func havePushToken(_ token: String) async {
        pushToken = token
        await registerPush()
    }

    /// A push that arrived while the app is in front: fetches what it is about.
    func pushArrived(_ payload: String) async {
        await work?.take(push: payload, opened: false)
    }

    /// A push that the person touched. Waits for the sign-in when nobody is signed in.
    func pushOpened(_ payload: String) async {
        guard let work else {
            waitingPush = payload
            return
        }
        await work.take(push: payload, opened: true)
    }

    func registerPush() async {
        guard let token = pushToken, let session, work != nil else { return }
        // Not reached is no harm: every start and every sign-in tries again.
        try? await session.registerPush(provider: .apns, token: token)
    }
}

extension WorkModel {
    /// Fetches what a push is about. `opened`: the person touched it, so its patient is shown, or why not is said.
    func take(push payload: String, opened: Bool) async {
        var shown: PushShown?
        await attempt { shown = try await self.asking.handlePush(payload: payload) }
        guard let shown, !closed else { return }
        guard let unlocked = shown.unlocked else {
            if opened { await sayItDidNotOpen() } else { news = shown.locked }
            return
        }
        if opened, let patient = unlocked.patientId {
            // What is being written is left for it, and may not be found again soon.
            await keepSketch()
            guard !closed else { return }
            path = [.timeline(patient)]
            await loadTimeline(patient)
        } else if opened {
            trouble = "\(shown.locked)\nこの連絡は、このアプリでは開けません。"
        } else {
            let parts = [unlocked.patientName, unlocked.authorName, unlocked.preview].compactMap { $0 }
            news = (unlocked.urgent ? "【緊急】" : "") + (parts.isEmpty ? shown.locked : parts.joined(separator: "　"))
        }
        await loadPatients()
    }

    /// Without the network nothing is known of a push; with it, one that is not known is not for this person here.
    private func sayItDidNotOpen() async {
        let reached = await loadPatients()
        guard !closed else { return }
        switch (reached, hasOthers()) {
        case (true, true): trouble = "開けませんでした。ほかの自治体の連絡かもしれません。"
        case (false, true): trouble = "開けませんでした。電波が届かないか、ほかの自治体の連絡です。"
        case (true, false): trouble = "開けませんでした。取り消されたか、担当を外れた連絡かもしれません。"
        case (false, false): trouble = "開けませんでした。電波の届く場所で、もう一度お試しください。"
        }
    }
}
