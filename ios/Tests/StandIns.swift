// Stand-ins for the core's objects, which the models are tested against.

import Foundation
import RenrakuCore
@testable import Renraku

let nurse = Staff(
    id: "01900000-0000-7000-8000-000000000001", facilityId: "01900000-0000-7000-8000-000000000002",
    facilityName: "訪問看護ステーション", name: "試験 花子", profession: .nurse, role: .member)

let town = named("試験町", "shiken")

func named(_ name: String, _ slug: String) -> Municipality {
    Municipality(
        name: name, slug: slug, wordPatient: "支援対象者", wordFacility: "施設", wordStaff: "利用スタッフ",
        wordPost: "投稿", wordLead: "担当者", office: "事務局", telephone: "000-000-0000", hours: "平日",
        postCharsGuidance: 100, videoSeconds: 30, relockSeconds: 60, urgentFlag: true, thumbsAck: true)
}

/// Somebody else of the same facility.
let doctor = Staff(
    id: "01900000-0000-7000-8000-000000000009", facilityId: nurse.facilityId, facilityName: "診療所",
    name: "試験 一郎", profession: .physician, role: .member)

func item(_ id: PostId, _ body: String, _ state: ItemState, of patient: PatientId = "patient") -> Item {
    Item(
        id: id, patientId: patient, state: state, body: body, urgent: false, bodySite: nil, writtenAt: 0,
        textSent: false, media: [], tries: 0, nextTryAt: 0)
}

/// A photo in the scratch folder.
func shot() throws -> Shot {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try Data("x".utf8).write(to: file)
    return Shot(file: file, isVideo: false)
}

func isThere(_ shot: Shot) -> Bool { FileManager.default.fileExists(atPath: shot.file.path) }

/// Waits for what was begun and is not waited for.
@MainActor func soon(_ isSo: () -> Bool) async -> Bool {
    for _ in 0..<2000 where !isSo() { await Task.yield() }
    return isSo()
}

final class FakeSession: RenrakuSession, @unchecked Sendable {
    var who = nurse
    var first = false
    var refusal: MobileError?
    var drafts: [PostDraft] = []
    var out = false
    /// A lock closes the store where there is a PIN.
    var isLocked: () -> Bool = { false }
    var sent: [String] = []
    var whileFlushing: (@MainActor () async -> Void)?
    var whilePreparing: (@MainActor () async -> Void)?
    var prepareRefusal: MobileError?
    /// What stands in the outbox, and what it says to changes.
    var items: [Item] = []
    var composeRefusal: MobileError?
    var changeRefusal: MobileError?
    /// With what the calls that were asked last are stopped.
    var tokens: [CancelToken] = []
    /// What a push is about.
    var told: Unlocked?
    /// The server is not reached.
    var stale = false
    /// What happens while a post is being kept, or changed.
    var whileComposing: (@MainActor () async -> Void)?
    var whileEditing: (@MainActor () async -> Void)?

    override func staff() -> Staff { who }
    override func mustChangePassword() -> Bool { first }
    override func signOut() async throws { out = true }
    override func changePassword(current: String, new: String) async throws { first = false }
    /// The core tells nothing of a push that is another town's.
    override func handlePush(payload: String) async throws -> PushShown {
        PushShown(locked: "新しい連絡があります", unlocked: told)
    }
    override func until(cancelled: CancelToken) -> RenrakuSession {
        tokens.append(cancelled)
        return self
    }
    override func patients() -> RenrakuPatients { FakePatients(of: self) }
    override func posts() -> RenrakuPosts { FakePosts(of: self) }
    override func outbox() -> RenrakuOutbox { FakeOutbox(of: self) }
}

final class FakePosts: RenrakuPosts, @unchecked Sendable {
    private var session: FakeSession!

    convenience init(of session: FakeSession) {
        self.init(noHandle: NoHandle())
        self.session = session
    }

    override func thumbnail(id: MediaId) async throws -> Data {
        throw session.refusal ?? MobileError.NotFound
    }
}

final class FakePatients: RenrakuPatients, @unchecked Sendable {
    private var session: FakeSession!

    convenience init(of session: FakeSession) {
        self.init(noHandle: NoHandle())
        self.session = session
    }

