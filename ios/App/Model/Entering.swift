// Signing in with a password, and the first change of it. Not here: going on with a session that was left open, which is
// in Unlocking.

extension AppModel {
    func signIn(loginId: String, password: String) async {
        guard let device else { return }
        await act {
            let session = try await device.signIn(loginId: self.trimmed(loginId), password: password)
            await self.begin(session, of: device)
        }
    }

    /// Back from the PIN to the list of people.
    func unask() async {
        await act { try await self.toSignIn() }
    }

    func changePassword(current: String, new: String, again: String) async {
        guard let device, let session else { return }
        guard new == again else {
            trouble = "新しいパスワードが一致しません。もう一度入力してください。"
            return
        }
        await act {
            try await session.changePassword(current: current, new: new)
            await self.begin(session, of: device)
        }
    }
}
