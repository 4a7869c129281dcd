// What is being written, as it changes: text, photos, films. Not here: keeping it, which is in Keeping; sending it, which
// WorkModel does.

import RenrakuCore

extension WorkModel {
    /// Begins a post about a patient, or goes on with it. What was begun about another patient is kept as a draft first;
    /// while it cannot be, it stays here, and nothing else is begun.
    func beginSketch(_ id: PatientId) async {
        guard !closed, sketch?.patientId != id else { return }
        let why = await keepSketch()
        // Another may have been begun meanwhile, or the work have ended.
        guard !closed, sketch?.patientId != id else { return }
        if why != nil {
            if path.last == .compose(id) { path.removeLast() }
            return
        }
        dropSketch()
        sketch = Sketch(patientId: id)
    }

    /// Changes what is being written, if it still is this post: a screen may be slower than a lock, a push or the
    /// sending. Not while it is being sent, for then the change would not be of the post. False when nothing was
    /// changed.
    @discardableResult
    func change(_ id: Sketch.ID?, _ how: (inout Sketch) -> Void) -> Bool {
        guard !closed, !composing, var changed = sketch, changed.id == id else { return false }
        how(&changed)
        sketch = changed
        return true
    }

    /// Adds what the camera took. Its file does not stay in the clear when its post is gone.
    func add(_ shot: Shot, to id: Sketch.ID?) {
        if !change(id, { $0.shots.append(shot) }) { shot.discard() }
    }

    func remove(_ shot: Shot, from id: Sketch.ID?) {
        if change(id, { $0.shots.removeAll { $0.id == shot.id } }) { shot.discard() }
    }

    func dropSketch() {
        sketch?.discard()
        sketch = nil
    }
}
