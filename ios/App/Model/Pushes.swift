// Pushes on their way to who is at work. Not here: what a push is about, which the core finds out.

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
