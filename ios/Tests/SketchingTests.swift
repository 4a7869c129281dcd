// Changing what is being written: only this post, and only while somebody writes it.

import RenrakuCore
import XCTest
@testable import Renraku

@MainActor
final class SketchingTests: XCTestCase {
    private let session = FakeSession(noHandle: RenrakuSession.NoHandle())
    private lazy var work = WorkModel(session: session, town: town) { _ in }

    func testChangesThisPostAndNoOther() async throws {
        XCTAssertFalse(work.change(nil) { $0.body = "x" })
        XCTAssertNil(work.sketch)
        await work.beginSketch("patient")
        let first = work.sketch?.id
        XCTAssertTrue(work.change(first) { $0.body = "左踵" })
        XCTAssertEqual(work.sketch?.body, "左踵")
        await work.beginSketch("other")
        XCTAssertFalse(work.change(first) { $0.body = "左踵" })
        XCTAssertEqual(work.sketch?.body, "")
    }

    func testWhatComesTooLateIsRemoved() async throws {
        let (early, late, last) = (try shot(), try shot(), try shot())
        await work.beginSketch("patient")
        let post = work.sketch?.id
        work.add(early, to: post)
        XCTAssertEqual(work.sketch?.shots.map(\.id), [early.id])
        work.sketch = nil
        work.add(late, to: post)
        XCTAssertNil(work.sketch)
        XCTAssertFalse(isThere(late))
        await work.beginSketch("patient")
        let again = work.sketch?.id
        work.close()
        XCTAssertTrue(work.closed)
        work.add(last, to: again)
        XCTAssertEqual(work.sketch?.shots.count, 0)
        XCTAssertFalse(isThere(last))
        XCTAssertTrue(isThere(early), "the post that it is of is somebody else's to remove")
        early.discard()
    }

    func testAClosedModelBeginsNothing() async {
        work.close()
        await work.beginSketch("patient")
        XCTAssertNil(work.sketch)
    }

    func testARemovedPhotoIsGone() async throws {
        let photo = try shot()
        await work.beginSketch("patient")
        work.add(photo, to: work.sketch?.id)
        work.remove(photo, from: work.sketch?.id)
        XCTAssertEqual(work.sketch?.shots.count, 0)
        XCTAssertFalse(isThere(photo))
    }

    func testNothingIsChangedWhileItIsKept() async throws {
        let (photo, late) = (try shot(), try shot())
        await work.beginSketch("patient")
        let post = work.sketch?.id
        work.add(photo, to: post)
        session.whileComposing = { @MainActor in
            self.work.add(late, to: post)
            self.work.remove(photo, from: post)
            XCTAssertFalse(self.work.change(post) { $0.body = "x" })
        }
        let kept = await work.compose(asDraft: true)
        XCTAssertTrue(kept)
        XCTAssertEqual(session.drafts.map(\.attachments.count), [1])
        XCTAssertFalse(isThere(photo), "handed over")
        XCTAssertFalse(isThere(late))
    }
}
