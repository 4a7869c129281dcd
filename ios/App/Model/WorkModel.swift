// What a signed-in person does: patients, a timeline, reading, composing, the outbox. Knows no screen.
// Not here: signing in and locking, which is AppModel; what is being written, which is in Sketching; retrying and order of sending, which are the core's.

import Combine
import Foundation
import RenrakuCore

@MainActor
final class WorkModel: ObservableObject {
    /// Where the person is, from the list of patients inwards.
    enum Place: Hashable {
        case timeline(PatientId)
        case compose(PatientId)
        case readers(PostId)
        case outbox
        /// PIN, face or finger, the device's certificate.
        case safety
    }

    @Published var path: [Place] = []
    @Published private(set) var patients: [PatientSummary] = []
    @Published private(set) var patient: Patient?
    @Published private(set) var posts: [Post] = []
    @Published private(set) var next: String?
    @Published private(set) var receipts: [Receipt] = []
    @Published private(set) var outbox: [Item] = []
    /// True when the screen shows what the server said last, and not what it says now.
    @Published private(set) var stale = false
    /// When the server said what is shown; none when that is not known.
    @Published private(set) var seenAt: Timestamp?
    /// How far films and pictures are made, 0 to 1; none when none is being made.
    @Published private(set) var progress: Float?
    /// A line about a push that arrived while the app is in front.
    @Published var news: String?
    @Published var trouble: String?

    /// What is being written; outlives a lock, see AppModel.
    @Published var sketch: Sketch?
    /// True while it is being kept: nothing can be added to it then.
    @Published private(set) var composing = false
    /// The person is signed out or locked out: whatever still shows this work goes.
    @Published private(set) var closed = false

    let staff: Staff
    let town: Municipality

    /// This device has other towns, whose pushes come here, too.
    private let hasOthers: () -> Bool
    private let session: RenrakuSession
    private let onSignedOut: (String?) async -> Void
    private let cancel = CancelToken()
    /// What may take long ends with the work.
    private lazy var asking = session.until(cancelled: cancel)
    private var preparing: Task<Void, Never>?
    /// A card comes onto the screen more than once.
    private var marked: Set<PostId> = []
    private var flushing = false
    /// Somebody asked for a pass while one was under way.
    private var hurry = false
    private var again: Task<Void, Never>?

    init(
        session: RenrakuSession, town: Municipality, hasOthers: @escaping () -> Bool = { false },
        onSignedOut: @escaping (String?) async -> Void
    ) {
        self.session = session
        self.staff = session.staff()
        self.town = town
        self.hasOthers = hasOthers
        self.onSignedOut = onSignedOut
    }

    /// Stops what is planned. Call it when the person is signed out or locked out.
    func close() {
        closed = true
        cancel.cancel()
        again?.cancel()
    }

    /// After the sign-in, at the return to the front, when the network is back.
    func catchUp() async {
        prepare()
        await loadPatients()
        if case .timeline(let id) = path.last { await loadTimeline(id) }
        await flush(now: true)
    }

    // MARK: Reading

    /// True when they are as the server has them now.
    @discardableResult
    func loadPatients() async -> Bool {
        // What this device holds is there at once; the network may take half a minute, or not come at all. What
        // hinders that, the server's answer tells, too.
        if patients.isEmpty, let kept = try? await session.patients().listLastSeen() { show(kept) }
        var now = false
        await attempt {
            let seen = try await self.asking.patients().list()
            now = !seen.stale
            self.show(seen)
        }
        return now
    }

    private func show(_ seen: PatientsSeen) {
        (patients, stale, seenAt) = (seen.patients, seen.stale, seen.seenAt)
    }

    /// The patient with the team, and the newest page. Shows nothing of the patient before.
    func loadTimeline(_ id: PatientId) async {
        if patient?.id != id {
            patient = nil
            posts = []
            next = nil
            if let seen = try? await session.patients().patientLastSeen(id: id) {
                show(id, seen, (try? await session.posts().timelineLastSeen(patientId: id, before: nil)) ?? nil)
            }
        }
        await attempt {
            let seen = try await self.asking.patients().patient(id: id)
            self.show(id, seen, try await self.asking.posts().timeline(patientId: id, before: nil))
        }
        await loadOutbox()
    }

    private func show(_ id: PatientId, _ seen: PatientSeen, _ page: TimelinePage?) {
        guard isOpen(id) else { return }
        patient = seen.patient
        posts = page?.posts ?? []
        next = page?.next
        stale = seen.stale || page?.stale == true
        seenAt = page?.seenAt ?? seen.seenAt
    }

    func loadMore(_ id: PatientId) async {
        guard let before = next else { return }
        await attempt {
            let page = try await self.asking.posts().timeline(patientId: id, before: before)
            guard self.isOpen(id), self.next == before else { return }
            self.posts += page.posts
            self.next = page.next
        }
    }

    /// The post came onto the screen.
    func saw(_ post: Post) async {
        guard !post.read, marked.insert(post.id).inserted else { return }
        await attempt {
            try await self.session.posts().markRead(id: post.id)
            try await self.reload(post.id)
        }
    }

    func acknowledge(_ post: Post, on: Bool) async {
        await attempt {
            try await self.session.posts().acknowledge(id: post.id, on: on)
            try await self.reload(post.id)
        }
    }

    func loadReceipts(_ id: PostId) async {
        receipts = []
        await attempt { self.receipts = try await self.asking.posts().receipts(id: id) }
    }

