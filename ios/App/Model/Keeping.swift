// What is being written is kept as a draft whenever the person may not come back to it: sealed in the core's outbox, it
// outlives the app. Not here: when that is, which AppModel, Pushes and Sketching say; sending, which is WorkModel's.

import Foundation
import RenrakuCore

extension WorkModel {
    /// Puts what is being written into the outbox as a draft, in place of what was kept of it before; one that was
    /// emptied since is taken back. It stays here, too, with its files; what was put aside goes. Takes as long as
    /// copying the files, and nothing when nothing changed. Works in a closed model, too. `only`: no other post than
    /// this one.
    ///
    /// Gives why it could not be kept, and says it where there is a screen: then it is only here.
    @discardableResult
    func keepSketch(only: Sketch.ID? = nil) async -> String? {
        let fault: Error? = await inTurn {
            var first: Error?
            for id in self.sketches.map(\.id) where only == nil || only == id {
                let fault = await self.keep(id)
                first = first ?? fault
            }
            return first
        }
        if !closed { await loadOutbox() }
        guard let fault else { return nil }
        let why = "書きかけの\(town.wordPost)を下書きに残せませんでした。\(Words.sentence(fault) ?? "")"
        if !closed { trouble = why }
        return why
    }

    private func keep(_ id: Sketch.ID) async -> Error? {
        guard let sketch = sketches.first(where: { $0.id == id }) else { return nil }
        if !sketch.isSafe {
            do {
                if sketch.isEmpty { try await takeBack(sketch) } else { try await keep(sketch) }
            } catch {
                return error
            }
            with(id) { $0.kept = sketch.isEmpty ? nil : sketch.content }
        }
        if aside.contains(where: { $0.id == id && $0.isSafe }) { drop(id) }
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

    /// What is left for its writer once the work ended, after what can be kept as a draft was, and why not all was.
    func unfinished() async -> (left: Unfinished, why: String?) {
        // Waits for an edit on its way, too: one that was kept is none any more.
        let why = await keepSketch()
        var left = Unfinished(sketch: sketch, aside: aside, editing: editing)
        if left.sketch?.isEmpty == true, left.sketch?.kept == nil { left.sketch = nil }
        left.editing?.saving = false
        return (left, why)
    }

    /// What was left when the app locked, for the person who left it.
    func restore(_ left: Unfinished) {
        (sketch, aside, editing) = (left.sketch, left.aside, left.editing)
        if let id = left.sketch?.patientId { path = [.timeline(id), .compose(id)] }
    }
}
