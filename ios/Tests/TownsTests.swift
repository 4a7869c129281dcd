// Several towns on one device: the start, switching, adding, forgetting, against stand-ins for the core's objects.

import RenrakuCore
import XCTest
@testable import Renraku

@MainActor
final class TownsTests: XCTestCase {
    private let first = FakeDevice.of(town)
    private let kawa = FakeDevice.of(named("川の町", "kawa"))
    private let yama = FakeDevice.of(named("山の町", "yama"))
    private lazy var towns = FakeTowns(first, ["kawa": kawa])
    private var time = ContinuousClock.now

    private func started() async -> AppModel {
        let model = AppModel(towns: towns, prove: { true }, guarded: { NoVault() }, now: { self.time })
        await model.start()
        return model
    }

    private func enrol(_ model: AppModel, _ slug: String) async {
        await model.enrol(publicUrl: "https://x", slug: slug, number: "12-34", password: "p", deviceName: "x")
    }

    func testStartsWithTheTownUsedLast() async {
        towns.last = "kawa"
        let model = await started()
        XCTAssertEqual(model.town?.slug, "kawa")
        XCTAssertEqual(model.stage, .signIn)
        XCTAssertEqual(model.others, [TownChoice(slug: nil, name: "試験町")])
    }

    func testFallsBackToAnEnrolledTown() async {
        towns.last = "kawa"
        kawa.enrolled = nil
        let first = await started()
        XCTAssertEqual(first.town?.slug, "shiken")
        kawa.enrolled = kawa.described
        towns.broken = ["kawa": .Storage(trouble: .damaged)]
        let again = await started()
        XCTAssertEqual(again.town?.slug, "shiken")
        XCTAssertEqual(again.stage, .signIn)
        XCTAssertNil(again.trouble)
        // What hindered it may pass.
        XCTAssertEqual(towns.last, "kawa")
        (towns.last, towns.broken, self.first.enrolled) = (nil, [:], nil)
        let further = await started()
        XCTAssertEqual(further.town?.slug, "kawa")
        kawa.enrolled = nil
        let fresh = await started()
        XCTAssertEqual(fresh.stage, .enrol)
        XCTAssertTrue(fresh.device === self.first)
    }

    func testAFurtherTownThatDoesNotOpenIsNotEnrolledOver() async {
        first.enrolled = nil
        for last in [nil, "kawa"] {
            towns.last = last
            towns.broken = ["kawa": .Storage(trouble: .locked)]
            let model = await started()
            XCTAssertEqual(model.stage, .closed)
            XCTAssertEqual(model.trouble, Words.sentence(MobileError.Storage(trouble: .locked)))
            towns.broken = [:]
            await model.start()
            XCTAssertEqual(model.town?.slug, "kawa")
            XCTAssertEqual(model.stage, .signIn)
        }
        (towns.last, towns.listing) = (nil, .Storage(trouble: .file))
        let model = await started()
        XCTAssertEqual(model.stage, .closed)
        XCTAssertEqual(model.trouble, Words.sentence(MobileError.Storage(trouble: .file)))
        first.enrolled = first.described
        await model.start()
        XCTAssertEqual(model.stage, .signIn)
    }

    func testTheStartWaitsForNoOtherTown() async {
        towns.whileOpening["kawa"] = { model in
            XCTAssertEqual(model.stage, .signIn)
            XCTAssertFalse(model.busy)
        }
        let model = AppModel(towns: towns, prove: { true }, guarded: { NoVault() })
        towns.watched = model
        await model.start()
        XCTAssertEqual(towns.asked, [nil, nil, "kawa"])
        XCTAssertEqual(model.others.map(\.slug), ["kawa"])
    }

    func testTheOthersAreTheEnrolledOnesByName() async {
        towns.devices["yama"] = yama
        towns.devices["half"] = FakeDevice.of(named("途中の町", "half"), enrolled: false)
        towns.devices["broken"] = FakeDevice.of(named("開かない町", "broken"))
        towns.broken = ["broken": .Storage(trouble: .damaged)]
        let model = await started()
        XCTAssertEqual(model.town?.slug, "shiken")
        XCTAssertEqual(model.others.map(\.name), ["山の町", "川の町"])
        XCTAssertEqual(model.others.map(\.slug), ["yama", "kawa"])
    }

