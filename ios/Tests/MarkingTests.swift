// From a finger on the screen to areas of a photo, and what becomes of them.

import RenrakuCore
import XCTest
@testable import Renraku

final class MarkingTests: XCTestCase {
    /// 200 by 100 in the middle of 200 by 300: bars above and below.
    private let wide = Marking(picture: CGSize(width: 4000, height: 2000), view: CGSize(width: 200, height: 300))
    /// 100 by 200 in the middle of 300 by 200: bars on the left and right.
    private let tall = Marking(picture: CGSize(width: 1000, height: 2000), view: CGSize(width: 300, height: 200))

    private func point(_ x: Double, _ y: Double) -> CGPoint { CGPoint(x: x, y: y) }

    private func drag(_ marking: Marking, _ from: CGPoint, _ to: CGPoint) -> PhotoMark? {
        marking.mark(from: from, to: to, cover: .black, outline: .rectangle)
    }

    private func assertIs(
        _ mark: PhotoMark?, _ left: Float, _ top: Float, _ width: Float, _ height: Float, line: UInt = #line
    ) {
        guard let mark else { return XCTFail("no area", line: line) }
        for (got, wanted) in [(mark.left, left), (mark.top, top), (mark.width, width), (mark.height, height)] {
            XCTAssertEqual(got, wanted, accuracy: 0.0001, line: line)
        }
    }

    func testThePictureLiesInTheMiddle() {
        XCTAssertEqual(wide.frame, CGRect(x: 0, y: 100, width: 200, height: 100))
        XCTAssertEqual(tall.frame, CGRect(x: 100, y: 0, width: 100, height: 200))
        assertIs(drag(wide, point(50, 125), point(150, 175)), 0.25, 0.25, 0.5, 0.5)
        assertIs(drag(tall, point(125, 50), point(175, 150)), 0.25, 0.25, 0.5, 0.5)
    }

    func testAnAreaIsDrawnWhereTheFingerWas() throws {
        let mark = try XCTUnwrap(drag(tall, point(110, 20), point(160, 100)))
        let area = tall.area(mark)
        XCTAssertEqual(area.minX, 110, accuracy: 0.001)
        XCTAssertEqual(area.minY, 20, accuracy: 0.001)
        XCTAssertEqual(area.maxX, 160, accuracy: 0.001)
        XCTAssertEqual(area.maxY, 100, accuracy: 0.001)
    }

    func testWhatLeavesThePictureIsCutOff() {
        assertIs(drag(wide, point(-30, 20), point(100, 150)), 0, 0, 0.5, 0.5)
        assertIs(drag(wide, point(100, 150), point(900, 900)), 0.5, 0.5, 0.5, 0.5)
        XCTAssertNil(drag(wide, point(10, 10), point(190, 90)), "in the bar")
    }

    func testFromRightBelowToLeftAbove() {
        assertIs(drag(tall, point(175, 150), point(125, 50)), 0.25, 0.25, 0.5, 0.5)
    }

    func testASlipIsNotKept() {
        XCTAssertNil(drag(wide, point(50, 125), point(53, 175)), "1.5 % of the width")
        XCTAssertNil(drag(wide, point(50, 125), point(150, 126)), "1 % of the height")
        XCTAssertNotNil(drag(wide, point(50, 125), point(55, 128)))
        XCTAssertNil(drag(Marking(picture: .zero, view: CGSize(width: 9, height: 9)), point(0, 0), point(9, 9)))
    }

    func testWhatActsAsATapIsNotDrawn() {
        let small = (point(50, 125), point(59, 134))
        XCTAssertNotNil(drag(wide, small.0, small.1))
        XCTAssertNil(wide.drawn(from: small.0, to: small.1, cover: .black, outline: .rectangle))
        XCTAssertEqual(
            wide.drawn(from: small.0, to: point(60, 134), cover: .blur, outline: .ellipse),
            wide.mark(from: small.0, to: point(60, 134), cover: .blur, outline: .ellipse))
    }

    func testATapTakesTheUppermostAway() {
        var marks = Marks([])
        let one = (point(20, 110), point(120, 180)), other = (point(80, 130), point(180, 190))
        marks.touch(from: one.0, to: one.1, on: wide, cover: .black, outline: .rectangle)
        marks.touch(from: other.0, to: other.1, on: wide, cover: .blur, outline: .ellipse)
        XCTAssertEqual(marks.all.map(\.cover), [.black, .blur])
        XCTAssertEqual(marks.all.map(\.outline), [.rectangle, .ellipse])
        // The corner of an ellipse's frame is not in it.
        XCTAssertEqual(wide.uppermost(at: point(82, 132), in: marks.all), 0)
        marks.touch(from: point(110, 160), to: point(112, 161), on: wide, cover: .black, outline: .rectangle)
        XCTAssertEqual(marks.all.map(\.cover), [.black])
        marks.touch(from: point(190, 110), to: point(190, 110), on: wide, cover: .black, outline: .rectangle)
        XCTAssertEqual(marks.all.count, 1, "beside it")
        marks.undo()
        XCTAssertEqual(marks.all.map(\.cover), [.black, .blur])
        marks.undo()
        marks.undo()
        XCTAssertEqual(marks.all, [])
        XCTAssertFalse(marks.canUndo)
        marks.undo()
    }

    func testASmallAreaIsFoundByAFinger() throws {
        let small = try XCTUnwrap(drag(wide, point(100, 150), point(106, 156)))
        XCTAssertEqual(wide.uppermost(at: point(120, 160), in: [small]), 0)
        XCTAssertNil(wide.uppermost(at: point(130, 160), in: [small]))
        let large = try XCTUnwrap(drag(wide, point(110, 110), point(190, 190)))
        XCTAssertEqual(wide.uppermost(at: point(120, 160), in: [large, small]), 0, "what is met exactly goes first")
    }

    func testNoMoreThanTheCoreTakes() throws {
        let mark = try XCTUnwrap(drag(wide, point(50, 125), point(150, 175)))
        var marks = Marks(Array(repeating: mark, count: Marks.most))
        marks.add(mark)
        XCTAssertEqual(marks.all.count, Marks.most)
        XCTAssertFalse(marks.canUndo)
    }
}

@MainActor
final class MarkedDraftTests: XCTestCase {
    func testTheDraftCarriesTheMarks() async throws {
        let session = FakeSession(noHandle: RenrakuSession.NoHandle())
        let work = WorkModel(session: session, town: town) { _ in }
        let mark = PhotoMark(cover: .blur, outline: .ellipse, left: 0.1, top: 0.2, width: 0.3, height: 0.4)
        let photo = Shot(file: URL(fileURLWithPath: "/nowhere/a.jpg"), isVideo: false)
        let film = Shot(file: URL(fileURLWithPath: "/nowhere/b.mov"), isVideo: true)
        await work.beginSketch("patient")
        work.sketch?.shots = [photo, film]
        work.sketch?.mark(photo.id, [mark])
        work.sketch?.mark(film.id, [mark])
        let kept = await work.compose(asDraft: true)
        XCTAssertTrue(kept)
        let files = try XCTUnwrap(session.drafts.first?.attachments)
        XCTAssertEqual(files.map(\.marks), [[mark], []])
        XCTAssertEqual(files.map(\.handOver), [true, true])
        XCTAssertEqual(files.map(\.sound), [true, true])
        var sketch = Sketch(patientId: "patient", shots: [photo, film])
        sketch.keepSound(film.id, false)
        XCTAssertEqual(sketch.draft(kept: true).attachments.map(\.sound), [true, false])
    }
}
