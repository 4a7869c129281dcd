// What stands in the outbox, as it is changed, let go or taken back. Not here: what is being written, which is in
// Sketching; sending, which is WorkModel's.

import RenrakuCore

/// A post of the outbox whose text is being changed.
struct Editing: Identifiable {
    let item: Item
    var body: String
    var urgent: Bool
    /// True while it is being kept: nothing can be changed then.
    var saving = false
    /// Why it was not kept.
    var trouble: String?
    /// It left meanwhile, or is gone: the text can only be copied.
    var hasLeft = false

    var id: PostId { item.id }
    var isChanged: Bool { body != item.body || urgent != item.urgent }
}

extension WorkModel {
    func beginEdit(_ item: Item) async {
        guard await bringUpToDate(item) else { return }
        // As it is now: what is being written may have been kept anew.
        let found = outbox.first { $0.id == item.id } ?? item
        editing = Editing(item: found, body: found.body, urgent: found.urgent)
    }

    func changeEdit(_ how: (inout Editing) -> Void) {
        guard !closed, var changed = editing, !changed.saving else { return }
        how(&changed)
        editing = changed
    }

    /// Closes the editor. Not while it is being kept; and one that goes with the work is its writer's to come back to.
    func dropEdit() {
        if !closed, editing?.saving != true { editing = nil }
    }

    /// Keeps the changed text. True when it was kept, and the editor closes; else it says why, and stays as it is.
    @discardableResult
    func edit() async -> Bool {
        guard let changed = editing, !changed.hasLeft, !changed.saving else { return false }
        editing?.saving = true
        editing?.trouble = nil
        let text = RenrakuCore.Text(body: changed.body, urgent: changed.urgent, bodySite: changed.item.bodySite)
        do {
            try await change(changed.id) {
                try await $0.edit(id: changed.id, text: text)
                // Now, and not after the next in turn: that may be the end of the work.
                if self.editing?.id == changed.id { self.editing = nil }
            }
        } catch {
            await refused(changed.id, error)
            return false
        }
        await loadOutbox()
        return true
    }

    private func refused(_ id: PostId, _ error: Error) async {
        if editing?.id == id { editing?.saving = false }
        if error.endsWork { return await failed(error) }
        guard !closed, var changed = editing, changed.id == id else { return }
        switch error {
        case MobileError.Conflict, MobileError.NotFound:
            changed.hasLeft = true
            changed.trouble =
                "この\(town.wordPost)は、もう送られたか取り消されたため、直せません。必要なら、文をコピーして新しく書いてください。"
        default:
            changed.trouble = Words.sentence(error)
        }
        editing = changed
        await loadOutbox()
    }

    func release(_ item: Item) async {
        let isSketch = sketch(of: item.id) != nil
        guard await bringUpToDate(item) else { return }
        await attempt { try await self.change(item.id) { try await $0.release(id: item.id) } }
        if isSketch || !item.media.isEmpty { prepare() }
        await flush(now: true)
    }

    func takeBack(_ item: Item) async {
        await attempt { try await self.change(item.id) { try await $0.takeBack(id: item.id) } }
        await loadOutbox()
    }

    /// What is being written goes once it is changed in the outbox: sent later, it would count as this post and be lost.
    private func change(_ id: PostId, _ how: @escaping (RenrakuOutbox) async throws -> Void) async throws {
        let fault: Error? = await inTurn {
            do {
                try await how(self.session.outbox())
                if let sketch = self.sketch(of: id) { self.drop(sketch.id) }
                return nil
            } catch {
                return error
            }
        }
        if let fault { throw fault }
    }

    /// What was written since the draft was kept is of it, too. False when it could not be kept, which was said.
    private func bringUpToDate(_ item: Item) async -> Bool {
        guard let sketch = sketch(of: item.id) else { return true }
        return await keepSketch(only: sketch.id) == nil
    }

    private func sketch(of id: PostId) -> Sketch? { sketches.first { $0.postId == id } }
}