    func testSwitchesOnlyWhereNobodyIsAtWork() async {
        let model = await started()
        let choice = model.others[0]
        await model.signIn(loginId: "nurse", password: "x")
        await model.switchTown(choice)
        model.addTown()
        XCTAssertEqual(model.stage, .work)
        XCTAssertEqual(model.town?.slug, "shiken")
        await model.signOut()
        await model.switchTown(choice)
        XCTAssertEqual(model.town?.slug, "kawa")
        XCTAssertEqual(model.others, [TownChoice(slug: nil, name: "試験町")])
        XCTAssertEqual(towns.last, "kawa")
        time = time + .milliseconds(900)
        await model.switchTown(model.others[0])
        XCTAssertEqual(model.town?.slug, "kawa", "the second of two taps")
        time = time + .milliseconds(100)
        await model.switchTown(model.others[0])
        XCTAssertEqual(model.town?.slug, "shiken")
        XCTAssertNil(towns.last)
        kawa.enrolled = nil
        time = time + .seconds(1)
        await model.switchTown(choice)
        XCTAssertEqual(model.town?.slug, "shiken")
        XCTAssertEqual(model.others, [])
        XCTAssertNotNil(model.trouble)
    }

    func testAddingATownSwitchesOnlyAfterSuccess() async {
        towns.devices["yama"] = FakeDevice.of(yama.described, enrolled: false)
        let adding = towns.devices["yama"]!
        adding.enrolRefusal = .Certificate(code: "enrolment_refused")
        let model = await started()
        model.addTown()
        XCTAssertEqual(model.stage, .enrol)
        XCTAssertTrue(model.adding)
        await enrol(model, "yama")
        XCTAssertEqual(model.stage, .enrol)
        XCTAssertNotNil(model.trouble)
        XCTAssertFalse(model.mayEnrolAnew)
        XCTAssertTrue(model.device === first)
        XCTAssertNil(towns.last)
        await model.unask()
        XCTAssertEqual(model.stage, .signIn)
        XCTAssertEqual(model.town?.slug, "shiken")
        XCTAssertFalse(model.adding)
        // The same No again goes on in the same place.
        adding.enrolRefusal = nil
        model.addTown()
        await model.scan("renraku:enrol?v=1&portal=https%3A%2F%2Frenraku.example.jp%2Fyama&no=12-34&pw=secret")
        XCTAssertEqual(model.scanned?.slug, "yama")
        await enrol(model, " yama ")
        XCTAssertEqual(adding.asked.map(\.number), ["12-34", "12-34"])
        XCTAssertEqual(model.stage, .signIn)
        XCTAssertFalse(model.adding)
        XCTAssertNil(model.scanned)
        XCTAssertTrue(model.device === adding)
        XCTAssertEqual(model.town?.slug, "yama")
        XCTAssertEqual(model.others.map(\.name), ["川の町", "試験町"])
        XCTAssertEqual(towns.last, "yama")
        XCTAssertEqual(first.asked.count, 0)
    }

    func testASlugThatIsNoneIsRefused() async {
        let model = await started()
        model.addTown()
        await enrol(model, "山 町")
        XCTAssertEqual(model.trouble, Words.sentence(MobileError.Invalid(code: "field_invalid", field: "town")))
        XCTAssertEqual(model.stage, .enrol)
        XCTAssertTrue(model.device === first)
    }

    func testTheSameTownTwiceIsRefusedWithoutTheNetwork() async {
        let sentence = "この自治体の証明書は、この端末にもうあります。"
        let model = await started()
        model.addTown()
        for slug in ["shiken", "kawa"] {
            await enrol(model, slug)
            XCTAssertEqual(model.trouble, sentence, slug)
            XCTAssertEqual(model.stage, .enrol)
        }
        await model.unask()
        // Another certificate of the town in use is not another town's either.
        model.enrolAnew()
        await enrol(model, "kawa")
        XCTAssertEqual(model.trouble, sentence)
        XCTAssertEqual(first.asked.count + kawa.asked.count, 0)
        await enrol(model, "shiken")
        XCTAssertEqual(first.asked.count, 1)
        XCTAssertTrue(model.device === first)
    }

