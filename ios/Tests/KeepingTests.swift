// What people were writing when the app locked, or was ended: kept as a draft, and shown to nobody but its writer.

import RenrakuCore
import XCTest
@testable import Renraku

@MainActor
final class KeepingTests: XCTestCase {
    private let device = FakeDevice(noHandle: RenrakuDevice.NoHandle())
    private var session: FakeSession { device.session }
    private var time = ContinuousClock.now
    private let person = KnownPerson(staffId: nurse.id, name: nurse.name)

    /// Somebody at work who writes.
    private func writing(_ body: String = "左踵", _ shots: [Shot] = []) async -> (AppModel, WorkModel) {
        let model = AppModel(
            towns: FakeTowns(device), prove: { true }, guarded: { NoVault() }, now: { self.time })
        await model.start()
        await model.signIn(loginId: "nurse", password: "x")
        let work = model.work!
        await work.beginSketch("patient")
        work.change(work.sketch?.id) { ($0.body, $0.shots) = (body, shots) }
        return (model, work)
    }

    private func lock(_ model: AppModel) async {
        model.left()
        time = time + .seconds(60)
        await model.returned()
        XCTAssertEqual(model.stage, .signIn)
        XCTAssertNil(model.work)
    }

    private var drafts: [String] { session.items.filter { $0.state == .draft }.map(\.body) }

    func testIsKeptWhenTheAppIsLeftAndGoesOn() async throws {
        let photo = try shot()
        let (model, work) = await writing("左踵", [photo])
        model.left()
        let kept = await soon { !self.session.items.isEmpty }
        XCTAssertTrue(kept)
        await work.keepSketch()
        XCTAssertEqual(session.drafts.count, 1, "nothing changed")
        XCTAssertEqual(session.drafts[0].keepAsDraft, true)
        XCTAssertEqual(session.drafts[0].attachments.count, 1)
        XCTAssertFalse(FileManager.default.fileExists(atPath: session.drafts[0].attachments[0].path))
        XCTAssertTrue(isThere(photo), "to go on with")
        XCTAssertEqual(work.outbox.map(\.state), [.draft])
        work.change(work.sketch?.id) { $0.body = "左踵、発赤" }
        await work.keepSketch()
        XCTAssertEqual(drafts, ["左踵、発赤"])
        let sent = await work.compose(asDraft: false)
        XCTAssertTrue(sent)
        XCTAssertEqual(session.items.map(\.state), [.waiting])
        XCTAssertEqual(Set(session.drafts.map(\.id)).count, 1)
        XCTAssertFalse(isThere(photo))
        XCTAssertNil(work.sketch)
    }

    func testOneThatWasEmptiedIsTakenBack() async {
        let (_, work) = await writing("  \n")
        await work.keepSketch()
        XCTAssertEqual(session.drafts.count, 0, "nothing was written")
        work.change(work.sketch?.id) { $0.body = "左踵" }
        await work.keepSketch()
        XCTAssertEqual(drafts, ["左踵"])
        work.change(work.sketch?.id) { $0.body = " " }
        await work.keepSketch()
        XCTAssertEqual(session.items.count, 0)
        // Gone already is as good.
        work.change(work.sketch?.id) { $0.body = "左踵" }
        await work.keepSketch()
        session.items = []
        work.change(work.sketch?.id) { $0.body = "" }
        let why = await work.keepSketch()
        XCTAssertNil(why)
        XCTAssertNil(work.trouble)
    }

    func testOnlyOneIsKeptAtATime() async {
        let (_, work) = await writing()
        var under = 0
        session.whileComposing = { @MainActor in
            under += 1
            XCTAssertEqual(under, 1)
            for _ in 0..<20 { await Task.yield() }
            under -= 1
        }
        async let one = work.keepSketch()
        async let other = work.keepSketch()
        async let sent = work.compose(asDraft: false)
        _ = await (one, other, sent)
        XCTAssertEqual(session.items.count, 1)
        XCTAssertLessThanOrEqual(session.drafts.count, 2)
    }

    func testALockKeepsItForItsWriter() async throws {
        let photo = try shot()
        let (model, _) = await writing("左踵", [photo])
        await lock(model)
        XCTAssertEqual(drafts, ["左踵"])
        XCTAssertTrue(isThere(photo))
        await model.resume(person)
        XCTAssertEqual(model.work?.sketch?.body, "左踵")
        XCTAssertEqual(model.work?.path.last, .compose("patient"))
        // To anybody else it is not there, but in its writer's store.
        await lock(model)
        device.session = FakeSession(noHandle: RenrakuSession.NoHandle())
        device.session.who = doctor
        await model.signIn(loginId: "doctor", password: "x")
        XCTAssertNil(model.work?.sketch)
        XCTAssertFalse(isThere(photo))
    }

