// Changing what stands in the outbox: nothing that was typed is lost, and what is sent is what was written.

import RenrakuCore
import XCTest
@testable import Renraku

@MainActor
final class EditingTests: XCTestCase {
    private let device = FakeDevice(noHandle: RenrakuDevice.NoHandle())
    private var session: FakeSession { device.session }
    private var time = ContinuousClock.now

    private func atWork() async -> (AppModel, WorkModel) {
        let model = AppModel(
            towns: FakeTowns(device), prove: { true }, guarded: { NoVault() }, now: { self.time })
        await model.start()
        await model.signIn(loginId: "nurse", password: "x")
        return (model, model.work!)
    }

    /// Being written, and kept as a draft.
    private func kept(_ work: WorkModel, _ shots: [Shot] = []) async -> Item {
        await work.beginSketch("patient")
        work.change(work.sketch?.id) { ($0.body, $0.shots) = ("左踵", shots) }
        await work.keepSketch()
        return session.items[0]
    }

    func testTheEditorClosesOnceTheTextIsKept() async {
        let (_, work) = await atWork()
        session.items = [item("a", "左踵", .waiting)]
        await work.beginEdit(session.items[0])
        XCTAssertEqual(work.editing?.isChanged, false)
        work.editing?.body = "右踵"
        XCTAssertEqual(work.editing?.isChanged, true)
        session.changeRefusal = .Storage(trouble: .full)
        let full = await work.edit()
        XCTAssertFalse(full)
        XCTAssertEqual(work.editing?.body, "右踵")
        XCTAssertEqual(work.editing?.trouble, storageSentence(trouble: .full))
        XCTAssertEqual(work.editing?.hasLeft, false)
        session.changeRefusal = nil
        let done = await work.edit()
        XCTAssertTrue(done)
        XCTAssertNil(work.editing)
        XCTAssertEqual(work.outbox.map(\.body), ["右踵"])
    }

    func testWhatLeftMeanwhileSaysSoAndStays() async {
        for refusal in [MobileError.Conflict(code: "state_conflict"), .NotFound] {
            let (_, work) = await atWork()
            session.items = [item("a", "左踵", .waiting)]
            await work.beginEdit(session.items[0])
            work.editing?.body = "右踵"
            session.changeRefusal = refusal
            let done = await work.edit()
            XCTAssertFalse(done)
            XCTAssertEqual(work.editing?.body, "右踵")
            XCTAssertEqual(work.editing?.hasLeft, true)
            XCTAssertNotNil(work.editing?.trouble)
            // What covers the screen says it, and nothing under it.
            XCTAssertNil(work.trouble)
            session.changeRefusal = nil
            let again = await work.edit()
            XCTAssertFalse(again)
            XCTAssertEqual(session.items.map(\.body), ["左踵"])
        }
    }

    func testALockKeepsTheEditorForItsWriter() async {
        let (model, work) = await atWork()
        session.items = [item("a", "左踵", .waiting)]
        await work.beginEdit(session.items[0])
        work.editing?.body = "右踵"
        model.left()
        time = time + .seconds(60)
        await model.returned()
        await model.resume(KnownPerson(staffId: nurse.id, name: nurse.name))
        XCTAssertEqual(model.work?.editing?.body, "右踵")
        await model.work?.edit()
        XCTAssertEqual(session.items.map(\.body), ["右踵"])
    }

    func testNothingIsTypedOrThrownAwayWhileItIsKept() async {
        let (_, work) = await atWork()
        session.items = [item("a", "左踵", .waiting)]
        await work.beginEdit(session.items[0])
        work.changeEdit { $0.body = "右踵" }
        var edits = 0
        session.whileEditing = { @MainActor in
            edits += 1
            XCTAssertEqual(work.editing?.saving, true)
            work.changeEdit { $0.body = "x" }
            work.dropEdit()
            XCTAssertEqual(work.editing?.body, "右踵")
            // A second tap.
            Task { await work.edit() }
            for _ in 0..<50 { await Task.yield() }
            self.session.changeRefusal = .Storage(trouble: .full)
        }
        await work.edit()
        XCTAssertEqual(work.editing?.saving, false)
        for _ in 0..<50 { await Task.yield() }
        XCTAssertEqual(edits, 1)
        work.dropEdit()
        XCTAssertNil(work.editing)
        // The sheet goes with the work, and not what was typed.
        await work.beginEdit(session.items[0])
        work.close()
        work.dropEdit()
        XCTAssertNotNil(work.editing)
    }

