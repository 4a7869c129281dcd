// The way in and out, against stand-ins for the core's objects.

import RenrakuCore
import XCTest
@testable import Renraku

@MainActor
final class AppModelTests: XCTestCase {
    private let device = FakeDevice(noHandle: RenrakuDevice.NoHandle())
    private var time = ContinuousClock.now
    private var proven = true

    private func started() async -> AppModel {
        let model = AppModel(
            towns: FakeTowns(device), prove: { self.proven }, guarded: { NoVault() }, now: { self.time })
        await model.start()
        return model
    }

    func testAFreshDeviceEnrols() async {
        device.enrolled = nil
        let model = await started()
        XCTAssertEqual(model.stage, .enrol)
    }

    func testADeviceThatDoesNotOpenSaysWhyAndTriesAgain() async {
        let towns = FakeTowns(device)
        towns.broken = [nil: .Storage(trouble: .locked)]
        let model = AppModel(towns: towns, prove: { true }, guarded: { NoVault() })
        await model.start()
        XCTAssertEqual(model.stage, .closed)
        XCTAssertEqual(model.trouble, Words.sentence(MobileError.Storage(trouble: .locked)))
        towns.broken = [:]
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

    func testAPinIsAskedForAndAFingerOpensToo() async {
        proven = false
        let person = KnownPerson(staffId: nurse.id, name: nurse.name)
        let model = await started()
        await model.signIn(loginId: "nurse", password: "x")
        await model.setPin(current: nil, pin: "194502", again: "194503")
        XCTAssertNil(device.pin)
        await model.setPin(current: nil, pin: "194502", again: "194502")
        XCTAssertEqual(model.lock?.pin, true)
        XCTAssertNotNil(model.done)
        XCTAssertNil(model.trouble)
        await away(model)
        XCTAssertNil(model.done)
        await model.resume(person)
        XCTAssertEqual(model.stage, .pin)
        await model.unlock(pin: "000000")
        XCTAssertEqual(model.stage, .pin)
        XCTAssertEqual(model.trouble, Words.sentence(MobileError.Storage(trouble: .wrongPin(left: 9))))
        await model.unask()
        XCTAssertEqual(model.stage, .signIn)
        await model.resume(person)
        await model.unlock(pin: "194502")
        XCTAssertEqual(model.stage, .work)
        await model.useBiometrics(pin: "194502")
        await away(model)
        await model.resume(person)
        XCTAssertEqual(model.stage, .work)
        await model.dropBiometrics()
        await away(model)
        device.left = 1
        await model.resume(person)
        XCTAssertEqual(model.stage, .pin)
        await model.unlock(pin: "000000")
        XCTAssertEqual(model.stage, .signIn)
        XCTAssertEqual(model.trouble, Words.sentence(MobileError.Storage(trouble: .wiped)))
    }

    func testARenewalLeadsToTheSignIn() async {
        device.due = true
        let model = await started()
        await model.signIn(loginId: "nurse", password: "x")
        XCTAssertTrue(model.renewalDue)
        await model.renew()
        XCTAssertEqual(model.stage, .signIn)
        XCTAssertNotNil(model.done)
        XCTAssertNil(model.trouble)
        await model.signIn(loginId: "nurse", password: "x")
        XCTAssertFalse(model.renewalDue)
    }

    private func away(_ model: AppModel) async {
        model.left()
        time = time + .seconds(60)
        await model.returned()
        XCTAssertEqual(model.stage, .signIn)
    }

    func testLocksAfterTheTownsSecondsAndKeepsWhatWasWritten() async {
        let model = await started()
        await model.signIn(loginId: "nurse", password: "x")
        await model.work?.beginSketch("patient")
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

    func testLeftAgainWhileItCatchesUpItLocks() async {
        let model = await started()
        await model.signIn(loginId: "nurse", password: "x")
        device.session.whileFlushing = { @MainActor in
            self.device.session.whileFlushing = nil
            model.left()
        }
        model.left()
        await model.returned()
        XCTAssertNil(device.session.whileFlushing)
        time = time + .seconds(60)
        await model.returned()
        XCTAssertEqual(model.stage, .signIn)
    }

    func testAnExpiredCertificateIsGotAnewWithoutLosingAnything() async {
        let model = await started()
        XCTAssertFalse(model.mayEnrolAnew)
        await model.diagnose()
        XCTAssertEqual(model.done, Words.sentence(Diagnosis.ready))
        XCTAssertNil(model.trouble)
        device.diagnosis = .refused(code: "certificate_expired")
        await model.diagnose()
        XCTAssertTrue(model.mayEnrolAnew)
        XCTAssertNotNil(model.trouble)
        XCTAssertNil(model.done)
        model.enrolAnew()
        XCTAssertEqual(model.stage, .enrol)
        await model.unask()
        XCTAssertEqual(model.stage, .signIn)
        model.enrolAnew()
        await model.scan("renraku:enrol?v=1&portal=https%3A%2F%2Frenraku.example.jp%2Fshiken&no=12-34&pw=secret")
        XCTAssertEqual(model.scanned?.number, "12-34")
        await model.enrol(publicUrl: "https://renraku.example.jp", slug: "shiken", number: "12-34", password: "secret", deviceName: "x")
        XCTAssertEqual(model.stage, .signIn)
        XCTAssertFalse(model.mayEnrolAnew)
        XCTAssertNil(model.scanned)
    }

    func testNobodySeesWhatAnotherWrote() async {
        let model = await started()
        await model.signIn(loginId: "nurse", password: "x")
        await model.work?.beginSketch("patient")
        model.work?.sketch?.body = "左踵"
        model.left()
        time = time + .seconds(60)
        await model.returned()
        device.session = FakeSession(noHandle: RenrakuSession.NoHandle())
        device.session.who = doctor
        await model.signIn(loginId: "doctor", password: "x")
        XCTAssertEqual(model.stage, .work)
        XCTAssertNil(model.work?.sketch)
    }

    func testWhatSomebodyWroteGoesWithThem() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        for forget in [true, false] {
            try Data("x".utf8).write(to: file)
            device.enrolled = town
            let model = await started()
            await model.signIn(loginId: "nurse", password: "x")
            await model.work?.beginSketch("patient")
            model.work?.sketch?.shots = [Shot(file: file, isVideo: false)]
            await away(model)
            XCTAssertTrue(FileManager.default.fileExists(atPath: file.path))
            if forget {
                await model.forget(KnownPerson(staffId: nurse.id, name: nurse.name))
            } else {
                await model.forgetDevice()
            }
            XCTAssertFalse(FileManager.default.fileExists(atPath: file.path))
        }
    }

    func testARefusedSessionLeadsBackToTheSignIn() async {
        let model = await started()
        await model.signIn(loginId: "nurse", password: "x")
        device.session.refusal = .SignedOut(code: "session_invalid")
        await model.work?.loadPatients()
        // What the sign-in began may have heard of it first.
        let ended = await soon { model.stage == .signIn && !model.busy }
        XCTAssertTrue(ended)
        XCTAssertEqual(model.trouble, problemSentence(code: "session_invalid"))
    }
}
