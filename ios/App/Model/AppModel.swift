// The way from the app's start to a signed-in person and back: enrolling, signing in, the first password,
// locking. Knows no screen. Not here: what a signed-in person does, which is WorkModel.

import Combine
import Foundation
import RenrakuCore

@MainActor
final class AppModel: ObservableObject {
    enum Stage: Equatable {
        /// The core is being opened.
        case opening
        /// It could not be opened: `trouble` says why.
        case closed
        case enrol
        case signIn
        /// The PIN of `asked` opens what this device keeps of them.
        case pin
        /// The first password must be changed before anything else.
        case changePassword
        case work
    }

    @Published private(set) var stage = Stage.opening
    @Published private(set) var town: Municipality?
    @Published private(set) var people: [KnownPerson] = []
    @Published private(set) var work: WorkModel?
    /// Whose PIN is asked for.
    @Published private(set) var asked: KnownPerson?
    /// How the store of who is asked for, or at work, is guarded.
    @Published private(set) var lock: PersonLock?
    /// True when the device's certificate is at its end, or was refused: the sign-in screen offers to get another.
    @Published private(set) var mayEnrolAnew = false
    /// What the portal's 2-D code said, to fill in the form; none before one was read.
    @Published private(set) var scanned: EnrolmentForm?
    /// True in the last weeks of the device's certificate.
    @Published private(set) var renewalDue = false
    /// True while a call is under way that the screen must wait for.
    @Published private(set) var busy = false
    /// One sentence for the person, or none.
    @Published var trouble: String?

    private let open: () async throws -> RenrakuDevice
    private let prove: () async -> Bool
    private let guarded: () -> Vault
    private let now: () -> ContinuousClock.Instant
    private var device: RenrakuDevice?
    private var session: RenrakuSession?
    private var pushToken: String?
    /// A push that was opened before anybody was signed in.
    private var waitingPush: String?
    private var leftAt: ContinuousClock.Instant?
    /// What somebody was writing when the app locked; never shown to another person.
    private var locked: (staff: StaffId, sketch: Sketch)?

    /// `open` opens the device; `prove` makes sure that its holder may use it (face, finger, passcode); `guarded`
    /// keeps what only the person's own face or finger gives out; `now` is a clock that nobody can set back.
    init(
        open: @escaping () async throws -> RenrakuDevice,
        prove: @escaping () async -> Bool,
        guarded: @escaping () -> Vault,
        now: @escaping () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) {
        self.open = open
        self.prove = prove
        self.guarded = guarded
        self.now = now
    }

    /// Opens the device. Call it once at the start, and again to retry from `closed`.
    func start() async {
        guard device == nil else { return }
        stage = .opening
        await attempt {
            let device = try await self.open()
            self.device = device
            self.town = device.municipality()
            try await self.toSignIn()
        }
        if device == nil { stage = .closed }
    }

    func enrol(publicUrl: String, slug: String, number: String, password: String, deviceName: String) async {
        guard let device else { return }
        let form = EnrolmentForm(
            publicUrl: trimmed(publicUrl), slug: trimmed(slug), number: trimmed(number),
            password: trimmed(password), deviceName: trimmed(deviceName), platform: .ios)
        await attempt {
            self.town = try await device.enrol(form: form)
            (self.scanned, self.mayEnrolAnew) = (nil, false)
            try await self.toSignIn()
        }
    }

    /// Takes what a camera read, or somebody typed, as the portal's 2-D code.
    func scan(_ text: String) async {
        await attempt {
            self.scanned = try scanSetupCode(text: self.trimmed(text), deviceName: "", platform: .ios)
        }
    }

    /// To the form for another certificate, with a new No. Stores and what waits stay.
    func enrolAnew() {
        (stage, trouble) = (.enrol, nil)
    }

    func signIn(loginId: String, password: String) async {
        guard let device else { return }
        await attempt {
            self.begin(try await device.signIn(loginId: self.trimmed(loginId), password: password))
        }
    }

    /// Goes on with the session that a person left open, after they proved who they are: by their PIN if they
    /// have one.
    func resume(_ person: KnownPerson) async {
        guard let device else { return }
        await attempt {
            let lock = try await device.personLock(staffId: person.staffId)
            if lock.pin {
                (self.stage, self.asked, self.lock) = (.pin, person, lock)
                guard lock.biometrics else { return }
                let guarded = self.guarded()
                try await self.opened(device, person) {
                    try await device.unlockWithBiometrics(staffId: person.staffId, guarded: guarded)
                }
                return
            }
            guard await self.prove() else {
                self.trouble = "ご本人の確認ができませんでした。パスワードでサインインしてください。"
                return
            }
            self.begin(try await device.resume(staffId: person.staffId))
        }
    }

    func unlock(pin: String) async {
        guard let device, let person = asked else { return }
        await attempt {
            try await self.opened(device, person) {
                try await device.unlockWithPin(staffId: person.staffId, pin: pin)
            }
        }
    }

    /// Back from the PIN to the list of people.
    func unask() async {
        await attempt { try await self.toSignIn() }
    }

    private func opened(
        _ device: RenrakuDevice, _ person: KnownPerson, unlock: () async throws -> Void
    ) async throws {
        do {
            try await unlock()
            begin(try await device.resume(staffId: person.staffId))
        } catch let error as MobileError {
            switch error {
            // After the last wrong PIN nobody is left to ask; a session that is over begins with the password.
            case .Storage(.wiped), .SignedOut: try await toSignIn()
            // Not recognised is no harm: the PIN is asked for.
            default: break
            }
            throw error
        }
    }

    // MARK: What guards this device

