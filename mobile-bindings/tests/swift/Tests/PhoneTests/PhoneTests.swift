// What the iOS shell does with the core: the generated bindings, the real library, the real server.

import Foundation
import Phone
import RenrakuCore
import XCTest

private let chunk: UInt64 = 262_144

/// Hears progress, and may do something about it.
private final class Ear: ProgressListener, @unchecked Sendable {
    private let lock = NSLock()
    private var steps: [Float] = []
    private let then: @Sendable () -> Void

    init(then: @escaping @Sendable () -> Void = {}) {
        self.then = then
    }

    func onProgress(done: Float) {
        lock.withLock { steps.append(done) }
        then()
    }

    var heard: [Float] { lock.withLock { steps } }
}

final class PhoneTests: XCTestCase {
    private var stage: Stage!
    private var town: [String: String] = [:]
    private var folder: URL!

    override func setUpWithError() throws {
        let environment = ProcessInfo.processInfo.environment
        stage = try Stage(port: UInt16(environment["RENRAKU_STAGE"]!)!)
        town = try stage.ask("town")
        try stage.ask("flow")
        try stage.ask("mend")
        folder = URL(fileURLWithPath: environment["RENRAKU_PHONES"]!).appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func refused(_ call: () async throws -> Void) async -> MobileError? {
        do {
            try await call()
            return nil
        } catch {
            return error as? MobileError
        }
    }

    private func nurse() async throws -> RenrakuSession {
        let device = try await open(folder, stage)
        try await device.enrol(stage)
        return try await device.firstSignIn(stage)
    }

    private func sendAll(_ session: RenrakuSession) async throws {
        for _ in 0..<20 where try await session.outbox().flush(now: true).remaining == 0 { return }
        XCTFail("it does not come to an end")
    }

    private func patient() -> PatientId { town["patient"]! }

    func testEnrolsAndSignsIn() async throws {
        let device = try await open(folder, stage)
        let fresh = try await device.certificate().diagnose()
        XCTAssertEqual(fresh, .notEnrolled)
        let wrong = await refused {
            _ = try await device.certificate().enrol(form: form(town, number: "00000000", password: "wrong"))
        }
        XCTAssertEqual(wrong, .Certificate(code: "ticket_invalid"))
        let here = try await device.enrol(stage)
        XCTAssertEqual(here.slug, town["slug"])
        let enrolled = try await device.certificate().diagnose()
        XCTAssertEqual(enrolled, .ready)
        XCTAssertTrue(device.certificate().isHardwareBacked())
        XCTAssertEqual(device.certificate().status()?.renewalDue, false)

        let newcomer = try stage.ask("newcomer")
        let (id, first) = (newcomer["login_id"]!, newcomer["first_password"]!)
        let stranger = await refused { _ = try await device.signIn(loginId: id, password: "not-\(first)") }
        XCTAssertEqual(stranger, .SignedOut(code: "sign_in_refused"))
        let session = try await device.signIn(loginId: id, password: first)
        XCTAssertTrue(session.mustChangePassword())
        let early = await refused { _ = try await session.patients().list() }
        XCTAssertEqual(early, .SignedOut(code: "password_change_required"))
        try await session.changePassword(current: first, new: password)
        let seen = try await session.patients().list()
        XCTAssertEqual(seen.patients.map(\.name), [town["patient_name"]!])
        try await session.signOut()
        let out = await refused { _ = try await device.person(staffId: session.staff().id).resume() }
        guard case .SignedOut = out else { return XCTFail("\(String(describing: out))") }
    }

    func testAPostWrittenWithoutANetworkIsSentOnceItIsBack() async throws {
        let session = try await nurse()
        _ = try await session.patients().list()
        try stage.ask("cut")
        let camera = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).jpg")
        try FileManager.default.copyItem(atPath: town["photo"]!, toPath: camera.path)
        let shot = AttachmentFile(kind: .photo, path: camera.path, description: "左踵", handOver: true)
        let post = PostDraft(
            patientId: town["patient"]!, body: "電波なし", urgent: false, bodySite: nil, attachments: [shot],
            keepAsDraft: false, id: UUID().uuidString)
        // Half written when the app was left: kept with a second name of the picture, and replaced.
        let second = camera.deletingPathExtension().appendingPathExtension("second.jpg")
        try FileManager.default.linkItem(at: camera, to: second)
        let again = AttachmentFile(kind: .photo, path: second.path, description: "左踵", handOver: true)
        let half = PostDraft(
            patientId: post.patientId, body: "電波", urgent: false, bodySite: nil, attachments: [again],
            keepAsDraft: true, id: post.id)
        _ = try await session.outbox().compose(draft: half)
        let draft = try await session.outbox().items()
        XCTAssertEqual(draft.map(\.state), [.draft])
        let id = try await session.outbox().compose(draft: post)
        XCTAssertFalse(FileManager.default.fileExists(atPath: camera.path), "handed over")
        let same = try await session.outbox().compose(draft: post)
        XCTAssertEqual(same, id, "tapped twice")
        let made = try await session.outbox().prepare()
        XCTAssertEqual(made.made, 1)
        let waiting = try await session.outbox().items()
        XCTAssertEqual(waiting.map(\.state), [.waiting])
        let report = try await session.outbox().flush(now: true)
        XCTAssertTrue(report.offline)
        let stale = try await session.patients().list().stale
        XCTAssertTrue(stale)
        let kept = try await session.patients().listLastSeen()
        XCTAssertEqual(kept?.patients.map(\.name), [town["patient_name"]!])
        XCTAssertNotNil(kept?.seenAt)
        try stage.ask("mend")
        try await sendAll(session)
        let sent = try await session.outbox().items()
        XCTAssertEqual(sent.first { $0.id == id }?.state, .sent)
        XCTAssertEqual(try stage.ask("arrived 電波なし"), ["times": "1", "files": "Photo Ready 1536x2048"])
    }

