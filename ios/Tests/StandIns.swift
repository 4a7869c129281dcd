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

final class FakeSession: RenrakuSession, @unchecked Sendable {
    var who = nurse
    var first = false
    var refusal: MobileError?
    var drafts: [PostDraft] = []
    var out = false
    var sent: [String] = []
    var whileFlushing: (@MainActor () -> Void)?
    var prepareRefusal: MobileError?
    /// The server is not reached.
    var stale = false
    /// What happens while a post is being kept.
    var whileComposing: (@MainActor () -> Void)?

    override func staff() -> Staff { who }
    override func mustChangePassword() -> Bool { first }
    override func signOut() async throws { out = true }
    override func compose(draft: PostDraft) async throws -> PostId {
        drafts.append(draft)
        await whileComposing?()
        return draft.id!
    }
    override func changePassword(current: String, new: String) async throws { first = false }
    /// The core tells nothing of a push that is another town's.
    override func handlePush(payload: String) async throws -> PushShown {
        PushShown(locked: "新しい連絡があります", unlocked: nil)
    }
    override func outbox() async throws -> [Item] { [] }
    override func flush(now: Bool) async throws -> FlushReport {
        sent.append("flush")
        await whileFlushing?()
        return FlushReport(sent: 0, failed: 0, remaining: 0, offline: false, nextTryAt: nil)
    }
    override func patients() async throws -> PatientsSeen {
        if let refusal { throw refusal }
        return PatientsSeen(patients: [], stale: stale, seenAt: nil)
    }
    override func until(cancelled: CancelToken) -> RenrakuSession { self }
    override func patientsLastSeen() async throws -> PatientsSeen? { nil }
    override func prepare(progress: ProgressListener?) async throws -> PrepareReport {
        sent.append("prepare")
        if let prepareRefusal { throw prepareRefusal }
        return PrepareReport(made: 0, failed: 0)
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
    var asked: [EnrolmentForm] = []
    var known: [KnownPerson] = []
    var whileSigningIn: (@MainActor () async -> Void)?

    override func diagnose() async throws -> Diagnosis { diagnosis }
    override func enrol(form: EnrolmentForm) async throws -> Municipality {
        asked.append(form)
        if let enrolRefusal { throw enrolRefusal }
        enrolled = described
        return described
    }
    override func forget() async throws { enrolled = nil }
    override func forgetPerson(staffId: StaffId) async throws {}
    override func certificate() -> CertificateStatus? {
        CertificateStatus(notBefore: nil, notAfter: 0, renewalDue: due)
    }
    override func renewCertificate(session: RenrakuSession) async throws -> CertificateStatus {
        due = false
        return certificate()!
    }
    override func personLock(staffId: StaffId) async throws -> PersonLock {
        PersonLock(pin: pin != nil, biometrics: finger, triesLeft: left)
    }
    override func setPin(staffId: StaffId, current: String?, pin: String) async throws { self.pin = pin }
    override func addBiometrics(staffId: StaffId, pin: String, guarded: Vault) async throws { finger = true }
    override func removeBiometrics(staffId: StaffId) async throws { finger = false }
    override func lock(staffId: StaffId) async throws { open = pin == nil }
    override func unlockWithBiometrics(staffId: StaffId, guarded: Vault) async throws {
        guard finger else { throw MobileError.Storage(trouble: .locked) }
        open = true
    }
    override func unlockWithPin(staffId: StaffId, pin: String) async throws {
        guard pin == self.pin else {
            left -= 1
            throw MobileError.Storage(trouble: left == 0 ? .wiped : .wrongPin(left: left))
        }
        open = true
    }
    override func municipality() -> Municipality? { enrolled }
    override func people() async throws -> [KnownPerson] { known }
    override func signIn(loginId: String, password: String) async throws -> RenrakuSession {
        await whileSigningIn?()
        return session
    }
    override func resume(staffId: StaffId) async throws -> RenrakuSession {
        guard open else { throw MobileError.Storage(trouble: .locked) }
        return session
    }
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
