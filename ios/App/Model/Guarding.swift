// What guards the store of who is at work, and this device's certificate: what the screen 「この端末の安全」 does.

import RenrakuCore

extension AppModel {
    /// Whether this device can recognise a face or finger now: else none is offered.
    var canRecognise: Bool { guarded() != nil }

    /// Sets the PIN of who is at work, or another one; `current` is none for the first.
    func setPin(current: String?, pin: String, again: String) async {
        guard pin == again else {
            (trouble, done) = ("新しいPINが一致しません。もう一度入力してください。", nil)
            return
        }
        await guarding { device, staff in
            try await device.person(staffId: staff).setPin(current: current, pin: pin)
            return "PINを設定しました。次からは、PINで開きます。"
        }
    }

    /// Lets the face or finger of who is at work open their store beside the PIN, or not any more.
    func useBiometrics(pin: String) async {
        guard let guarded = guarded() else { return }
        await guarding { device, staff in
            try await device.person(staffId: staff).addBiometrics(pin: pin, guarded: guarded)
            return "顔・指紋でも開けるようになりました。"
        }
    }

    func dropBiometrics() async {
        await guarding { device, staff in
            try await device.person(staffId: staff).removeBiometrics()
            return "顔・指紋では開かないようにしました。"
        }
    }

    private func guarding(_ change: (RenrakuDevice, StaffId) async throws -> String) async {
        guard let device, let staff = work?.staff.id else { return }
        var wiped: String?
        await act {
            do {
                self.done = try await change(device, staff)
            } catch MobileError.Storage(.wiped) {
                // The last wrong PIN: nothing of them is here any more, nor what they are writing.
                self.work?.dropSketches()
                self.work?.editing = nil
                wiped = storageSentence(trouble: .wiped)
                return
            }
            self.lock = try await device.person(staffId: staff).lockState()
        }
        if let wiped { await leave(saying: wiped) }
    }

    /// Renews the device's certificate; who is at work vouches. Everybody signs in again afterwards.
    func renew() async {
        guard let device, let session else { return }
        var renewed = false
        await act {
            _ = try await device.certificate().renew(session: session)
            renewed = true
        }
        if renewed { await leave(saying: nil, done: "証明書を更新しました。もう一度サインインしてください。") }
    }
}