    func testAKilledUploadGoesOnInAnotherProcess() async throws {
        let victim = Process()
        // Beside the tests on Linux; beside their bundle on a Mac.
        var built = Bundle(for: Self.self).bundleURL
        while !FileManager.default.isExecutableFile(atPath: built.appendingPathComponent("Victim").path) {
            XCTAssertGreaterThan(built.pathComponents.count, 1, "the victim is not built")
            built.deleteLastPathComponent()
        }
        victim.executableURL = built.appendingPathComponent("Victim")
        victim.arguments = [ProcessInfo.processInfo.environment["RENRAKU_STAGE"]!, folder.path, "途中で落ちた"]
        let said = Pipe()
        victim.standardOutput = said
        try victim.run()
        var heard = Data()
        func hears(_ word: String) throws -> [UInt64] {
            while true {
                while let end = heard.firstIndex(of: UInt8(ascii: "\n")) {
                    let words = String(decoding: heard[..<end], as: UTF8.self).split(separator: " ")
                    heard = Data(heard[(end + 1)...])
                    if words.first.map(String.init) == word { return words.dropFirst().compactMap { UInt64($0) } }
                }
                let more = said.fileHandleForReading.availableData
                if more.isEmpty { throw Refusal(description: "the phone ended by itself") }
                heard += more
            }
        }
        let before = try hears("kept")[0]
        var at = try hears("uploaded")
        while at[0] == 0 { at = try hears("uploaded") }
        XCTAssertLessThan(at[0], at[1], "killed too late")
        kill(victim.processIdentifier, SIGKILL)
        victim.waitUntilExit()
        XCTAssertEqual(victim.terminationReason, .uncaughtSignal)
        try stage.ask("cut")
        try stage.ask("flow")
        try stage.ask("mend")

        let device = try await open(folder, stage)
        let who = try await device.people()
        let session = try await device.person(staffId: who[0].staffId).resume()
        let items = try await session.outbox().items()
        XCTAssertEqual(items.count, 1)
        XCTAssertTrue(items[0].textSent && !items[0].media[0].done && items[0].media[0].uploaded >= at[0], "\(items)")
        try await sendAll(session)
        XCTAssertEqual(try stage.ask("arrived 途中で落ちた"), ["times": "1", "files": "Video Ready 720x1280"])
        // The film once, the chunk that was on its way twice, and what sessions and headers take.
        let sent = UInt64(try stage.ask("sent")["bytes"]!)! - before
        XCTAssertLessThan(sent, at[1] + chunk + 100_000)
    }

