// Sending is not cut off: not when the app is left, nor when a screen goes.

import RenrakuCore
import XCTest
@testable import Renraku

@MainActor
final class OutgoingTests: XCTestCase {
    private let session = FakeSession(noHandle: RenrakuSession.NoHandle())
    private lazy var work = WorkModel(session: session, town: town) { _ in }
    private var held = true

    /// What is being made or sent waits until it is let go or stopped, as the core does.
    private func hold() async {
        let token = session.tokens.last!
        while held, !token.isCancelled() { await Task.yield() }
    }

    private func turns(_ count: Int = 200) async {
        for _ in 0..<count { await Task.yield() }
    }

    func testTheEndOfAPassIsWaitedFor() async {
        session.whileFlushing = { @MainActor in await self.hold() }
        Task { await work.flush(now: false) }
        let begun = await soon { self.session.sent == ["flush"] }
        XCTAssertTrue(begun)
        var ended = false
        let leaving = Task { () -> Void in
            await work.finishSending()
            ended = true
        }
        await turns()
        XCTAssertFalse(ended)
        held = false
        await leaving.value
        XCTAssertEqual(session.sent, ["flush"], "all of it was sent")
    }

    func testTheEndOfAPreparationIsWaitedFor() async {
        session.whilePreparing = { @MainActor in await self.hold() }
        work.prepare()
        let begun = await soon { self.session.sent == ["prepare"] }
        XCTAssertTrue(begun)
        var ended = false
        let leaving = Task { () -> Void in
            await work.finishSending()
            ended = true
        }
        await turns()
        XCTAssertFalse(ended)
        held = false
        await leaving.value
        XCTAssertEqual(session.sent, ["prepare", "flush", "flush"], "and what was made is sent")
    }

    func testNoTimeIsLeft() async {
        session.whilePreparing = { @MainActor in await self.hold() }
        session.whileFlushing = { @MainActor in await self.hold() }
        session.prepareRefusal = .Cancelled
        work.prepare()
        work.prepare()
        Task { await work.flush(now: true) }
        let begun = await soon { Set(self.session.sent) == ["prepare", "flush"] }
        XCTAssertTrue(begun)
        let leaving = Task { await work.finishSending() }
        await turns()
        work.stopSending()
        await leaving.value
        await turns()
        XCTAssertEqual(session.sent.count, 2, "nothing begins anew: \(session.sent)")
        XCTAssertTrue(session.tokens.allSatisfy { $0.isCancelled() })
        XCTAssertNil(work.trouble)
        // Back again, it goes on.
        held = false
        await work.flush(now: true)
        XCTAssertEqual(session.sent.last, "flush")
        XCTAssertEqual(session.sent.count, 3)
        XCTAssertFalse(session.tokens.last!.isCancelled())
    }

    func testTheReturnIsNotLostOnAPassThatIsStillStopping() async {
        var stopping = true
        session.whileFlushing = { @MainActor in
            while stopping { await Task.yield() }
        }
        Task { await work.flush(now: true) }
        let begun = await soon { self.session.sent.count == 1 }
        XCTAssertTrue(begun)
        work.stopSending()
        await work.flush(now: true)
        stopping = false
        let again = await soon { self.session.sent.count == 2 }
        XCTAssertTrue(again)
    }

    func testAScreenThatGoesBreaksNothingOff() async {
        var broken = false
        session.whileFlushing = { @MainActor in
            await self.turns(20)
            broken = Task.isCancelled
        }
        let screen = Task { await work.flush(now: true) }
        let begun = await soon { !self.session.sent.isEmpty }
        XCTAssertTrue(begun)
        screen.cancel()
        await screen.value
        XCTAssertFalse(broken)
    }

    func testNobodyIsSaidToBeThereBeforeItIsKnown() async {
        session.refusal = .Offline(code: nil)
        await work.loadPatients()
        XCTAssertFalse(work.listed)
        session.refusal = nil
        await work.loadPatients()
        XCTAssertTrue(work.listed)
    }
}
