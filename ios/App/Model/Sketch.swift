// A post that is being written, kept in memory so that a lock does not lose it; its files meanwhile lie in the scratch
// folder, in the clear. Not here: drafts and posts
// that wait, which lie sealed in the core's outbox.

import Foundation
import RenrakuCore

/// A picture or film in the scratch folder, in the clear.
struct Shot: Identifiable {
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
    /// The post's id: tapped twice, it is kept once.
    let id = UUID()
    var patientId: PatientId
    var body = ""
    var urgent = false
    var site: BodySite?
    var shots: [Shot] = []

    var isEmpty: Bool { body.isEmpty && shots.isEmpty }

    /// Its files are gone: a lock came while it was kept, and it was.
    var isKept: Bool {
        !shots.isEmpty && !shots.contains { FileManager.default.fileExists(atPath: $0.file.path) }
    }

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

    func draft(kept: Bool) -> PostDraft {
        PostDraft(
            patientId: patientId, body: body, urgent: urgent, bodySite: site,
            attachments: shots.map {
                AttachmentFile(
                    kind: $0.isVideo ? .video : .photo, path: $0.file.path, description: "",
                    marks: $0.isVideo ? [] : $0.marks, sound: $0.sound, handOver: true)
            },
            keepAsDraft: kept, id: id.uuidString)
    }

    func discard() {
        shots.forEach { $0.discard() }
    }
}