    /// A picture in small, or none when it has not arrived yet.
    func thumbnail(_ id: MediaId) async -> Data? {
        try? await asking.posts().thumbnail(id: id)
    }

    /// Writes a file in the clear to show it. The caller removes it afterwards.
    func reveal(_ media: Media, at file: URL) async -> Bool {
        await attempt { _ = try await self.asking.posts().media(id: media.id, path: file.path) }
    }

    // MARK: Composing and sending

    /// True when the post and its files are sealed on the disk, which takes as long as copying the files. Its text
    /// leaves at once if the network allows; its films and pictures, now the core's, follow when they are made. A
    /// second tap meanwhile does nothing.
    func compose(asDraft: Bool) async -> Bool {
        guard !composing, let kept = sketch else { return false }
        let draft = kept.draft(kept: asDraft)
        composing = true
        defer { composing = false }
        guard await attempt({ _ = try await self.session.outbox().compose(draft: draft) }) else { return false }
        // Another may have been begun meanwhile.
        if sketch?.id == kept.id { sketch = nil }
        await loadOutbox()
        if !draft.attachments.isEmpty { prepare() }
        Task { await self.flush(now: true) }
        return true
    }

    /// Makes what waits to be made, also of what an earlier run of the app left, and sends it.
    private func prepare() {
        guard !closed else { return }
        let before = preparing
        let ear = ProgressEar { [weak self] done in
            Task { @MainActor in self?.progress = done < 1 ? done : nil }
        }
        preparing = Task { [weak self] in
            await before?.value
            guard let self else { return }
            await self.attempt { _ = try await self.asking.outbox().prepare(progress: ear) }
            self.progress = nil
            await self.loadOutbox()
            // One that could not be read just now holds up none that was made.
            await self.flush(now: true)
        }
    }

    func loadOutbox() async {
        await attempt { self.outbox = try await self.session.outbox().items() }
    }

    /// What of a patient's posts has not wholly left this device.
    func pending(_ id: PatientId) -> [Item] {
        outbox.filter { $0.patientId == id && $0.state != .sent }
    }

    func edit(_ item: Item, body: String, urgent: Bool) async {
        let text = RenrakuCore.Text(body: body, urgent: urgent, bodySite: item.bodySite)
        await attempt { try await self.session.outbox().edit(id: item.id, text: text) }
        await loadOutbox()
    }

    func release(_ item: Item) async {
        await attempt { try await self.session.outbox().release(id: item.id) }
        if !item.media.isEmpty { prepare() }
        await flush(now: true)
    }

    func takeBack(_ item: Item) async {
        await attempt { try await self.session.outbox().takeBack(id: item.id) }
        await loadOutbox()
    }

    /// One pass over what waits, and the next one planned when something remains.
    func flush(now: Bool) async {
        guard !closed else { return }
        guard !flushing else {
            hurry = hurry || now
            return
        }
        flushing = true
        hurry = false
        again?.cancel()
        var sent: UInt32 = 0
        var next: Timestamp?
        await attempt {
            let report = try await self.asking.outbox().flush(now: now)
            sent = report.sent
            next = report.nextTryAt
        }
        flushing = false
        // What was asked for meanwhile may have come too late for this pass: the network that is back, say.
        if next != nil, hurry { Task { await self.flush(now: true) } } else if let next { plan(at: next) }
        await loadOutbox()
        if sent > 0, case .timeline(let id) = path.last { await loadTimeline(id) }
    }

    private func plan(at millis: Timestamp) {
        let wait = max(1, Double(millis) / 1000 - Date().timeIntervalSince1970)
        again = Task { [weak self] in
            try? await Task.sleep(nanoseconds: UInt64(wait * 1_000_000_000))
            if !Task.isCancelled { await self?.flush(now: false) }
        }
    }

    // MARK: Pushes

    /// Fetches what a push is about. `opened`: the person touched it, so its patient is shown.
    func take(push payload: String, opened: Bool) async {
        var shown: PushShown?
        await attempt { shown = try await self.asking.handlePush(payload: payload) }
        guard let shown, !closed else { return }
        guard let unlocked = shown.unlocked else {
            if !opened {
                news = shown.locked
            } else if hasOthers() {
                // Without the network nothing is known of it, either.
                let reached = await loadPatients()
                guard !closed else { return }
                trouble = reached
                    ? "開けませんでした。ほかの自治体の連絡かもしれません。"
                    : "開けませんでした。電波が届かないか、ほかの自治体の連絡です。"
            }
            return
        }
        if opened, let patient = unlocked.patientId {
            path = [.timeline(patient)]
            await loadTimeline(patient)
        } else if !opened {
            let parts = [unlocked.patientName, unlocked.authorName, unlocked.preview].compactMap { $0 }
            news = (unlocked.urgent ? "【緊急】" : "") + (parts.isEmpty ? shown.locked : parts.joined(separator: "　"))
        }
        await loadPatients()
    }

    // MARK: Inside

    private func isOpen(_ id: PatientId) -> Bool {
        path.contains(.timeline(id))
    }

    private func reload(_ id: PostId) async throws {
        let seen = try await session.posts().post(id: id)
        if let place = posts.firstIndex(where: { $0.id == id }) { posts[place] = seen.post }
    }

    @discardableResult
    private func attempt(_ work: () async throws -> Void) async -> Bool {
        do {
            try await work()
            return !closed
        } catch {
            guard !closed else { return false }
            let sentence = Words.sentence(error)
            if case MobileError.SignedOut = error {
                await onSignedOut(sentence)
            } else {
                trouble = sentence
            }
            return false
        }
    }
}
