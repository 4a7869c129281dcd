// What is being written, as it changes: text, photos, films. Not here: keeping it, which is in Keeping; sending it, which
// WorkModel does.

import RenrakuCore

extension WorkModel {
    /// Begins a post about a patient, or goes on with it. What was begun about another patient is kept as a draft first;
    /// while it cannot be, it is put aside, and goes on when its patient is chosen again.
    func beginSketch(_ id: PatientId) async {
        guard !closed, sketch?.patientId != id else { return }
        await keepSketch()
        // Another may have been begun meanwhile, or the work have ended.
        guard !closed, sketch?.patientId != id else { return }
        if let before = sketch {
            if before.isSafe { dropSketch() } else { aside.append(before) }
        }
        let there = aside.last { $0.patientId == id }
        aside.removeAll { $0.id == there?.id }
        sketch = there ?? Sketch(patientId: id)
    }

    /// What is being written, and what was put aside for it.
    var sketches: [Sketch] { aside + [sketch].compactMap { $0 } }

    /// Changes what is being written, if it still is this post: a screen may be slower than a lock, a push or the
    /// sending. Not while it is being sent, for then the change would not be of the post. False when nothing was
    /// changed.
    @discardableResult
    func change(_ id: Sketch.ID?, _ how: (inout Sketch) -> Void) -> Bool {
        guard !closed, !composing else { return false }
        return with(id, how)
    }

    @discardableResult
    func with(_ id: Sketch.ID?, _ how: (inout Sketch) -> Void) -> Bool {
        if var changed = sketch, changed.id == id {
            how(&changed)
            sketch = changed
        } else if let place = aside.firstIndex(where: { $0.id == id }) {
            how(&aside[place])
        } else {
            return false
        }
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
        if let sketch { drop(sketch.id) }
    }

    func dropSketches() {
        sketches.forEach { drop($0.id) }
    }

    func drop(_ id: Sketch.ID) {
        sketches.first { $0.id == id }?.discard()
        without(id)
    }

    /// Its files are somebody else's to remove.
    func without(_ id: Sketch.ID) {
        if sketch?.id == id { sketch = nil }
        aside.removeAll { $0.id == id }
    }
}