    override func patientLastSeen(id: PatientId) async throws -> PatientSeen? { nil }
    override func patient(id: PatientId) async throws -> PatientSeen { throw MobileError.NotFound }
    override func list() async throws -> PatientsSeen {
        if let refusal = session.refusal { throw refusal }
        return PatientsSeen(patients: [], stale: session.stale, seenAt: nil)
    }
    override func listLastSeen() async throws -> PatientsSeen? { nil }
}

final class FakeOutbox: RenrakuOutbox, @unchecked Sendable {
    private var session: FakeSession!

    convenience init(of session: FakeSession) {
        self.init(noHandle: NoHandle())
        self.session = session
    }

    /// Signing out and locking close the store.
    @MainActor private func mustBeOpen() throws {
        if session.out || session.isLocked() { throw MobileError.Storage(trouble: .locked) }
    }
    override func items() async throws -> [Item] {
        try await MainActor.run {
            try mustBeOpen()
            return session.items
        }
    }
    /// A draft gives place to a post of its id; any other post stays.
    override func compose(draft: PostDraft) async throws -> PostId { try await take(draft) }
    /// Where the tests look at it, too: on the main thread.
    @MainActor private func take(_ draft: PostDraft) async throws -> PostId {
        session.drafts.append(draft)
        await session.whileComposing?()
        try mustBeOpen()
        if let refusal = session.composeRefusal { throw refusal }
        let id = draft.id!.lowercased()
        if let there = session.items.first(where: { $0.id == id }), there.state != .draft { return id }
        for file in draft.attachments {
            guard file.handOver else { throw MobileError.Storage(trouble: .file) }
            try? FileManager.default.removeItem(atPath: file.path)
        }
        session.items.removeAll { $0.id == id }
        session.items.append(item(id, draft.body, draft.keepAsDraft ? .draft : .waiting, of: draft.patientId))
        return id
    }
    override func edit(id: PostId, text: RenrakuCore.Text) async throws {
        await session.whileEditing?()
        try await change(id) { item(id, text.body, $0.state, of: $0.patientId) }
    }
    override func release(id: PostId) async throws {
        try await change(id) { item(id, $0.body, .waiting, of: $0.patientId) }
    }
    override func takeBack(id: PostId) async throws {
        try await change(id) { _ in nil }
    }
    @MainActor private func change(_ id: PostId, _ how: (Item) -> Item?) throws {
        try mustBeOpen()
        if let refusal = session.changeRefusal { throw refusal }
        guard let there = session.items.firstIndex(where: { $0.id == id }) else { throw MobileError.NotFound }
        let before = session.items.remove(at: there)
        if let after = how(before) { session.items.insert(after, at: there) }
    }
    override func prepare(progress: ProgressListener?) async throws -> PrepareReport {
        await MainActor.run { session.sent.append("prepare") }
        await session.whilePreparing?()
        if let refusal = session.prepareRefusal { throw refusal }
        return PrepareReport(made: 0, failed: 0)
    }
    override func flush(now: Bool) async throws -> FlushReport {
        await MainActor.run { session.sent.append("flush") }
        await session.whileFlushing?()
        return FlushReport(sent: 0, failed: 0, remaining: 0, offline: false, nextTryAt: nil)
    }
}

final class FakeDevice: RenrakuDevice, @unchecked Sendable {
    var enrolled: Municipality? = town
    var session = FakeSession(noHandle: RenrakuSession.NoHandle())
    var pin: String?
    var finger = false
    var open = true
    var left: UInt32 = 10
    var due = false
    var diagnosis = Diagnosis.ready
    /// What the town says of itself once the device is enrolled, and why it is not.
    var described = town
    var enrolRefusal: MobileError?
    var signInRefusal: MobileError?
    var asked: [EnrolmentForm] = []
    var known: [KnownPerson] = []
    /// Sessions that others left open.
    var others: [StaffId: FakeSession] = [:]
    var resumed: [StaffId] = []
    var whileSigningIn: (@MainActor () async -> Void)?

    func lockable(_ session: FakeSession) -> FakeSession {
        session.isLocked = { [weak self] in self?.open == false }
        return session
    }
    override func forget() async throws { enrolled = nil }
    override func certificate() -> RenrakuCertificate { FakeCertificate(of: self) }
    override func person(staffId: StaffId) -> RenrakuPerson { FakePerson(of: self, staffId) }
    override func municipality() -> Municipality? { enrolled }
    override func people() async throws -> [KnownPerson] { known }
    override func signIn(loginId: String, password: String) async throws -> RenrakuSession {
        await whileSigningIn?()
        if let signInRefusal { throw signInRefusal }
        (session.out, open) = (false, true)
        return lockable(session)
    }
}