    func testGoingFromItKeepsItsDraftAsItIs() async {
        let (_, work) = await writing()
        work.path = [.timeline("patient"), .compose("patient")]
        work.change(work.sketch?.id) { $0.body = "左踵、発赤" }
        work.path = [.timeline("patient")]
        let kept = await soon { self.drafts == ["左踵、発赤"] }
        XCTAssertTrue(kept)
        XCTAssertEqual(work.sketch?.body, "左踵、発赤", "to go on with")
    }

    func testOneThatWasEmptiedStaysUntilItsDraftIsGone() async {
        let (model, work) = await writing()
        await work.keepSketch()
        work.change(work.sketch?.id) { $0.body = "" }
        session.changeRefusal = .Storage(trouble: .full)
        await lock(model)
        XCTAssertEqual(drafts, ["左踵"])
        session.changeRefusal = nil
        await model.resume(person)
        await model.work?.keepSketch()
        XCTAssertEqual(drafts, [])
    }

    func testALockKeepsItBeforeTheStoreCloses() async {
        device.pin = "194502"
        let (model, _) = await writing()
        await lock(model)
        XCTAssertNil(model.trouble)
        XCTAssertEqual(drafts, ["左踵"])
    }

    func testANewPasswordInTheMiddleOfTheWorkLosesNothing() async throws {
        let photo = try shot()
        let (model, before) = await writing("左踵", [photo])
        await model.act { throw MobileError.SignedOut(code: "password_change_required") }
        XCTAssertEqual(model.stage, .changePassword)
        await model.changePassword(current: "x", new: "y", again: "y")
        XCTAssertEqual(model.stage, .work)
        XCTAssertFalse(model.work === before)
        XCTAssertTrue(before.closed)
        XCTAssertEqual(model.work?.sketch?.body, "左踵")
        XCTAssertTrue(isThere(photo))
    }

    func testALockThatCannotKeepItSaysWhy() async {
        session.composeRefusal = .Storage(trouble: .full)
        let (model, _) = await writing()
        await lock(model)
        XCTAssertEqual(model.trouble?.hasSuffix(storageSentence(trouble: .full)), true, model.trouble ?? "")
        await model.resume(person)
        XCTAssertEqual(model.work?.sketch?.body, "左踵")
        session.composeRefusal = nil
        await model.work?.keepSketch()
        XCTAssertEqual(drafts, ["左踵"])
    }

    func testALockWhileItIsBeingSent() async throws {
        for refusal in [nil, MobileError.Storage(trouble: .full)] {
            let photo = try shot()
            let (model, work) = await writing("左踵", [photo])
            session.whileComposing = { @MainActor in
                self.session.whileComposing = nil
                self.session.composeRefusal = refusal
                model.left()
                self.time = self.time + .seconds(60)
                Task { await model.returned() }
                for _ in 0..<50 { await Task.yield() }
            }
            _ = await work.compose(asDraft: false)
            let locked = await soon { model.stage == .signIn && !model.busy }
            XCTAssertTrue(locked)
            XCTAssertEqual(isThere(photo), refusal != nil)
            XCTAssertEqual(session.items.map(\.state), refusal == nil ? [.waiting] : [])
            session.composeRefusal = nil
            await model.resume(person)
            XCTAssertEqual(model.work?.sketch?.body, refusal == nil ? nil : "左踵")
            session.items = []
        }
    }

    func testASessionThatIsOverWhenItIsSentLosesNothing() async {
        let (model, work) = await writing()
        session.composeRefusal = .SignedOut(code: "session_invalid")
        let sent = await work.compose(asDraft: false)
        XCTAssertFalse(sent)
        XCTAssertEqual(model.stage, .signIn)
        XCTAssertEqual(model.trouble, problemSentence(code: "session_invalid"))
        session.composeRefusal = nil
        await model.signIn(loginId: "nurse", password: "x")
        XCTAssertEqual(model.work?.sketch?.body, "左踵")
    }

    func testSigningOutLeavesADraft() async throws {
        let photo = try shot()
        let (model, _) = await writing("左踵", [photo])
        await model.signOut()
        XCTAssertTrue(session.out)
        XCTAssertEqual(model.stage, .signIn)
        XCTAssertEqual(drafts, ["左踵"])
        XCTAssertFalse(isThere(photo))
        await model.signIn(loginId: "nurse", password: "x")
        XCTAssertNil(model.work?.sketch)
    }

    func testSigningOutOnAFullDeviceLosesNothing() async {
        session.composeRefusal = .Storage(trouble: .full)
        let (model, _) = await writing()
        await model.signOut()
        XCTAssertTrue(session.out)
        XCTAssertEqual(model.trouble?.hasSuffix(storageSentence(trouble: .full)), true, model.trouble ?? "")
        await model.signIn(loginId: "nurse", password: "x")
        XCTAssertEqual(model.work?.sketch?.body, "左踵")
    }