    /// Sets the PIN of who is at work, or another one; `current` is none for the first.
    func setPin(current: String?, pin: String, again: String) async {
        await guarding { device, staff in
            guard pin == again else { return "新しいPINが一致しません。もう一度入力してください。" }
            try await device.setPin(staffId: staff, current: current, pin: pin)
            return "PINを設定しました。次からは、PINで開きます。"
        }
    }

    /// Lets the face or finger of who is at work open their store beside the PIN, or not any more.
    func useBiometrics(pin: String) async {
        let guarded = guarded()
        await guarding { device, staff in
            try await device.addBiometrics(staffId: staff, pin: pin, guarded: guarded)
            return "顔・指紋でも開けるようになりました。"
        }
    }

    func dropBiometrics() async {
        await guarding { device, staff in
            try await device.removeBiometrics(staffId: staff)
            return "顔・指紋では開かないようにしました。"
        }
    }

    private func guarding(_ change: (RenrakuDevice, StaffId) async throws -> String) async {
        guard let device, let staff = work?.staff.id else { return }
        await attempt {
            let done = try await change(device, staff)
            self.lock = try await device.personLock(staffId: staff)
            self.trouble = done
        }
    }

    /// Renews the device's certificate; who is at work vouches. Everybody signs in again afterwards.
    func renew() async {
        guard let device, let session else { return }
        var renewed = false
        await attempt {
            _ = try await device.renewCertificate(session: session)
            renewed = true
        }
        if renewed { await leave(saying: "証明書を更新しました。もう一度サインインしてください。") }
    }

    // MARK: The first password, and out

    func changePassword(current: String, new: String, again: String) async {
        guard let session else { return }
        guard new == again else {
            trouble = "新しいパスワードが一致しません。もう一度入力してください。"
            return
        }
        await attempt {
            try await session.changePassword(current: current, new: new)
            self.begin(session)
        }
    }

    func signOut() async {
        let ending = session
        work?.dropSketch()
        await attempt {
            try await ending?.signOut()
        }
        await leave(saying: trouble)
    }

    /// Finds out why this device cannot get in, and says it.
    func diagnose() async {
        guard let device else { return }
        await attempt {
            let found = try await device.diagnose()
            self.trouble = Words.sentence(found)
            switch found {
            case .notEnrolled, .refused: self.mayEnrolAnew = true
            case .ready, .offline: self.mayEnrolAnew = false
            }
        }
    }

    /// Forgets a person on this device. What they did not send is lost: ask before.
    func forget(_ person: KnownPerson) async {
        guard let device else { return }
        await attempt {
            try await device.forgetPerson(staffId: person.staffId)
            self.people = try await device.people()
        }
    }

    /// Forgets everybody and the certificate: the device must enrol again. Ask before.
    func forgetDevice() async {
        guard let device else { return }
        await attempt {
            try await device.forget()
            (self.town, self.mayEnrolAnew) = (nil, false)
            try await self.toSignIn()
        }
    }

    // MARK: Coming and going

    /// The app went to the background.
    func left() {
        leftAt = now()
    }

    /// The app came to the front: locks when it was away for too long, else catches up.
    func returned() async {
        defer { leftAt = nil }
        guard let work, let town else { return }
        if let leftAt, now() - leftAt >= .seconds(Int64(town.relockSeconds)) {
            await leave(saying: nil)
        } else {
            await work.catchUp()
        }
    }

    // MARK: Pushes

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

    // MARK: Inside

    private func begin(_ session: RenrakuSession) {
        self.session = session
        guard !session.mustChangePassword() else {
            stage = .changePassword
            return
        }
        guard let town else { return }
        let work = WorkModel(session: session, town: town) { [weak self] sentence in
            await self?.leave(saying: sentence)
        }
        if let locked, locked.staff == work.staff.id, !locked.sketch.isKept {
            work.sketch = locked.sketch
            work.path = [.timeline(locked.sketch.patientId), .compose(locked.sketch.patientId)]
        } else {
            locked?.sketch.discard()
        }
        locked = nil
        self.work = work
        asked = nil
        renewalDue = device?.certificate()?.renewalDue ?? false
        stage = .work
        let push = waitingPush
        waitingPush = nil
        Task {
            self.lock = try? await self.device?.personLock(staffId: work.staff.id)
            await work.catchUp()
            await self.registerPush()
            if let push { await work.take(push: push, opened: true) }
        }
    }

    private func registerPush() async {
        guard let token = pushToken, let session, work != nil else { return }
        // Not reached is no harm: every start and every sign-in tries again.
        try? await session.registerPush(provider: .apns, token: token)
    }

    private func leave(saying sentence: String?) async {
        session = nil
        if let work, let sketch = work.sketch, !sketch.isEmpty { locked = (work.staff.id, sketch) }
        let leaving = work?.staff.id
        work?.close()
        work = nil
        await attempt {
            if let leaving { try await self.device?.lock(staffId: leaving) }
            try await self.toSignIn()
        }
        if let sentence { trouble = sentence }
    }

    private func toSignIn() async throws {
        guard let device else { return }
        stage = town == nil ? .enrol : .signIn
        (asked, lock) = (nil, nil)
        people = try await device.people()
    }

    private func attempt(_ work: () async throws -> Void) async {
        busy = true
        trouble = nil
        do {
            try await work()
        } catch {
            trouble = Words.sentence(error)
            if case MobileError.SignedOut("password_change_required") = error { stage = .changePassword }
            if case MobileError.Certificate = error { mayEnrolAnew = true }
        }
        busy = false
    }

    private func trimmed(_ text: String) -> String {
        text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
