// Sending for those who are not at work, in each town of this device.

import RenrakuCore
import XCTest
@testable import Renraku

@MainActor
final class OtherTownsTests: XCTestCase {
    private let all = ["flush", "prepare", "flush"]
    private let first = FakeDevice.of(town)
    private let kawa = FakeDevice.of(named("川の町", "kawa"))
    private let yama = FakeDevice.of(named("山の町", "yama"))
    private let colleague = FakeSession(noHandle: RenrakuSession.NoHandle())
    private lazy var towns = FakeTowns(first, ["kawa": kawa, "yama": yama])

    private func started() async -> AppModel {
        for device in [first, kawa, yama] { device.known = [KnownPerson(staffId: nurse.id, name: nurse.name)] }
        let model = AppModel(towns: towns, prove: { true }, guarded: { NoVault() })
        await model.start()
        return model
    }

    func testWhatWaitsLeavesInEachTown() async {
        let model = await started()
        // Behind a PIN.
        (yama.pin, yama.open) = ("194502", false)
        await model.returned()
        XCTAssertEqual(kawa.session.sent, all)
        XCTAssertEqual(first.session.sent, all, "nobody is at work")
        XCTAssertEqual(yama.session.sent, [])
        // Films that cannot be made now hold up nothing.
        kawa.session.prepareRefusal = .Storage(trouble: .file)
        towns.broken = ["yama": .Storage(trouble: .damaged)]
        await model.returned()
        XCTAssertEqual(kawa.session.sent.count, 6)
        XCTAssertNil(model.trouble)
        // After signing in in the other town, too.
        first.session.sent = []
        await model.switchTown(model.others.first { $0.slug == "kawa" }!)
        await model.signIn(loginId: "nurse", password: "x")
        let sent = await soon { self.first.session.sent.count == 3 }
        XCTAssertTrue(sent, "\(first.session.sent)")
    }

    func testAColleaguesPostsOfTheSameTownLeaveToo() async {
        let model = await started()
        first.known.append(KnownPerson(staffId: doctor.id, name: doctor.name))
        first.others[doctor.id] = colleague
        await model.signIn(loginId: "nurse", password: "x")
        let sent = await soon { self.colleague.sent.count == 3 }
        XCTAssertTrue(sent, "\(colleague.sent)")
        XCTAssertFalse(first.resumed.contains(nurse.id), "at work")
        let elsewhere = await soon { self.kawa.resumed.contains(nurse.id) }
        XCTAssertTrue(elsewhere, "not in that town")
    }

    func testWhoSignsInMeanwhileSendsAlone() async {
        _ = await started()
        first.known = [KnownPerson(staffId: doctor.id, name: doctor.name)]
        first.others[doctor.id] = colleague
        var atWork: Seat?
        colleague.whileFlushing = { atWork = (nil, doctor.id) }
        await towns.sendWaiting { atWork }
        XCTAssertEqual(colleague.sent, ["flush"])
        XCTAssertEqual(kawa.session.sent, all)
    }
}