    func testOneThatCannotBeKeptIsPutAside() async throws {
        let photo = try shot()
        let (model, work) = await writing("左踵", [photo])
        session.composeRefusal = .Storage(trouble: .full)
        await work.beginSketch("other")
        XCTAssertEqual(work.sketch?.patientId, "other", "nobody else has to wait")
        XCTAssertEqual(work.aside.map(\.body), ["左踵"])
        XCTAssertEqual(work.trouble?.hasSuffix(storageSentence(trouble: .full)), true)
        XCTAssertTrue(isThere(photo))
        // It outlives a lock, and goes on when its patient is chosen.
        await lock(model)
        XCTAssertTrue(model.leftBehind.files.contains(photo.file))
        await model.resume(person)
        await model.work?.beginSketch("patient")
        XCTAssertEqual(model.work?.sketch?.body, "左踵")
        XCTAssertEqual(model.work?.aside.count, 0)
        // Once it can be kept, it is a draft and nothing else.
        await model.work?.beginSketch("other")
        session.composeRefusal = nil
        await model.work?.keepSketch()
        XCTAssertEqual(drafts, ["左踵"])
        XCTAssertEqual(model.work?.aside.count, 0)
        XCTAssertFalse(isThere(photo))
        XCTAssertEqual(model.work?.sketch?.patientId, "other")
    }

    func testAPostThatCouldNotBeSentIsNotLostToTheNextOne() async throws {
        let film = try shot()
        let (_, work) = await writing("左踵", [film])
        var next: Task<Void, Never>?
        session.whileComposing = { @MainActor in
            self.session.whileComposing = nil
            next = Task { await work.beginSketch("other") }
            for _ in 0..<50 { await Task.yield() }
            XCTAssertEqual(work.sketch?.patientId, "patient")
            self.session.composeRefusal = .Storage(trouble: .full)
        }
        let sent = await work.compose(asDraft: false)
        await next?.value
        XCTAssertFalse(sent)
        XCTAssertEqual(work.aside.map(\.body), ["左踵"])
        XCTAssertTrue(isThere(film))
        film.discard()
    }

    func testAPushThatOpensAnotherPatientKeepsIt() async {
        let (model, work) = await writing()
        func push(of patient: PatientId?) -> Unlocked {
            Unlocked(
                kind: .postPublished, patientId: patient, patientName: nil, postId: nil, authorName: nil, preview: nil,
                urgent: false)
        }
        session.told = push(of: "other")
        await model.pushOpened("{}")
        XCTAssertEqual(work.path, [.timeline("other")])
        XCTAssertEqual(drafts, ["左踵"])
        XCTAssertEqual(work.sketch?.body, "左踵")
        // One that is about nobody opens nothing, and says so.
        session.told = push(of: nil)
        work.trouble = nil
        await model.pushOpened("{}")
        XCTAssertNotNil(work.trouble)
    }

    func testTheLastWrongPinForgetsIt() async throws {
        let photo = try shot()
        let (model, _) = await writing("左踵", [photo])
        device.pin = "194502"
        await lock(model)
        device.left = 1
        await model.resume(person)
        await model.unlock(pin: "000000")
        XCTAssertEqual(model.trouble, storageSentence(trouble: .wiped))
        XCTAssertFalse(isThere(photo))
        (device.pin, device.open) = (nil, true)
        await model.resume(person)
        XCTAssertNil(model.work?.sketch)
    }

    func testTheLastWrongPinAtWorkEndsIt() async throws {
        let photo = try shot()
        let (model, _) = await writing("左踵", [photo])
        (device.pin, device.left) = ("194502", 1)
        await model.setPin(current: "000000", pin: "583920", again: "583920")
        XCTAssertEqual(model.stage, .signIn)
        XCTAssertEqual(model.trouble, storageSentence(trouble: .wiped))
        XCTAssertFalse(isThere(photo))
        XCTAssertEqual(session.drafts.count, 0)
    }

    func testWhatIsLeftIsTheOnesWhoWroteItThere() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        func there() -> Bool { FileManager.default.fileExists(atPath: file.path) }
        func left() throws -> LeftBehind {
            try Data("x".utf8).write(to: file)
            var left = LeftBehind()
            let sketch = Sketch(patientId: "p", shots: [Shot(file: file, isVideo: false)])
            left.keep(Unfinished(sketch: sketch), of: "a", in: "kawa")
            return left
        }
        var one = try left()
        XCTAssertEqual(one.files, [file])
        XCTAssertNil(one.take(of: "b", in: nil), "in another town")
        XCTAssertNil(one.take(of: "a", in: nil))
        one.forget("a", in: nil)
        one.forget("b", in: "kawa")
        one.forget(nil)
        XCTAssertTrue(there())
        XCTAssertEqual(one.take(of: "a", in: "kawa")?.sketch?.patientId, "p")
        XCTAssertNil(one.take(of: "a", in: "kawa"), "once")
        XCTAssertTrue(there())
        var two = try left()
        XCTAssertNil(two.take(of: "b", in: "kawa"))
        XCTAssertFalse(there())
        XCTAssertNil(two.take(of: "a", in: "kawa"))
        for forget in [{ $0.forget("a", in: "kawa") }, { $0.forget("kawa") }] as [(inout LeftBehind) -> Void] {
            var three = try left()
            forget(&three)
            XCTAssertFalse(there())
        }
    }
}
