// The way from the app's start to a signed-in person and back: enrolling, signing in, the first password,
// locking, changing the town. Knows no screen. Not here: what a signed-in person does, which is WorkModel; certificates,
// passwords, PIN and biometrics, which are in Enrolling, Entering, Unlocking and Guarding; pushes, which are in Pushes;
// what ends the work from outside, which is in Ending.

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
    /// The other towns that this device has a certificate of, by name.
    @Published private(set) var others: [TownChoice] = []
    /// True while the enrolment form is for a further town.
    @Published private(set) var adding = false
    @Published private(set) var people: [KnownPerson] = []
    @Published private(set) var work: WorkModel?
    /// Whose PIN is asked for.
    @Published private(set) var asked: KnownPerson?
    /// How the store of who is asked for, or at work, is guarded.
    @Published var lock: PersonLock?
    /// True when the device's certificate is at its end, or was refused: the sign-in screen offers to get another.
    @Published private(set) var mayEnrolAnew = false
    /// What the portal's 2-D code said, to fill in the form; none before one was read.
    @Published private(set) var scanned: EnrolmentForm?
    /// True in the last weeks of the device's certificate.
    @Published private(set) var renewalDue = false
    /// True while a call is under way that the screen must wait for.
    @Published private(set) var busy = false
    /// One sentence for the person, of what went wrong or of what was done, or none.
    @Published var trouble: String?
    @Published var done: String?

    let guarded: () -> Vault?
    let towns: Towns
    let prove: () async -> Bool
    private let sweep: ([URL]) -> Void
    private let now: () -> ContinuousClock.Instant
    /// The device in the town in use, which is at `place` among the towns.
    private(set) var device: RenrakuDevice?
    private(set) var place: String?
    private(set) var session: RenrakuSession?
    var pushToken: String?
    /// A push that was opened before anybody was signed in.
    var waitingPush: String?
    private var leftAt: ContinuousClock.Instant?
    /// What people were writing when the app locked.
    var leftBehind = LeftBehind()
    /// A pass over what waits in the other towns is under way.
    private var sending = false
    private var switchedAt: ContinuousClock.Instant?
    /// How many calls are under way.
    private var calls = 0

    /// `towns` open the device; `prove` makes sure that its holder may use it (face, finger, passcode); `guarded`
    /// keeps what only the person's own face or finger gives out, or is none where none can be recognised; `sweep`
    /// removes what lies in the clear but these files; `now` is a clock that nobody can set back.
    init(
        towns: Towns,
        prove: @escaping () async -> Bool,
        guarded: @escaping () -> Vault?,
        sweep: @escaping ([URL]) -> Void = { _ in },
        now: @escaping () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) {
        self.towns = towns
        self.prove = prove
        self.guarded = guarded
        self.sweep = sweep
        self.now = now
    }

    /// Opens the device in the town that was in use last. Call it once at the start, and again to retry from `closed`.
    func start() async {
        guard device == nil, !busy else { return }
        stage = .opening
        await attempt {
            let home = try await self.towns.home()
            try await self.use(home.device, at: home.slug)
        }
        if device == nil { stage = .closed }
        await findOthers()
    }

    /// Takes what a camera read, or somebody typed, as the portal's 2-D code.
    func scan(_ text: String) async {
        await attempt {
            self.scanned = try scanSetupCode(text: self.trimmed(text), deviceName: "", platform: .ios)
        }
    }

    /// To the form for another certificate, with a new No. Stores and what waits stay.
    func enrolAnew() {
        if !busy { (stage, trouble, done) = (.enrol, nil, nil) }
    }

    // MARK: Several towns

    /// To the form for the certificate of a further town. The town in use stays as it is until that is there.
    func addTown() {
        guard stage == .signIn, !busy else { return }
        (stage, adding, scanned, trouble, done) = (.enrol, true, nil, nil, nil)
    }

    /// To another town of this device: its people, their sessions and stores are its own. Not at once again: at the
    /// second tap of two, the same row leads back.
    func switchTown(_ choice: TownChoice) async {
        guard stage == .signIn else { return }
        if let switchedAt, now() - switchedAt < .seconds(1) { return }
        await act {
            let device = try await self.towns.open(town: choice.slug)
            // Its certificate was revoked meanwhile.
            guard device.municipality() != nil else {
                self.trouble = problemSentence(code: "certificate_missing")
                return
            }
            self.towns.last = choice.slug
            try await self.use(device, at: choice.slug)
            self.switchedAt = self.now()
        }
        await findOthers()
    }

    func use(_ device: RenrakuDevice, at place: String?) async throws {
        (self.device, self.place, town, mayEnrolAnew) = (device, place, device.municipality(), false)
        others.removeAll { $0.slug == place }
        try await toSignIn()
    }

    /// Opens the others, which the screen does not wait for.
    func findOthers() async {
        let here = place
        let found = await towns.choices(besides: here)
        if here == place { others = found }
    }

    // MARK: Out

    /// What is being written is kept as a draft; only where it cannot be it is left behind here.
    func signOut() async {
        guard !busy else { return }
        let (ending, leaving) = (session, work)
        var why: String?
        await attempt {
            why = await leaving?.keepSketch()
            if why == nil { leaving?.dropSketches() }
            try await ending?.signOut()
        }
        await leave(saying: trouble ?? why)
    }

    /// Finds out why this device cannot get in, and says it.
    func diagnose() async {
        guard let device else { return }
        await act {
            let found = try await device.certificate().diagnose()
            if case .ready = found { self.done = Words.sentence(found) } else { self.trouble = Words.sentence(found) }
            switch found {
            case .notEnrolled, .refused: self.mayEnrolAnew = true
            case .ready, .offline: self.mayEnrolAnew = false
            }
        }
        await leaveRevoked(saying: trouble)
    }

    /// Forgets a person on this device. What they did not send is lost: ask before.
    func forget(_ person: KnownPerson) async {
        guard let device else { return }
        await act {
            try await device.person(staffId: person.staffId).forget()
            self.leftBehind.forget(person.staffId, in: self.place)
            self.people = try await device.people()
        }
    }

    /// Forgets everybody of the town in use, and its certificate: to another town, or to the form. Ask before.
    func forgetDevice() async {
        guard let device else { return }
        await act {
            try await device.forget()
            self.leftBehind.forget(self.place)
            try await self.goHome()
        }
        if self.device == nil { stage = .closed }
        await findOthers()
    }

    /// The town in use is forgotten: to another town, or to the form.
    private func goHome() async throws {
        (device, town) = (nil, nil)
        let home = try await towns.home()
        towns.last = home.slug
        try await use(home.device, at: home.slug)
    }

    /// When the town revoked this device, the core has forgotten it: nothing of it is shown or kept here any more.
    /// False when the device is still enrolled, and nothing was done.
    @discardableResult
    func leaveRevoked(saying sentence: String?) async -> Bool {
        guard let town, let device, device.municipality() == nil else { return false }
        let (name, leaving) = (town.name, work)
        (session, work, waitingPush) = (nil, nil, nil)
        leaving?.close()
        leaving?.dropSketches()
        leftBehind.forget(place)
        sweep(leftBehind.files)
        await attempt { try await self.goHome() }
        if self.device == nil { stage = .closed }
        // On another town's screen it is said whose certificate it was.
        if let sentence { trouble = stage == .signIn ? "\(name)：\(sentence)" : sentence }
        await findOthers()
        return true
    }

    // MARK: Coming and going

    /// The app went to the background, and may be ended there.
    func left() {
        leftAt = now()
        if let work { Task { await work.keepSketch() } }
    }

    /// The app came to the front: locks when it was away for too long, else catches up.
    func returned() async {
        // It may be left again before this has ended.
        let left = leftAt
        leftAt = nil
        if let work, let town {
            if let left, now() - left >= .seconds(Int64(town.relockSeconds)) {
                await leave(saying: nil)
            } else {
                await work.catchUp()
            }
        }
        if device != nil { await sendElsewhere() }
    }

    // MARK: Inside

    /// Goes on with a session of the device that was asked for it. That is the one in use, or else nobody signs in:
    /// the session of one town is not shown as another's.
    func begin(_ session: RenrakuSession, of asked: RenrakuDevice) async {
        guard asked === device else {
            try? await session.signOut()
            return
        }
        self.session = session
        guard !session.mustChangePassword() else {
            stage = .changePassword
            return
        }
        guard let town else { return }
        // At work already, when the first password was asked for again: that writing goes on, too.
        if let before = self.work {
            before.close()
            await leaveBehind(before)
        }
        let work = WorkModel(
            session: session, town: town, hasOthers: { [weak self] in self?.others.isEmpty == false },
            onEnded: { [weak self] error in await self?.ended(by: error) })
        if let left = leftBehind.take(of: work.staff.id, in: place) { work.restore(left) }
        self.work = work
        self.asked = nil
        renewalDue = device?.certificate().status()?.renewalDue ?? false
        stage = .work
        let push = waitingPush
        waitingPush = nil
        Task {
            self.lock = try? await self.device?.person(staffId: work.staff.id).lockState()
            await work.catchUp()
            await self.registerPush()
            if let push { await work.take(push: push, opened: true) }
            await self.sendElsewhere()
        }
    }

    /// What is being written is kept as a draft, and left behind for its writer. `sentence` says what went wrong, `done`
    /// what was done.
    func leave(saying sentence: String?, done: String? = nil) async {
        let leaving = work
        (session, work) = (nil, nil)
        leaving?.close()
        var why: String?
        await attempt {
            if let leaving {
                why = await self.leaveBehind(leaving)
                try await self.device?.person(staffId: leaving.staff.id).lock()
            }
            try await self.toSignIn()
        }
        if let sentence = sentence ?? why { trouble = sentence }
        if let done { self.done = done }
    }

    /// Gives why not all of it is a draft.
    @discardableResult
    private func leaveBehind(_ work: WorkModel) async -> String? {
        let (left, why) = await work.unfinished()
        leftBehind.keep(left, of: work.staff.id, in: place)
        return why
    }

    private func sendElsewhere() async {
        guard !sending else { return }
        sending = true
        await towns.sendWaiting { self.work.map { (self.place, $0.staff.id) } }
        sending = false
    }

    func ask(_ person: KnownPerson, _ lock: PersonLock) {
        (stage, asked, self.lock) = (.pin, person, lock)
    }

    func toSignIn() async throws {
        guard let device else { return }
        stage = town == nil ? .enrol : .signIn
        (asked, lock, adding, scanned) = (nil, nil, false, nil)
        people = try await device.people()
    }

    /// What a person asks for. Does nothing while something else is under way, which may change the device or the
    /// session that they asked.
    func act(_ work: () async throws -> Void) async {
        if !busy { await attempt(work) }
    }

    func attempt(_ work: () async throws -> Void) async {
        calls += 1
        busy = true
        (trouble, done) = (nil, nil)
        do {
            try await work()
        } catch {
            trouble = Words.sentence(error)
            if case MobileError.SignedOut("password_change_required") = error { stage = .changePassword }
            // A No that was refused for a further town says nothing of the town in use.
            if case MobileError.Certificate = error, !adding { mayEnrolAnew = true }
            if error.isRevocation { await leaveRevoked(saying: trouble) }
        }
        calls -= 1
        busy = calls > 0
    }

    func trimmed(_ text: String) -> String {
        text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
