// A post that is being written, in memory; its files meanwhile lie in the scratch folder, in the clear. Not here: when it
// is kept, which is in Keeping; drafts and posts that wait, which lie sealed in the core's outbox.

import Foundation
import RenrakuCore

/// A picture or film in the scratch folder, in the clear.
struct Shot: Identifiable, Equatable {
    let id = UUID()
    let file: URL
    let isVideo: Bool
    /// What of a photo is covered before it leaves.
    var marks: [PhotoMark] = []
    /// Keeps what is heard in a film.
    var sound = true

    func discard() {
        try? FileManager.default.removeItem(at: file)
    }
}

struct Sketch: Identifiable {
    /// What the person made, without what the app notes of it.
    struct Content: Equatable {
        var body = ""
        var urgent = false
        var site: BodySite?
        var shots: [Shot] = []
    }

    /// The post's id: tapped twice, it is kept once.
    let id = UUID()
    var patientId: PatientId
    var body = ""
    var urgent = false
    var site: BodySite?
    var shots: [Shot] = []
    /// What of it is a draft in the outbox; none when there is no such draft.
    var kept: Content?

    /// As the core writes it.
    var postId: PostId { id.uuidString.lowercased() }
    var content: Content { Content(body: body, urgent: urgent, site: site, shots: shots) }
    /// Nothing that the core would take: white space is none.
    var isEmpty: Bool { shots.isEmpty && body.allSatisfy(\.isWhitespace) }
    /// The outbox has what there is of it: an emptied one has no draft there any more.
    var isSafe: Bool { isEmpty ? kept == nil : kept == content }

    /// Covers these areas of a photo, and no others.
    mutating func mark(_ shot: Shot.ID, _ marks: [PhotoMark]) {
        guard let place = shots.firstIndex(where: { $0.id == shot && !$0.isVideo }) else { return }
        shots[place].marks = marks
    }

    /// Keeps what is heard in a film, or leaves it out.
    mutating func keepSound(_ shot: Shot.ID, _ on: Bool) {
        guard let place = shots.firstIndex(where: { $0.id == shot }) else { return }
        shots[place].sound = on
    }

    /// The post, with which its files go. `names`: other names of the files to hand over, in the same order.
    func draft(kept: Bool, names: [URL]? = nil) -> PostDraft {
        let files = names ?? shots.map(\.file)
        return PostDraft(
            patientId: patientId, body: body, urgent: urgent, bodySite: site,
            attachments: zip(shots, files).map { shot, file in
                AttachmentFile(
                    kind: shot.isVideo ? .video : .photo, path: file.path, description: "",
                    marks: shot.isVideo ? [] : shot.marks, sound: shot.sound, handOver: true)
            },
            keepAsDraft: kept, id: postId)
    }

    func discard() {
        shots.forEach { $0.discard() }
    }
}
