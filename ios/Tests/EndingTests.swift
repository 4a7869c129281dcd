// A device that the town shut out shows nothing any more.

import RenrakuCore
import XCTest
@testable import Renraku

@MainActor
final class EndingTests: XCTestCase {
    private let device = FakeDevice.of(town)
    private let kawa = FakeDevice.of(named("川の町", "kawa"))
    private let revoked = MobileError.Certificate(code: "certificate_revoked")
    private var swept: [[URL]] = []
    private var time = ContinuousClock.now

    private func atWork(_ towns: FakeTowns? = nil) async -> AppModel {
        let model = AppModel(
            towns: towns ?? FakeTowns(device), prove: { true }, guarded: { NoVault() },
            sweep: { self.swept.append($0) }, now: { self.time })
        await model.start()
        await model.signIn(loginId: "nurse", password: "x")
        // What the sign-in begins would hear of it, too.
        let calm = await soon { model.work?.listed == true }
        XCTAssertTrue(calm)
        return model
    }

    /// The core forgets the device before it says so.
    private func revoke() {
        device.enrolled = nil
        device.session.refusal = revoked
    }

    func testARevokedDeviceLeadsToTheEnrolment() async throws {
        let photo = try shot()
        let model = await atWork()
        let work = model.work!
        await work.beginSketch("patient")
        work.change(work.sketch?.id) { $0.shots = [photo] }
        revoke()
        await work.loadPatients()
        XCTAssertEqual(model.stage, .enrol)
        XCTAssertEqual(model.trouble, Words.sentence(revoked))
        XCTAssertNil(model.work)
        XCTAssertNil(model.session)
        XCTAssertNil(model.town)
        XCTAssertTrue(work.closed)
        XCTAssertNil(work.sketch)
        XCTAssertFalse(isThere(photo))
        XCTAssertEqual(swept, [[]])
        XCTAssertEqual(device.session.drafts.count, 0)
    }

    func testWhatWasLeftBehindGoesToo() async throws {
        let photo = try shot()
        let model = await atWork()
        await model.work?.beginSketch("patient")
        model.work?.change(model.work?.sketch?.id) { $0.shots = [photo] }
        model.left()
        time = time + .seconds(60)
        await model.returned()
        XCTAssertTrue(isThere(photo))
        revoke()
        device.signInRefusal = revoked
        await model.signIn(loginId: "nurse", password: "x")
        XCTAssertEqual(model.stage, .enrol)
        XCTAssertEqual(model.trouble, Words.sentence(revoked))
        XCTAssertFalse(isThere(photo))
        XCTAssertFalse(model.busy)
    }

    func testASessionThatIsOverWaitsForTheCamera() async throws {
        let film = try shot()
        let model = await atWork()
        let work = model.work!
        await work.beginSketch("patient")
        work.shooting = true
        device.session.refusal = .SignedOut(code: "session_invalid")
        await work.loadPatients()
        XCTAssertEqual(model.stage, .work)
        work.add(film, to: work.sketch?.id)
        work.shooting = false
        let ended = await soon { model.stage == .signIn && !model.busy }
        XCTAssertTrue(ended)
        XCTAssertEqual(model.trouble, problemSentence(code: "session_invalid"))
        XCTAssertEqual(device.session.drafts.map(\.attachments.count), [1])
        XCTAssertEqual(model.leftBehind.files, [film.file])
        film.discard()
    }

    func testACameraThatGoesWithItsScreenHoldsNothingUp() async {
        let model = await atWork()
        model.work?.path = [.timeline("patient"), .compose("patient")]
        model.work?.shooting = true
        device.session.refusal = .SignedOut(code: "session_invalid")
        await model.work?.loadPatients()
        XCTAssertEqual(model.stage, .work)
        model.work?.path = []
        let ended = await soon { model.stage == .signIn }
        XCTAssertTrue(ended)
    }

    func testAShutOutDeviceWaitsForNoCamera() async {
        let model = await atWork()
        model.work?.shooting = true
        revoke()
        await model.work?.loadPatients()
        XCTAssertEqual(model.stage, .enrol)
    }

    func testAPictureIsEnoughToHearOfIt() async {
        let model = await atWork()
        let none = await model.work?.thumbnail("a")
        XCTAssertNil(none ?? nil)
        XCTAssertNil(model.work?.trouble, "it has not arrived yet")
        revoke()
        _ = await model.work?.thumbnail("a")
        XCTAssertEqual(model.stage, .enrol)
    }

    func testADiagnosisThatRevokesLeadsThereToo() async {
        let model = await atWork()
        await model.signOut()
        device.enrolled = nil
        device.diagnosis = .refused(code: "certificate_revoked")
        await model.diagnose()
        XCTAssertEqual(model.stage, .enrol)
        XCTAssertEqual(model.trouble, problemSentence(code: "certificate_revoked"))
    }

    func testAnotherTownGoesOn() async {
        let model = await atWork(FakeTowns(device, ["kawa": kawa]))
        revoke()
        await model.work?.loadPatients()
        XCTAssertEqual(model.stage, .signIn)
        XCTAssertEqual(model.town?.slug, "kawa")
        XCTAssertEqual(model.others, [])
        XCTAssertEqual(model.trouble, "試験町：\(problemSentence(code: "certificate_revoked"))")
    }

    func testWhatIsNoRevocationGoesOn() async {
        for code in ["certificate_expired", "certificate_replaced", "certificate_revoked"] {
            let model = await atWork()
            await model.work?.beginSketch("patient")
            // The device is still enrolled: somebody on the way said it, and the town did not.
            device.session.refusal = .Certificate(code: code)
            await model.work?.loadPatients()
            XCTAssertEqual(model.stage, .work, code)
            XCTAssertEqual(model.work?.trouble, problemSentence(code: code))
            XCTAssertNotNil(model.work?.sketch)
            device.session.refusal = nil
        }
    }

    func testNoFaceOrFingerIsOfferedWhereNoneIsKnown() async {
        var known = true
        let model = AppModel(towns: FakeTowns(device), prove: { true }, guarded: { known ? NoVault() : nil })
        await model.start()
        XCTAssertTrue(model.canRecognise)
        (device.pin, device.finger) = ("194502", true)
        known = false
        XCTAssertFalse(model.canRecognise)
        await model.resume(KnownPerson(staffId: nurse.id, name: nurse.name))
        XCTAssertEqual(model.stage, .pin)
        XCTAssertNil(model.trouble)
        known = true
        await model.resume(KnownPerson(staffId: nurse.id, name: nurse.name))
        XCTAssertEqual(model.stage, .work)
    }
}
