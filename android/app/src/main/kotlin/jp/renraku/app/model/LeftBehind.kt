// What people were writing when the app locked, until they come back. Not here: the lock itself, which is AppModel's;
// drafts, which lie sealed in the core's outbox.

package jp.renraku.app.model

import jp.renraku.core.PostId
import jp.renraku.core.StaffId
import java.io.File

/** What somebody was writing: the post that was in front, those put aside that could not be kept, and an edit. */
data class Unfinished(val sketch: Sketch?, val aside: List<Sketch>, val editing: Editing?) {
    val sketches: List<Sketch> get() = aside + listOfNotNull(sketch)

    fun changed(id: PostId, how: (Sketch) -> Sketch): Unfinished {
        val change = { one: Sketch -> if (one.id == id) how(one) else one }
        return copy(sketch = sketch?.let(change), aside = aside.map(change))
    }

    fun discard() = sketches.forEach { it.discard() }
}

/** In memory, its files in the clear: of one person in each town. A town is named by its slug, the first by none. */
class LeftBehind {
    private class Held(val staff: StaffId, var what: Unfinished)

    private val held = mutableMapOf<String?, Held>()

    /** What lies in the clear for those who may come back. */
    val files: Set<File> get() = held.values.flatMap { it.what.sketches }.flatMap { it.shots }.map { it.file }.toSet()

    fun keep(town: String?, staff: StaffId, what: Unfinished) {
        if (what.sketches.isEmpty() && what.editing == null) return
        if (held[town]?.staff != staff) forget(town)
        held[town] = Held(staff, what)
    }

    /** What this person was writing in this town. What somebody else was is destroyed: it is shown to nobody else. */
    fun take(town: String?, staff: StaffId): Unfinished? {
        val found = held.remove(town) ?: return null
        if (found.staff == staff) return found.what
        found.what.discard()
        return null
    }

    /** Changes the post with this id; false where nobody left it behind. */
    fun change(id: PostId, how: (Sketch) -> Sketch): Boolean {
        val one = held.values.find { it.what.sketches.any { sketch -> sketch.id == id } } ?: return false
        one.what = one.what.changed(id, how)
        return true
    }

    fun forget(town: String?, staff: StaffId) {
        if (held[town]?.staff == staff) forget(town)
    }

    fun forget(town: String?) {
        held.remove(town)?.what?.discard()
    }
}
