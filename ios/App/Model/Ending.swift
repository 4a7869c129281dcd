// What ends the work from outside: a session that is over, a device that the town shut out. Not here: signing out and
// locking, which is AppModel's.

import RenrakuCore

extension Error {
    /// The town says that this device is to be used no more.
    var isRevocation: Bool {
        if case .Certificate("certificate_revoked")? = self as? MobileError { return true }
        return false
    }

    /// Who is at work has to leave: nothing goes on before they sign in again.
    var endsWork: Bool {
        if case .SignedOut? = self as? MobileError { return true }
        return isRevocation
    }
}

extension AppModel {
    /// The work met an error that ends it.
    func ended(by error: Error) async {
        let sentence = Words.sentence(error)
        guard error.isRevocation else { return await leave(saying: sentence) }
        // Anybody on the way may say so; the core asks the town, and only then forgets the device. Until then it goes
        // on as with any other certificate that is refused.
        if !(await leaveRevoked(saying: sentence)) { work?.trouble = sentence }
    }
}
