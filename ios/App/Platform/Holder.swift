// Makes sure that who holds the device may open it: face, finger or the device's passcode.
// Not here: who is signed in. On a shared device the passcode is shared too: people sign out there.

import LocalAuthentication

enum Holder {
    /// True when this device knows a face or finger, and may be asked for it now.
    static var isRecognisable: Bool {
        LAContext().canEvaluatePolicy(.deviceOwnerAuthenticationWithBiometrics, error: nil)
    }

    /// True when the holder proved it. False too on a device without a passcode.
    static func prove() async -> Bool {
        let context = LAContext()
        guard context.canEvaluatePolicy(.deviceOwnerAuthentication, error: nil) else { return false }
        let reason = "支援対象者の情報を開くため"
        return (try? await context.evaluatePolicy(.deviceOwnerAuthentication, localizedReason: reason)) ?? false
    }
}
