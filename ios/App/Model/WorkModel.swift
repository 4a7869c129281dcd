// What a signed-in person does: patients, a timeline, reading, composing, sending. Knows no screen.
// Not here: signing in and locking, which is AppModel; what is being written, which is in Sketching and Keeping; changing
// what stands in the outbox, which is in Editing; pushes, which are in Pushes; retrying and order of sending, which are
// the core's.

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

    @Published var path: [Place] = [] {
        didSet { moved(from: oldValue) }
    }
    @Published private(set) var patients: [PatientSummary] = []
    /// True once the patients are known: until then none is said to be there.
    @Published private(set) var listed = false
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
    /// What was begun before about others, and could not be kept as a draft yet.
    @Published var aside: [Sketch] = []
    /// The post whose text is being changed; outlives a lock, too.
    @Published var editing: Editing?
    /// True while what is written is put into the outbox to be sent: nothing can be added to it then.
    @Published private(set) var composing = false
    /// True while the camera is up. A session that is over meanwhile ends the work when the camera is closed: with the
    /// camera a film would go that is being recorded.
    @Published var shooting = false {
        didSet {
            guard !shooting, let end = heldBack else { return }
            heldBack = nil
            Task { await failed(end) }
        }
    }
    private var heldBack: Error?
    /// The person is signed out or locked out: whatever still shows this work goes.
    @Published private(set) var closed = false

    let staff: Staff
    let town: Municipality

    /// This device has other towns, whose pushes come here, too.
    let hasOthers: () -> Bool
    let session: RenrakuSession
    private let onEnded: (Error) async -> Void
    private let cancel = CancelToken()
    /// What may take long ends with the work.
    private(set) lazy var asking = session.until(cancelled: cancel)
    /// A card comes onto the screen more than once.
    private var marked: Set<PostId> = []
    /// What was asked of the outbox last.
    private var turn: Task<Void, Never>?
    private lazy var outgoing = Outgoing(
        session: session, onFault: { [weak self] in await self?.failed($0) },
        onProgress: { [weak self] in self?.progress = $0 },
        onChange: { [weak self] sent in await self?.outboxChanged(sent: sent) })

    /// `onEnded`: the server ended the session, or took the device's certificate away.
    init(
        session: RenrakuSession, town: Municipality, hasOthers: @escaping () -> Bool = { false },
        onEnded: @escaping (Error) async -> Void
    ) {
        self.session = session
        self.staff = session.staff()
        self.town = town
        self.hasOthers = hasOthers
        self.onEnded = onEnded
    }

    /// Stops what is planned. Call it when the person is signed out or locked out.
    func close() {
        closed = true
        cancel.cancel()
        outgoing.close()
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
        (patients, listed, stale, seenAt) = (seen.patients, true, seen.stale, seen.seenAt)
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
        do {
            return try await asking.posts().thumbnail(id: id)
        } catch {
            if error.isRevocation { await failed(error) }
            return nil
        }
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
        let fault: Error? = await inTurn {
            do {
                _ = try await self.session.outbox().compose(draft: draft)
            } catch {
                return error
            }
            // Also when the work ended meanwhile: then nothing is left to be kept.
            self.without(kept.id)
            return nil
        }
        if let fault { await failed(fault) }
        guard fault == nil, !closed else { return false }
        await loadOutbox()
        if !draft.attachments.isEmpty { prepare() }
        Task { await self.flush(now: true) }
        return true
    }

    /// Does what changes the outbox after what was asked before: a post is not taken back while it is being kept. It
    /// must not end the work, which waits for it.
    func inTurn<Done: Sendable>(_ work: @escaping @MainActor () async -> Done) async -> Done {
        let before = turn
        let mine = Task { () -> Done in
            await before?.value
            return await work()
        }
        turn = Task { _ = await mine.value }
        return await mine.value
    }

    func loadOutbox() async {
        await attempt { self.outbox = try await self.session.outbox().items() }
    }

    /// What of a patient's posts has not wholly left this device.
    func pending(_ id: PatientId) -> [Item] {
        outbox.filter { $0.patientId == id && $0.state != .sent }
    }

    // MARK: Making and sending what waits, see Outgoing

    func prepare() { outgoing.prepare() }
    func flush(now: Bool) async { await outgoing.flush(now: now) }
    func finishSending() async { await outgoing.finish() }
    func stopSending() { outgoing.stopNow() }

    private func outboxChanged(sent: UInt32) async {
        await loadOutbox()
        if sent > 0, case .timeline(let id) = path.last { await loadTimeline(id) }
    }

    // MARK: Inside

    /// Who goes from what they write may not come back to it; and its draft is shown as it is now.
    private func moved(from before: [Place]) {
        guard !closed, case .compose? = before.last, path.last != before.last else { return }
        shooting = false
        Task { await keepSketch() }
    }

    private func isOpen(_ id: PatientId) -> Bool {
        path.contains(.timeline(id))
    }

    private func reload(_ id: PostId) async throws {
        let seen = try await session.posts().post(id: id)
        if let place = posts.firstIndex(where: { $0.id == id }) { posts[place] = seen.post }
    }

    @discardableResult
    func attempt(_ work: () async throws -> Void) async -> Bool {
        do {
            try await work()
            return !closed
        } catch {
            await failed(error)
            return false
        }
    }

    /// Says what went wrong, or ends the work where that says so.
    func failed(_ error: Error) async {
        guard !closed else { return }
        if error.endsWork {
            if shooting, !error.isRevocation { heldBack = error } else { await onEnded(error) }
        } else if let sentence = Words.sentence(error) {
            trouble = sentence
        }
    }
}