final class FakeCertificate: RenrakuCertificate, @unchecked Sendable {
    private var device: FakeDevice!

    convenience init(of device: FakeDevice) {
        self.init(noHandle: NoHandle())
        self.device = device
    }

    override func diagnose() async throws -> Diagnosis { device.diagnosis }
    override func enrol(form: EnrolmentForm) async throws -> Municipality {
        device.asked.append(form)
        if let refusal = device.enrolRefusal { throw refusal }
        device.enrolled = device.described
        return device.described
    }
    override func status() -> CertificateStatus? {
        CertificateStatus(notBefore: nil, notAfter: 0, renewalDue: device.due)
    }
    override func renew(session: RenrakuSession) async throws -> CertificateStatus {
        device.due = false
        return status()!
    }
}

/// There is one lock on each device, whoever it is.
final class FakePerson: RenrakuPerson, @unchecked Sendable {
    private var device: FakeDevice!
    private var id: StaffId!

    convenience init(of device: FakeDevice, _ id: StaffId) {
        self.init(noHandle: NoHandle())
        (self.device, self.id) = (device, id)
    }

    override func lockState() async throws -> PersonLock {
        PersonLock(pin: device.pin != nil, biometrics: device.finger, triesLeft: device.left)
    }
    override func setPin(current: String?, pin: String) async throws {
        if let known = device.pin, known != current { try await unlockWithPin(pin: current ?? "") }
        device.pin = pin
    }
    override func addBiometrics(pin: String, guarded: Vault) async throws { device.finger = true }
    override func removeBiometrics() async throws { device.finger = false }
    override func lock() async throws { device.open = device.pin == nil }
    override func unlockWithBiometrics(guarded: Vault) async throws {
        guard device.finger else { throw MobileError.Storage(trouble: .locked) }
        device.open = true
    }
    override func unlockWithPin(pin: String) async throws {
        guard pin == device.pin else {
            device.left -= 1
            throw MobileError.Storage(trouble: device.left == 0 ? .wiped : .wrongPin(left: device.left))
        }
        device.open = true
    }
    override func resume() async throws -> RenrakuSession {
        guard device.open else { throw MobileError.Storage(trouble: .locked) }
        device.resumed.append(id)
        return device.lockable(device.others[id] ?? device.session)
    }
    override func forget() async throws {}
}

final class NoVault: Vault {
    func load(name: String) throws -> Data? { nil }
    func store(name: String, secret: Data) throws {}
    func remove(name: String) throws {}
}

extension FakeDevice {
    /// In a town that it is enrolled in, or was not yet.
    static func of(_ town: Municipality, enrolled: Bool = true) -> FakeDevice {
        let device = FakeDevice(noHandle: NoHandle())
        (device.described, device.enrolled) = (town, enrolled ? town : nil)
        return device
    }
}

@MainActor
final class FakeTowns: Towns {
    var last: String?
    var devices: [String?: FakeDevice]
    /// What stands in the way of opening a town.
    var broken: [String?: MobileError] = [:]
    /// Towns that only the vault remembers.
    var found: [String: FakeDevice] = [:]

    init(_ first: FakeDevice, _ others: [String: FakeDevice] = [:]) {
        devices = [nil: first]
        for (slug, device) in others { devices[slug] = device }
    }

    /// Why the towns are not known.
    var listing: MobileError?
    var asked: [String?] = []
    var whileOpening: [String?: @MainActor (AppModel) -> Void] = [:]
    weak var watched: AppModel?

    func known() async throws -> [String] {
        if let listing { throw listing }
        return devices.keys.compactMap { $0 }.sorted()
    }

    func open(town: String?) async throws -> RenrakuDevice {
        asked.append(town)
        if let watched { whileOpening[town]?(watched) }
        if let fault = broken[town] { throw fault }
        if let device = devices[town] { return device }
        guard let slug = town, !slug.contains(" ") else {
            throw MobileError.Invalid(code: "field_invalid", field: "town")
        }
        let device = found[slug] ?? FakeDevice.of(named("\(slug)町", slug), enrolled: false)
        devices[slug] = device
        return device
    }
}