    func testATownThatOnlyTheVaultRemembersIsOfferedAgain() async {
        let model = await started()
        model.addTown()
        // As after a reinstallation: opening finds it enrolled.
        towns.found["yama"] = yama
        await enrol(model, "yama")
        XCTAssertEqual(model.trouble, "この自治体の証明書は、この端末にもうあります。")
        XCTAssertEqual(model.others.map(\.slug), ["yama", "kawa"])
        XCTAssertEqual(yama.asked.count, 0)
    }

    func testForgettingOneLeavesTheOther() async {
        let model = await started()
        await model.forgetDevice()
        XCTAssertNil(first.enrolled)
        XCTAssertEqual(model.stage, .signIn)
        XCTAssertEqual(model.town?.slug, "kawa")
        XCTAssertEqual(model.others, [])
        XCTAssertEqual(towns.last, "kawa")
        await model.forgetDevice()
        XCTAssertEqual(model.stage, .enrol)
        XCTAssertNil(model.town)
        XCTAssertNil(towns.last)
        XCTAssertTrue(model.device === first)
    }

    func testNothingToGoToAfterForgettingIsTriedAgain() async {
        towns.last = "kawa"
        let model = await started()
        towns.broken = [nil: .Storage(trouble: .locked)]
        await model.forgetDevice()
        XCTAssertEqual(model.stage, .closed)
        XCTAssertNotNil(model.trouble)
        towns.broken = [:]
        await model.start()
        XCTAssertEqual(model.town?.slug, "shiken")
    }

    func testAPushOfAnotherTownSaysSo() async {
        let model = await started()
        await model.signIn(loginId: "nurse", password: "x")
        await model.pushOpened("{}")
        XCTAssertEqual(model.work?.trouble, "開けませんでした。ほかの自治体の連絡かもしれません。")
        let unknown = "開けませんでした。電波が届かないか、ほかの自治体の連絡です。"
        first.session.stale = true
        await model.pushOpened("{}")
        XCTAssertEqual(model.work?.trouble, unknown)
        first.session.refusal = .Offline(code: nil)
        await model.pushOpened("{}")
        XCTAssertEqual(model.work?.trouble, unknown)
        (first.session.stale, first.session.refusal) = (false, nil)
        await model.signOut()
        kawa.enrolled = nil
        let alone = await started()
        await alone.signIn(loginId: "nurse", password: "x")
        await alone.pushOpened("{}")
        XCTAssertEqual(alone.work?.trouble, "開けませんでした。取り消されたか、担当を外れた連絡かもしれません。")
        first.session.stale = true
        await alone.pushOpened("{}")
        XCTAssertEqual(alone.work?.trouble, "開けませんでした。電波の届く場所で、もう一度お試しください。")
    }

    func testWhatWasWrittenInOneTownIsNotShownInAnother() async {
        kawa.session.who = Staff(
            id: "01900000-0000-7000-8000-000000000008", facilityId: nurse.facilityId,
            facilityName: nurse.facilityName, name: nurse.name, profession: .nurse, role: .member)
        let model = await started()
        await model.signIn(loginId: "nurse", password: "x")
        await model.work?.beginSketch("patient")
        model.work?.sketch?.body = "左踵"
        model.left()
        time = time + .seconds(60)
        await model.returned()
        await model.switchTown(model.others[0])
        await model.signIn(loginId: "nurse", password: "x")
        XCTAssertEqual(model.town?.slug, "kawa")
        XCTAssertNil(model.work?.sketch)
        // It waits where it was written, and both may wait.
        await model.work?.beginSketch("other")
        model.work?.sketch?.body = "仙骨部"
        model.left()
        time = time + .seconds(60)
        await model.returned()
        await model.switchTown(model.others[0])
        await model.signIn(loginId: "nurse", password: "x")
        XCTAssertEqual(model.town?.slug, "shiken")
        XCTAssertEqual(model.work?.sketch?.body, "左踵")
        XCTAssertEqual(model.work?.path.last, .compose("patient"))
    }
}
