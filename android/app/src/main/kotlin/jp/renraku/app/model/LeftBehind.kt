// What people were writing when the app locked, until they come back. Not here: the lock itself, which is AppModel's.

package jp.renraku.app.model

import jp.renraku.core.StaffId

/** In memory, and its files in the clear: at most one post of each town. A town is named by its slug, the first by none. */
class Locked {
    private class Held(val staff: StaffId, val sketch: Sketch)

    private val held = mutableMapOf<String?, Held>()

    fun keep(town: String?, staff: StaffId, sketch: Sketch) {
        held[town] = Held(staff, sketch)
    }

    /** What this person was writing in this town. What somebody else was is destroyed: it is shown to nobody else. */
    fun take(town: String?, staff: StaffId): Sketch? {
        val found = held.remove(town) ?: return null
        if (found.staff == staff && !found.sketch.isKept) return found.sketch
        found.sketch.discard()
        return null
    }

    fun forget(town: String?, staff: StaffId) {
        if (held[town]?.staff == staff) forget(town)
    }

    fun forget(town: String?) {
        held.remove(town)?.sketch?.discard()
    }
}
