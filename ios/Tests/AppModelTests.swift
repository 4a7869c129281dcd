// The way in and out, against stand-ins for the core's objects.

import RenrakuCore
import XCTest
@testable import Renraku

private let nurse = Staff(
    id: "01900000-0000-7000-8000-000000000001", facilityId: "01900000-0000-7000-8000-000000000002",
    facilityName: "訪問看護ステーション", name: "試験 花子", profession: .nurse, role: .member)

private let town = Municipality(
    name: "試験町", slug: "shiken", wordPatient: "支援対象者", wordFacility: "施設", wordStaff: "利用スタッフ",
    wordPost: "投稿", wordLead: "担当者", office: "事務局", telephone: "000-000-0000", hours: "平日",
    postCharsGuidance: 100, videoSeconds: 30, relockSeconds: 60)

private final class FakeSession: RenrakuSession, @unchecked Sendable {
    var who = nurse
    var first = false
    var refusal: MobileError?

    override func staff() -> Staff { who }
    override func mustChangePassword() -> Bool { first }
    override func changePassword(current: String, new: String) async throws { first = false }
    override func outbox() async throws -> [Item] { [] }
    override func flush(now: Bool) async throws -> FlushReport {
        FlushReport(sent: 0, failed: 0, remaining: 0, offline: false, nextTryAt: nil)
    }
    override func patients() async throws -> PatientsSeen {
        if let refusal { throw refusal }
        return PatientsSeen(patients: [], stale: false)
    }
}

private final class FakeDevice: RenrakuDevice, @unchecked Sendable {
    var enrolled: Municipality? = town
    var session = FakeSession(noHandle: RenrakuSession.NoHandle())

    override func municipality() -> Municipality? { enrolled }
    override func people() async throws -> [KnownPerson] { [] }
    override func signIn(loginId: String, password: String) async throws -> RenrakuSession { session }
    override func resume(staffId: StaffId) async throws -> RenrakuSession { session }
}

@MainActor
final class AppModelTests: XCTestCase {
    private let device = FakeDevice(noHandle: RenrakuDevice.NoHandle())
    private var time = ContinuousClock.now
    private var proven = true

    private func started() async -> AppModel {
        let model = AppModel(
            open: { self.device }, prove: { self.proven }, now: { self.time })
        await model.start()
        return model
    }

    func testAFreshDeviceEnrols() async {
        device.enrolled = nil
        let model = await started()
        XCTAssertEqual(model.stage, .enrol)
    }

    func testADeviceThatDoesNotOpenSaysWhyAndTriesAgain() async {
        var locked = true
        let model = AppModel(
            open: {
                if locked { throw MobileError.Storage(trouble: .locked) }
                return self.device
            }, prove: { true })
        await model.start()
        XCTAssertEqual(model.stage, .closed)
        XCTAssertEqual(model.trouble, Words.sentence(MobileError.Storage(trouble: .locked)))
        locked = false
        await model.start()
        XCTAssertEqual(model.stage, .signIn)
    }

    func testTheFirstPasswordIsChangedBeforeTheWork() async {
        device.session.first = true
        let model = await started()
        await model.signIn(loginId: " nurse ", password: "first")
        XCTAssertEqual(model.stage, .changePassword)
        await model.changePassword(current: "first", new: "a", again: "b")
        XCTAssertEqual(model.stage, .changePassword)
        XCTAssertNotNil(model.trouble)
        await model.changePassword(current: "first", new: "a", again: "a")
        XCTAssertEqual(model.stage, .work)
    }

    func testNobodyGoesOnUnproven() async {
        proven = false
        let model = await started()
        await model.resume(KnownPerson(staffId: nurse.id, name: nurse.name))
        XCTAssertEqual(model.stage, .signIn)
        XCTAssertNil(model.work)
    }

    func testLocksAfterTheTownsSecondsAndKeepsWhatWasWritten() async {
        let model = await started()
        await model.signIn(loginId: "nurse", password: "x")
        model.work?.beginSketch("patient")
        model.work?.sketch?.body = "左踵"
        model.left()
        time = time + .seconds(59)
        await model.returned()
        XCTAssertEqual(model.stage, .work)
        model.left()
        time = time + .seconds(60)
        await model.returned()
        XCTAssertEqual(model.stage, .signIn)
        XCTAssertNil(model.work)
        await model.resume(KnownPerson(staffId: nurse.id, name: nurse.name))
        XCTAssertEqual(model.work?.sketch?.body, "左踵")
        XCTAssertEqual(model.work?.path.last, .compose("patient"))
    }

    func testNobodySeesWhatAnotherWrote() async {
        let model = await started()
        await model.signIn(loginId: "nurse", password: "x")
        model.work?.beginSketch("patient")
        model.work?.sketch?.body = "左踵"
        model.left()
        time = time + .seconds(60)
        await model.returned()
        device.session = FakeSession(noHandle: RenrakuSession.NoHandle())
        device.session.who = Staff(
            id: "01900000-0000-7000-8000-000000000009", facilityId: nurse.facilityId, facilityName: "診療所",
            name: "試験 一郎", profession: .physician, role: .member)
        await model.signIn(loginId: "doctor", password: "x")
        XCTAssertEqual(model.stage, .work)
        XCTAssertNil(model.work?.sketch)
    }

    func testARefusedSessionLeadsBackToTheSignIn() async {
        let model = await started()
        await model.signIn(loginId: "nurse", password: "x")
        device.session.refusal = .SignedOut(code: "session_invalid")
        await model.work?.loadPatients()
        XCTAssertEqual(model.stage, .signIn)
        XCTAssertEqual(model.trouble, problemSentence(code: "session_invalid"))
    }
}