    func testAPushIsFetchedAndShown() async throws {
        let session = try await nurse()
        try await session.registerPush(provider: .fcm, token: "ok-swift")
        let id = try stage.ask("post 夕方に発熱、37.8度")["id"]
        let payload = try stage.ask("push ok-swift")["payload"]!
        XCTAssertFalse(payload.contains("発熱"))
        let shown = try await session.handlePush(payload: payload)
        XCTAssertFalse(shown.locked.contains("発熱") || shown.locked.contains(town["patient_name"]!))
        XCTAssertEqual(shown.unlocked?.kind, .postPublished)
        XCTAssertEqual(shown.unlocked?.postId, id)
        XCTAssertEqual(shown.unlocked?.patientName, town["patient_name"])
        XCTAssertEqual(shown.unlocked?.preview, "夕方に発熱、37.8度")
        let other = await refused { _ = try await session.handlePush(payload: #"{"from":"another app"}"#) }
        guard case .Invalid = other else { return XCTFail("\(String(describing: other))") }
    }

    @MainActor
    func testAFilmIsPreparedBesideTheScreenAndSent() async throws {
        let session = try await nurse()
        var ticks = 0
        let clock = Task { @MainActor in
            while !Task.isCancelled {
                try? await Task.sleep(nanoseconds: 10_000_000)
                ticks += 1
            }
        }
        let ear = Ear { XCTAssertFalse(Thread.isMainThread) }
        let id = try await session.outbox().compose(draft: draft(stage, "歩行の様子", .video))
        _ = try await session.outbox().prepare(progress: ear)
        clock.cancel()
        XCTAssertGreaterThan(ticks, 10, "the screen stood still")
        XCTAssertEqual(ear.heard, ear.heard.sorted())
        XCTAssertEqual(ear.heard.last, 1)
        try await sendAll(session)
        XCTAssertEqual(try stage.ask("arrived 歩行の様子"), ["times": "1", "files": "Video Ready 720x1280"])
        let media = try await session.posts().post(id: id).post.media[0]
        let player = folder.appendingPathComponent("play.mp4")
        let length = try await session.posts().media(id: media.id, path: player.path)
        XCTAssertEqual(length, media.length)
        XCTAssertEqual(try Data(contentsOf: player).count, Int(media.length))
    }

    func testLongWorkIsCancelled() async throws {
        let session = try await nurse()
        let token = CancelToken()
        let dropped = try await session.outbox().compose(draft: try draft(stage, "やめた", .video))
        let ended = await refused {
            _ = try await session.until(cancelled: token).outbox().prepare(progress: Ear { token.cancel() })
        }
        XCTAssertEqual(ended, .Cancelled)
        let waits = try await session.outbox().items()[0].media[0].state
        XCTAssertEqual(waits, .planned)
        try await session.outbox().takeBack(id: dropped)
        let kept = try await session.outbox().items()
        XCTAssertTrue(kept.isEmpty, "nothing is kept")

        _ = try await session.outbox().compose(draft: draft(stage, "止めてから送る", .video))
        _ = try await session.outbox().prepare()
        try stage.ask("stall 400000")
        let stop = CancelToken()
        let sending = Task { await refused { _ = try await session.until(cancelled: stop).outbox().flush(now: true) } }
        var seen: UInt64 = 0
        while try await session.outbox().items()[0].media[0].uploaded == 0 {
            seen = try await session.outbox().changed(seen: seen, patienceMillis: 1_000)
        }
        stop.cancel()
        let stopped = await sending.value
        XCTAssertEqual(stopped, .Cancelled)
        let left = try await session.outbox().items()
        XCTAssertEqual(left.map(\.state), [.sending])
        try stage.ask("flow")
        try await sendAll(session)
        XCTAssertEqual(try stage.ask("arrived 止めてから送る")["times"], "1")
        XCTAssertEqual(try stage.ask("arrived やめた")["times"], "0")
    }

    /// A cancelled task stops nothing by itself; its token does.
    func testALineThatHangsIsLeft() async throws {
        let device = try await open(folder, stage)
        try await device.enrol(stage)
        let session = try await device.firstSignIn(stage)
        _ = try await session.patients().list()
        try stage.ask("stall 0")
        let token = CancelToken()
        let reading = Task { await refused { _ = try await session.until(cancelled: token).patients().list() } }
        let entering = Task {
            await refused { _ = try await device.until(cancelled: token).signIn(loginId: "nobody", password: "x") }
        }
        let kept = try await session.patients().listLastSeen()
        XCTAssertEqual(kept?.patients.count, 1)
        try await Task.sleep(nanoseconds: 200_000_000)
        token.cancel()
        for ended in [await reading.value, await entering.value] { XCTAssertEqual(ended, .Cancelled) }
        try await session.signOut()
        try stage.ask("flow")
    }

    func testAPinClosesTheStore() async throws {
        let device = try await open(folder, stage)
        try await device.enrol(stage)
        let session = try await device.firstSignIn(stage)
        let id = session.staff().id
        try await device.person(staffId: id).setPin(current: nil, pin: "194502")
        try await device.person(staffId: id).lock()
        let closed = await refused { _ = try await session.outbox().items() }
        XCTAssertEqual(closed, .Storage(trouble: .locked))
        let wrong = await refused { try await device.person(staffId: id).unlockWithPin(pin: "194503") }
        XCTAssertEqual(wrong, .Storage(trouble: .wrongPin(left: 9)))
        try await device.person(staffId: id).unlockWithPin(pin: "194502")
        let opened = try await device.person(staffId: id).resume().outbox().items()
        XCTAssertTrue(opened.isEmpty)
    }
}
