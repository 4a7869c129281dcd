// Two things asked for at once: the second one does not change what the first one goes on with.

import RenrakuCore
import XCTest
@testable import Renraku

@MainActor
final class HurryTests: XCTestCase {
    private let first = FakeDevice.of(town)
    private let kawa = FakeDevice.of(named("川の町", "kawa"))
    private lazy var towns = FakeTowns(first, ["kawa": kawa])

    private func started() async -> AppModel {
        let model = AppModel(towns: towns, prove: { true }, guarded: { NoVault() })
        await model.start()
        return model
    }

    func testASwitchDoesNotOvertakeASignIn() async {
        let model = await started()
        let choice = model.others[0]
        first.whileSigningIn = { @MainActor in
            XCTAssertTrue(model.busy)
            await model.switchTown(choice)
            XCTAssertTrue(model.device === self.first)
            await model.forgetDevice()
            XCTAssertNotNil(self.first.enrolled)
            model.addTown()
            model.enrolAnew()
            XCTAssertEqual(model.stage, .signIn)
            // What ends meanwhile, as a lock, does not end the sign-in.
            await model.leave(saying: nil)
            XCTAssertTrue(model.busy)
        }
        await model.signIn(loginId: "nurse", password: "x")
        XCTAssertEqual(model.stage, .work)
        XCTAssertEqual(model.town?.slug, "shiken")
        XCTAssertEqual(model.work?.town.slug, "shiken")
        XCTAssertFalse(model.busy)
    }

    func testASessionOfAnotherTownIsDropped() async {
        let model = await started()
        await model.begin(kawa.session, of: kawa)
        XCTAssertEqual(model.stage, .signIn)
        XCTAssertNil(model.work)
        XCTAssertTrue(kawa.session.out)
    }
}
