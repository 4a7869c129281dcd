// Going on with the session that a person left open: by the PIN, face or finger that they set, or else by whatever
// proves who holds the device.

import RenrakuCore

extension AppModel {
    /// Goes on with the session that a person left open, after they proved who they are: by their PIN if they
    /// have one.
    func resume(_ person: KnownPerson) async {
        guard let device else { return }
        await act {
            let lock = try await device.person(staffId: person.staffId).lockState()
            if lock.pin {
                self.ask(person, lock)
                guard lock.biometrics, let guarded = self.guarded() else { return }
                try await self.opened(device, person) {
                    try await device.person(staffId: person.staffId).unlockWithBiometrics(guarded: guarded)
                }
                return
            }
            guard await self.prove() else {
                self.trouble = "ご本人の確認ができませんでした。パスワードでサインインしてください。"
                return
            }
            await self.begin(try await device.person(staffId: person.staffId).resume(), of: device)
        }
    }

    func unlock(pin: String) async {
        guard let device, let person = asked else { return }
        await act {
            try await self.opened(device, person) {
                try await device.person(staffId: person.staffId).unlockWithPin(pin: pin)
            }
        }
    }

    private func opened(
        _ device: RenrakuDevice, _ person: KnownPerson, unlock: () async throws -> Void
    ) async throws {
        do {
            try await unlock()
            await begin(try await device.person(staffId: person.staffId).resume(), of: device)
        } catch let error as MobileError {
            switch error {
            // After the last wrong PIN nobody is left to ask, nor is anything of them.
            case .Storage(.wiped):
                leftBehind.forget(person.staffId, in: place)
                try await toSignIn()
            // A session that is over begins with the password.
            case .SignedOut: try await toSignIn()
            // Not recognised is no harm: the PIN is asked for.
            default: break
            }
            throw error
        }
    }
}
