// What is being written is kept as a draft whenever the person may not come back to it: sealed in the core's outbox, it
// outlives the app. Not here: when that is, which AppModel, Pushes and Sketching say; sending, which is WorkModel's.

import Foundation
import RenrakuCore

extension WorkModel {
    /// Puts what is being written into the outbox as a draft, in place of what was kept of it before; one that was
    /// emptied since is taken back. It stays here, too, with its files. Takes as long as copying the files, and nothing
    /// when nothing changed. Works in a closed model, too.
    ///
    /// Gives why it could not be kept, and says it where there is a screen: then it is only here.
    @discardableResult
    func keepSketch() async -> String? {
        let fault = await inTurn { await self.keep() }
        guard let fault else {
            if !closed { await loadOutbox() }
            return nil
        }
        let why = "書きかけの\(town.wordPost)を下書きに残せませんでした。\(Words.sentence(fault) ?? "")"
        if !closed { trouble = why }
        return why
    }

    private func keep() async -> Error? {
        guard let sketch, sketch.isEmpty ? sketch.kept != nil : sketch.kept != sketch.content else { return nil }
        do {
            if sketch.isEmpty { try await takeBack(sketch) } else { try await keep(sketch) }
        } catch {
            return error
        }
        if self.sketch?.id == sketch.id { self.sketch?.kept = sketch.isEmpty ? nil : sketch.content }
        return nil
    }

    /// The core takes each file under a second name, and the first one stays for going on with it.
    private func keep(_ sketch: Sketch) async throws {
        var names: [URL] = []
        defer { names.forEach { try? FileManager.default.removeItem(at: $0) } }
        for shot in sketch.shots {
            let name = shot.file.deletingLastPathComponent().appendingPathComponent(UUID().uuidString)
            guard (try? FileManager.default.linkItem(at: shot.file, to: name)) != nil else {
                throw MobileError.Storage(trouble: .file)
            }
            names.append(name)
        }
        _ = try await session.outbox().compose(draft: sketch.draft(kept: true, names: names))
    }

    private func takeBack(_ sketch: Sketch) async throws {
        do {
            try await session.outbox().takeBack(id: sketch.postId)
        } catch MobileError.NotFound {
            // It is gone already.
        }
    }

    /// What was left when the app locked, for the person who left it.
    func restore(_ left: Unfinished) {
        (sketch, editing) = (left.sketch, left.editing)
        if let id = left.sketch?.patientId { path = [.timeline(id), .compose(id)] }
    }
}