    func testALockWhileItIsKept() async {
        for refusal in [nil, MobileError.Storage(trouble: .full)] {
            let (model, work) = await atWork()
            session.items = [item("a", "左踵", .waiting)]
            await work.beginEdit(session.items[0])
            work.changeEdit { $0.body = "右踵" }
            session.whileEditing = { @MainActor in
                self.session.whileEditing = nil
                self.session.changeRefusal = refusal
                model.left()
                self.time = self.time + .seconds(60)
                Task { await model.returned() }
                for _ in 0..<50 { await Task.yield() }
            }
            await work.edit()
            let locked = await soon { model.stage == .signIn && !model.busy }
            XCTAssertTrue(locked)
            session.changeRefusal = nil
            await model.resume(KnownPerson(staffId: nurse.id, name: nurse.name))
            XCTAssertEqual(model.work?.editing?.body, refusal == nil ? nil : "右踵")
            XCTAssertNotEqual(model.work?.editing?.saving, true)
        }
    }

    func testASessionThatIsOverKeepsTheEditorToo() async {
        let (model, work) = await atWork()
        session.items = [item("a", "左踵", .waiting)]
        await work.beginEdit(session.items[0])
        work.editing?.body = "右踵"
        session.changeRefusal = .SignedOut(code: "session_invalid")
        await work.edit()
        XCTAssertEqual(model.stage, .signIn)
        session.changeRefusal = nil
        await model.signIn(loginId: "nurse", password: "x")
        XCTAssertEqual(model.work?.editing?.body, "右踵")
    }

    func testADraftThatIsLetGoIsNotWrittenAnyMore() async throws {
        let photo = try shot()
        let (_, work) = await atWork()
        let draft = await kept(work, [photo])
        // What came after it was kept goes, too.
        work.change(work.sketch?.id) { $0.body = "左踵、発赤" }
        session.composeRefusal = .Storage(trouble: .full)
        await work.release(draft)
        XCTAssertEqual(session.items.map(\.state), [.draft], "not without the rest")
        XCTAssertNotNil(work.trouble)
        session.composeRefusal = nil
        await work.release(draft)
        XCTAssertEqual(session.items.map(\.state), [.waiting])
        XCTAssertEqual(session.items.map(\.body), ["左踵、発赤"])
        XCTAssertNil(work.sketch)
        XCTAssertFalse(isThere(photo))
    }

    func testOneThatCannotBeKeptHoldsUpNoOther() async throws {
        let lost = try shot()
        let (_, work) = await atWork()
        await work.beginSketch("other")
        work.change(work.sketch?.id) { $0.shots = [lost] }
        lost.discard()
        let draft = await kept(work)
        XCTAssertEqual(work.aside.map(\.patientId), ["other"])
        await work.release(draft)
        XCTAssertEqual(session.items.map(\.state), [.waiting])
        XCTAssertNil(work.sketch)
        XCTAssertEqual(work.aside.count, 1)
    }

    func testADraftThatIsTakenBackIsNotWrittenAnyMore() async throws {
        let photo = try shot()
        let (_, work) = await atWork()
        let draft = await kept(work, [photo])
        session.changeRefusal = .Conflict(code: "state_conflict")
        await work.takeBack(draft)
        XCTAssertEqual(work.sketch?.body, "左踵")
        XCTAssertTrue(isThere(photo))
        session.changeRefusal = nil
        // Being kept at the same moment does not bring it back.
        work.change(work.sketch?.id) { $0.body = "左踵、発赤" }
        async let keeping = work.keepSketch()
        async let taking: Void = work.takeBack(draft)
        _ = await (keeping, taking)
        await work.keepSketch()
        XCTAssertEqual(session.items.count, 0)
        XCTAssertNil(work.sketch)
        XCTAssertFalse(isThere(photo))
    }

    func testADraftThatIsEditedIsNotWrittenAnyMore() async {
        let (_, work) = await atWork()
        let draft = await kept(work)
        work.change(work.sketch?.id) { $0.body = "左踵、発赤" }
        await work.beginEdit(draft)
        XCTAssertEqual(work.editing?.body, "左踵、発赤")
        work.editing?.body = "右踵"
        await work.edit()
        XCTAssertEqual(session.items.map(\.body), ["右踵"])
        XCTAssertNil(work.sketch)
    }

    func testAnotherPostLeavesWhatIsBeingWritten() async {
        let (_, work) = await atWork()
        _ = await kept(work)
        session.items.append(item("a", "別の投稿", .draft))
        await work.release(session.items[1])
        await work.takeBack(session.items[1])
        XCTAssertEqual(work.sketch?.body, "左踵")
    }
}
